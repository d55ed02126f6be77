"""What was removed of old jobs, and how much room that gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.plurals import count_of
from aerjob_cli.cli.sizes import show_size
from aerjob_cli.frozen import dataclass
from aerjob_cli.states import Part


@dataclass(frozen=True, kw_only=True)
class StorePruned(Answer):
    """Of how many jobs ``parts`` were removed, or would be; without any, the jobs as a whole."""

    parts: tuple[Part, ...]
    jobs: int
    # What the disk has again; for a rehearsal what is stored of them.
    freed_bytes: int | None = None
    stored_bytes: int | None = None
    is_rehearsal: bool = False

    def content(self) -> dict[str, Any]:
        return {
            "dry_run": self.is_rehearsal,
            "removed": list(self.parts) or ["jobs"],
            "jobs": self.jobs,
            "stored_bytes": self.stored_bytes,
            "freed_bytes": self.freed_bytes,
        }

    def lines(self) -> Iterator[str]:
        would = "would be " if self.is_rehearsal else ""
        jobs = count_of(self.jobs, "job")
        deed = f"{' and '.join(self.parts)} of {jobs} {would}removed" if self.parts else f"{jobs} {would}deleted"
        if self.is_rehearsal:
            yield f"{deed}; {show_size(self.stored_bytes or 0)} of circuits and results"
        else:
            freed = f"{show_size(self.freed_bytes)} freed" if self.freed_bytes else "the room is kept for new jobs"
            yield f"{deed}; {freed}"
