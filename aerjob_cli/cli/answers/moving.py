"""What came of moving jobs from one store to another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.plurals import count_of
from aerjob_cli.cli.sizes import show_size
from aerjob_cli.frozen import dataclass


@dataclass(frozen=True, kw_only=True)
class Exported(Answer):
    """A bundle that has been written; ``file`` is its name for people."""

    file: str
    size_bytes: int
    job_ids: tuple[str, ...]

    def content(self) -> dict[str, Any]:
        return {"file": self.file, "size_bytes": self.size_bytes, "job_ids": list(self.job_ids)}

    def lines(self) -> Iterator[str]:
        yield f"{count_of(len(self.job_ids), 'job')} in {self.file}, {show_size(self.size_bytes)}"


@dataclass(frozen=True, kw_only=True)
class Imported(Answer):
    """Jobs that have come in, with ``dry_run`` those that would; and those that were here before, the same."""

    file: str
    job_ids: tuple[str, ...]
    skipped: tuple[str, ...]
    dry_run: bool = False

    def content(self) -> dict[str, Any]:
        return {
            "dry_run": self.dry_run,
            "file": self.file,
            "job_ids": list(self.job_ids),
            "skipped": list(self.skipped),
        }

    def lines(self) -> Iterator[str]:
        yield from self.job_ids

    def essence(self) -> tuple[str, ...]:
        return () if self.dry_run else tuple(f"job {job_id} is imported" for job_id in self.job_ids)
