"""The completion scripts in real shells: bash always, zsh and fish where they are installed."""

from __future__ import annotations

import os
import pty
import re
import select
import shlex
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from aerjob_cli.cli.overview import VERBS
from aerjob_cli.store.records import JobRecord
from tests.cli.conftest import Put
from tests.support.command_line import CommandLine

DEADLINE_S = 60.0
SHOW_LINE = "\x14"  # Ctrl-T, bound below to show the line that is being typed, and to take it away

BASHRC = r"""
source <(aerjob completion bash)
bind 'set bell-style none'
bind -x '"\C-t": echo "LINE<$READLINE_LINE>"; READLINE_LINE='
PS1='NEXT: '
"""
ZSHRC = r"""
autoload -Uz compinit; compinit -D -u
source <(aerjob completion zsh)
show-line() { zle -I; print -r -- "LINE<$BUFFER>"; BUFFER= }
zle -N show-line; bindkey '^T' show-line
unsetopt PROMPT_SP BEEP; PS1='NEXT: '
"""


@pytest.fixture
def job(idle: CommandLine, put: Put) -> JobRecord:
    put(name="other", tags=("two words",))
    return put(name="bell $(touch made) `touch made`", tags=("a:b", "a:c=1"))


@pytest.fixture
def environment(idle: CommandLine, tmp_path: Path) -> dict[str, str]:
    """An environment whose PATH leads to this `aerjob`, on the private store, and which has nobody's settings."""
    programs = tmp_path / "programs"
    programs.mkdir()
    program = programs / "aerjob"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(idle.command())} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    places = {"HOME": str(tmp_path), "ZDOTDIR": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    return idle.environment({"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", **places})


def installed(shell: str) -> str:
    """Give the path of a shell, or skip the test."""
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"{shell} is not installed")
    return path


BASH_CASES = [
    (["stat"], ["status"]),
    (["submit", "--sho"], ["--shots"]),
    (["worker", "sta"], ["start", "status"]),
    (["list", "--tag", "two"], ["two\\ words"]),
    (["list", "--tag", '"two'], ["two words"]),
    # Bash breaks words at "=" and ":", and replaces only what is behind them.
    (["list", "--tag", "=", "tw"], ["two\\ words"]),
    (["list", "--tag", "a", ":", "b"], ["b"]),
    (["list", "--tag", "a", ":", "c", "="], ["1"]),
    (["submit", "--backend", "qasm"], ["qasm_simulator"]),
    (["submit", "--method", "stab"], ["stabilizer"]),
    (["submit", "--option", "fusion_en"], ["fusion_enable="]),
    (["submit", "--option", "fusion_enable", "="], ["true", "false"]),
    (["list", "--status", "can"], ["CANCELLED"]),
    (["no-such-verb", ""], []),
]


def test_bash(job: JobRecord, environment: dict[str, str]) -> None:
    cases = [*BASH_CASES, (["wait", job.job_id[:7]], [job.job_id]), (["wait", "la"], ["last"])]
    lines = ["set -u; source <(aerjob completion bash)"]
    for words, _ in cases:
        lines.append(f"COMP_WORDS=({shlex.join(['aerjob', *words])}); COMP_CWORD={len(words)}; COMPREPLY=(old)")
        lines.append('_aerjob aerjob; printf "%s\\n" "${COMPREPLY[@]}" ==')
    done = subprocess.run(
        [installed("bash"), "-c", "\n".join(lines)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert answers(done.stdout) == [expected for _, expected in cases]


def answers(output: str) -> list[list[str]]:
    """Give the lines before each line ``==``."""
    parts: list[list[str]] = [[]]
    for line in output.splitlines():
        if line == "==":
            parts.append([])
        else:
            parts[-1].append(line)
    assert parts.pop() == []
    return parts


@pytest.mark.parametrize(
    ("shell", "settings", "arguments"),
    [("bash", BASHRC, ("--noprofile", "--rcfile", ".zshrc", "-i")), ("zsh", ZSHRC, ("-d", "-i"))],
)
def test_while_typing(
    job: JobRecord,
    environment: dict[str, str],
    tmp_path: Path,
    shell: str,
    settings: str,
    arguments: tuple[str, ...],
) -> None:
    (tmp_path / ".zshrc").write_text(settings, encoding="utf-8")
    (tmp_path / "file.qasm").touch()
    typed = {
        "aerjob stat\t": "aerjob status ",
        f"aerjob status {job.job_id[:8]}\t": f"aerjob status {job.job_id} ",
        "aerjob list --tag two\t": "aerjob list --tag two\\ words ",
        "aerjob list --tag=a:b\t": "aerjob list --tag=a:b ",
        "aerjob list --status don\t": "aerjob list --status DONE ",
        "aerjob list --name be\t": "aerjob list --name bell\\ \\$\\(touch\\ made\\)\\ \\`touch\\ made\\` ",
        "aerjob submit --option fusion_en\t": "aerjob submit --option fusion_enable=",
        "aerjob submit fi\t": "aerjob submit file.qasm ",
    }
    with _Terminal([installed(shell), *arguments], environment, tmp_path) as terminal:
        terminal.read_until("NEXT: ")
        for keys, expected in typed.items():
            terminal.type(f"{keys}{SHOW_LINE}")
            (line,) = terminal.read_until(r"LINE<(.*)>\s+NEXT: ").groups()
            assert line == expected
    assert not (tmp_path / "made").exists()


def test_fish(job: JobRecord, environment: dict[str, str], tmp_path: Path) -> None:
    cases = {
        "aerjob stat": f"status\t{VERBS['Look at jobs']['status']}",
        f"aerjob status {job.job_id[:8]}": f"{job.job_id}\tINITIALIZING bell $(touch made) `touch made`",
        "aerjob list --tag tw": "two words",
        "aerjob list --tag=a:b": "--tag=a:b",
        "aerjob list --status don": "DONE",
        "aerjob submit --option fusion_en": "fusion_enable=",
    }
    queries = "; ".join(f"complete --do-complete {shlex.quote(line)}; echo ==" for line in cases)
    done = subprocess.run(
        [installed("fish"), "--no-config", "-c", f"aerjob completion fish | source; {queries}"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert answers(done.stdout) == [[expected] for expected in cases.values()]
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_scripts_are_printed_as_they_are(aerjob: CommandLine, shell: str) -> None:
    done = aerjob("completion", shell)
    assert (done.returncode, done.stderr) == (0, "")
    value = aerjob.json("completion", shell)
    assert (value["shell"], value["script"]) == (shell, done.stdout)
    assert not aerjob.home.exists()


class _Terminal:
    """A program that has a terminal to itself."""

    def __init__(self, command: list[str], environment: Mapping[str, str], folder: Path) -> None:
        self._master, slave = pty.openpty()
        self._read = ""
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=folder,
            env={**environment, "TERM": "dumb", "COLUMNS": "400"},
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self) -> _Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def read_until(self, pattern: str) -> re.Match[str]:
        """Read what the program shows until it has this; what comes after it is kept for the next time."""
        deadline_s = time.monotonic() + DEADLINE_S
        while (found := re.search(pattern, self._read)) is None:
            assert time.monotonic() < deadline_s, self._read
            if select.select([self._master], [], [], 1.0)[0]:
                self._read += os.read(self._master, 4096).decode()
        self._read = self._read[found.end() :]
        return found
