"""Answers that consist of measured counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.jobs import job_json
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.store.records import JobRecord


@dataclass(frozen=True)
class ExperimentCounts:
    """One experiment's outcome: bit strings as Qiskit's ``get_counts``, most frequent first."""

    name: str
    shots: int
    seed: int
    counts: dict[str, int]
    memory: tuple[str, ...] | None

    def as_json(self) -> dict[str, Any]:
        content: dict[str, Any] = {"name": self.name, "shots": self.shots, "seed": self.seed, "counts": self.counts}
        return content if self.memory is None else content | {"memory": list(self.memory)}


@dataclass(frozen=True, kw_only=True)
class JobResult(Answer):
    """The result of one job."""

    screen: ClassVar[str | None] = "results"

    job: JobRecord
    experiments: tuple[ExperimentCounts, ...]

    def content(self) -> dict[str, Any]:
        return {"job_id": self.job.job_id, "experiments": [item.as_json() for item in self.experiments]}

    def lines(self, *, is_alone: bool = True) -> Iterator[str]:
        for experiment in self.experiments:
            if not is_alone or len(self.experiments) > 1:
                heading = f"{experiment.name}: {experiment.shots} shots, seed {experiment.seed}"
                yield f"# {self.job.job_id} {clean(heading)}"
            yield from (f"{bits}\t{count}" for bits, count in experiment.counts.items())


@dataclass(frozen=True, kw_only=True)
class RunResults(Answer):
    """The jobs of a run, each with its result as far as it has one."""

    screen: ClassVar[str | None] = "results"

    results: tuple[JobResult, ...]

    def content(self) -> dict[str, Any]:
        return {"jobs": [job_json(result.job) | result.content() for result in self.results]}

    def lines(self) -> Iterator[str]:
        for result in self.results:
            yield from result.lines(is_alone=len(self.results) == 1)
