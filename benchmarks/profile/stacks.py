"""Stacks that a sampler has seen, and which part of aerjob, and which library, each of them was in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.profile.table import Row, Table

_FRAME = re.compile(r"^(?P<function>.*) \((?P<file>.*?)(:\d+)?\)$")
_BEGIN_OF_A_THREAD = "Thread._bootstrap"
_SHOWN = 24


@dataclass(frozen=True)
class Frame:
    """A function that was running, and the file it is in, from its package on."""

    function: str
    file: str

    @classmethod
    def of(cls, text: str) -> Frame:
        """Read a frame as py-spy writes it: ``function (path/to/file.py:12)``."""
        found = _FRAME.match(text)
        return cls(text, "") if found is None else cls(found["function"], found["file"])

    @property
    def is_ours(self) -> bool:
        return "aerjob_cli/" in self.file

    @property
    def library(self) -> str:
        """The package that the file belongs to; modules of Python's own are called by their names."""
        _, found, inside = self.file.rpartition("site-packages/")
        parts = (inside if found else self.file.rpartition("/")[2]).split("/")
        return parts[0].removesuffix(".py") or self.function


def parse(lines: Iterable[str]) -> Counter[tuple[Frame, ...]]:
    """Read collapsed stacks: frames from the outermost to the innermost, separated by semicolons, and a count.

    Only the main thread's are kept, which waits while a thread of Aer's runs.
    """
    stacks: Counter[tuple[Frame, ...]] = Counter()
    for line in lines:
        text, _, count = line.strip().rpartition(" ")
        stack = tuple(Frame.of(frame) for frame in text.split(";"))
        if text and stack[0].function != _BEGIN_OF_A_THREAD:
            stacks[stack] += int(count)
    return stacks


def where(stack: tuple[Frame, ...]) -> str:
    """Name the innermost function of aerjob in a stack, and the library it had called, if any."""
    innermost = stack[-1]
    ours = next((frame for frame in reversed(stack) if frame.is_ours), None)
    if ours is None:
        return innermost.library
    place = f"{ours.file.rpartition('aerjob_cli/')[2]} {ours.function}"
    return place if innermost.is_ours else f"{place} → {innermost.library}"


def table_of(title: str, stacks: Counter[tuple[Frame, ...]], *, seconds: float, jobs: int) -> Table:
    """Say where a process was, in µs for each job; places with little of it are put together."""
    total = sum(stacks.values())
    places: Counter[str] = Counter()
    for stack, count in stacks.items():
        places[where(stack)] += count
    shown = places.most_common(_SHOWN)
    rest = total - sum(count for _, count in shown)
    return Table(
        title,
        "µs",
        tuple(
            Row(place, 1e6 * seconds * count / total / jobs, count / total)
            for place, count in [*shown, ("elsewhere", rest)]
            if count
        ),
    )
