"""Where the jobs of a group are, all together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from aerjob_cli.api.group_progress import GroupProgress
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.cli.durations import show_rounded
from aerjob_cli.cli.plurals import count_of
from aerjob_cli.frozen import dataclass


@dataclass(frozen=True, kw_only=True)
class GroupState(Answer):
    """A group and how far it is, in one row."""

    screen: ClassVar[str | None] = "groups"

    progress: GroupProgress

    def content(self) -> dict[str, Any]:
        far = self.progress
        return {
            "group": {
                "name": far.sums.name,
                "status": far.status,
                "jobs_total": far.jobs_total,
                "jobs_ended": far.jobs_ended,
                "jobs": {status.lower(): count for status, count in far.sums.jobs.items()},
                "experiments_done": far.sums.experiments_done,
                "experiments_total": far.sums.experiments_total,
                "elapsed_s": far.elapsed_s,
                "eta_s": far.eta_s,
            }
        }

    def lines(self) -> Iterator[str]:
        yield "\t".join((clean(self.progress.sums.name), self.progress.status, *self.figures()))

    def figures(self) -> tuple[str, ...]:
        """Give the jobs that have ended of all, the experiments done of all, the jobs by state, and the times."""
        far = self.progress
        total = far.sums.experiments_total
        return (
            f"{far.jobs_ended}/{count_of(far.jobs_total, 'job')}",
            f"{far.sums.experiments_done}/{'?' if total is None else total} experiments",
            ", ".join(f"{count} {status}" for status, count in far.sums.jobs.items() if count),
            ", ".join(self._times()),
        )

    def _times(self) -> Iterator[str]:
        far = self.progress
        if far.elapsed_s is None:
            yield "has not begun"
        else:
            yield f"{'ran' if far.jobs_ended == far.jobs_total else 'runs'} for {show_rounded(far.elapsed_s)}"
        if far.eta_s is not None:
            yield f"about {show_rounded(far.eta_s)} left"
