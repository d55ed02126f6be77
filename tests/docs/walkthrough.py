"""A document that is run: its blocks in their order, in one shell, on a terminal, and what they print compared.

* ``sh`` blocks are commands. Those before have been run: variables and the folder are as they left them.
* ``python``, ``make`` and ``snakemake`` blocks whose first line is ``# name`` are files of that name. A ``python``
  block without a name is a program that is run at once.
* A ``text`` block is what the block before it prints; `matches` says how exactly.
* A comment before a block leaves it out: ``<!-- not run: why -->``, or ``<!-- needs program -->`` where there is no
  such program.

This file knows no document.
"""

from __future__ import annotations

import contextlib
import os
import pty
import re
import selectors
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

# Generous: the machines of tests are small and shared. A document that takes this long has failed.
DEADLINE_S = 300.0
FILES = ("python", "make", "snakemake")

_BLOCK = re.compile(
    r"^(?:<!-- (?:not run: (?P<why>[^\n]*?)|needs (?P<needs>\S+)) -->\n)?"
    r"^```(?P<language>\w*)\n(?P<content>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_NAME = re.compile(r"# ([\w./-]+)\n")
_MARK = "\x1e"
_STATUS = re.compile(rf"{_MARK}(\d+) (\d+)\n")
_LOOK_EVERY_S = 0.1
_HEREDOC = "END_OF_THE_BLOCK"


@dataclass(frozen=True)
class Block:
    """One block of a document: ``line`` is where it begins, ``not_run`` why it is left out, ``needs`` a program."""

    line: int
    language: str
    content: str
    not_run: str | None = None
    needs: str | None = None

    @property
    def name(self) -> str | None:
        """The file that the block is, None when it is no file."""
        found = _NAME.match(self.content) if self.language in FILES else None
        return found.group(1) if found else None

    @property
    def is_run(self) -> bool:
        is_possible = self.needs is None or shutil.which(self.needs) is not None
        return self.not_run is None and is_possible and (self.language in ("sh", "python") or self.name is not None)

    def script(self) -> str:
        """Write what a shell does for this block."""
        if self.language == "sh":
            return self.content
        target = f"cat > {shlex.quote(self.name)}" if self.name else "python -"
        return f"{target} <<'{_HEREDOC}'\n{self.content}{_HEREDOC}\n"


@dataclass(frozen=True)
class Outcome:
    """What a block printed and the exit status of its last command."""

    block: Block
    expected: str | None
    printed: str
    status: int


def blocks_of(text: str) -> list[Block]:
    """Give all blocks of a document in their order."""
    return [
        Block(
            line=text.count("\n", 0, found.start()) + 1,
            language=found["language"],
            content=found["content"],
            not_run=found["why"],
            needs=found["needs"],
        )
        for found in _BLOCK.finditer(text)
    ]


def walk(blocks: Sequence[Block], *, folder: Path, environment: Mapping[str, str]) -> list[Outcome]:
    """Run the blocks in one shell and give the outcome of each that is run."""
    run = [(index, block) for index, block in enumerate(blocks) if block.is_run]
    script = folder / "walkthrough.sh"
    script.write_text("".join(_framed(index, block) for index, block in run), encoding="utf-8")
    printed = _on_terminal(["bash", str(script)], folder=folder, environment=environment)
    pieces = _pieces(printed)
    missing = [block.line for index, block in run if index not in pieces]
    assert not missing, f"the blocks at the lines {missing} did not come to an end:\n{printed}"
    return [
        Outcome(block=block, expected=_expected(blocks, index), printed=pieces[index][0], status=pieces[index][1])
        for index, block in run
    ]


def matches(expected: str, printed: str) -> bool:
    """Tell whether a text is what was expected, apart from what differs each time.

    ``…`` is anything in a line, a line of it any number of lines. A job's id stands for any, and so do a time, a
    duration, a size, a number with a point, and a number of three or more digits unless all of them are 0 and 1, which
    is an outcome. White space is as good as other white space.
    """
    lines = [" ".join(line.split()) for line in expected.strip("\n").splitlines()]
    pattern = "".join(r"(?:.*\n)*?" if line == "…" else f"{_line_pattern(line)} ?\n" for line in lines)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", printed)
    shown = "".join(f"{' '.join(line.split())}\n" for line in plain.strip("\n").splitlines())
    return re.fullmatch(pattern, shown) is not None


_DURATION = r"(?:\d+(?:\.\d+)?(?:ms|d|h|m|s))+"
_VARIABLE = {
    "id": r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
    "time": r"\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z",
    "duration": rf"\b{_DURATION}\b",
    "size": r"\b\d+(?:\.\d+)? (?:bytes|[KMG]iB)\b",
    "short": r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8}\b",
    "outcome": r"\b[01]{3,}\b",
    "decimal": r"\b\d+\.\d+\b",
    "number": r"\b\d{3,}\b",
    "bar": r"[█▉▊▋▌▍▎▏]+",
    "any": "…",
}
_TOKEN = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _VARIABLE.items()))
# What another run may print in the place of each.
_OTHERS = {
    **_VARIABLE,
    "short": r"[0-9a-f]{8,}",
    "decimal": r"\d+(?:\.\d+)?",
    "number": r"\d+",
    "any": ".*",
}


def _line_pattern(line: str) -> str:
    parts, position = [], 0
    for found in _TOKEN.finditer(line):
        kind = str(found.lastgroup)
        other = re.escape(found.group()) if kind == "outcome" else _OTHERS[kind]
        parts += [re.escape(line[position : found.start()]), other]
        position = found.end()
    return "".join([*parts, re.escape(line[position:])])


def _framed(index: int, block: Block) -> str:
    frame = f"printf '\\036%d %d\\n' {index}"
    return f"{frame} 0\n{block.script()}{frame} $?\n"


def _pieces(printed: str) -> dict[int, tuple[str, int]]:
    """Give what stands between the two marks of each block, and the status that the second has."""
    marks = list(_STATUS.finditer(printed))
    return {
        int(end[1]): (printed[begin.end() : end.start()], int(end[2]))
        for begin, end in pairwise(marks)
        if begin[1] == end[1]
    }


def _expected(blocks: Sequence[Block], index: int) -> str | None:
    following = blocks[index + 1] if index + 1 < len(blocks) else None
    return following.content if following is not None and following.language == "text" else None


def _on_terminal(command: Sequence[str], *, folder: Path, environment: Mapping[str, str]) -> str:
    """Run a program whose stdout and stderr are one terminal that knows no colours."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**environment, "TERM": "dumb"},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        return b"".join(_read(ours, process)).decode("utf-8", errors="replace").replace("\r\n", "\n")
    finally:
        os.close(ours)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _read(descriptor: int, process: subprocess.Popen[bytes]) -> Iterator[bytes]:
    deadline_s = time.monotonic() + DEADLINE_S
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while time.monotonic() < deadline_s:
            # Looked at first: what the process printed before its end is there to be read then.
            has_ended = process.poll() is not None
            if selector.select(_LOOK_EVERY_S):
                part = b""
                with contextlib.suppress(OSError):  # Linux's end of a terminal
                    part = os.read(descriptor, 65536)
                if not part:
                    return
                yield part
            elif has_ended:
                return
