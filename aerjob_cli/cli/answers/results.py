"""Answers that consist of results: counts, arrays, and whatever else a simulator gave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from itertools import islice
from typing import Any, ClassVar

from aerjob_cli.cli.answers.arrays import ArrayContent
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.expectations import Expectations
from aerjob_cli.cli.answers.jobs import job_json
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.codec.observables import Estimation
from aerjob_cli.frozen import dataclass
from aerjob_cli.states import Status
from aerjob_cli.store.records import JobRecord

_TOLD_OF = 3  # experiments of which it is said what is not shown


@dataclass(frozen=True, kw_only=True)
class ExperimentOutcome:
    """One experiment's outcome.

    ``counts`` have bit strings as Qiskit's ``get_counts``, most frequent first; None where the simulator gave none.
    ``parameters`` are the values that its circuit had. ``arrays`` are all that belong to it, ``data`` is everything
    else (complex numbers as [real, imaginary], an array within as {"array": its name}), and ``summaries`` says of data
    in a few words what it is. ``expectations`` are what an estimator found, None for anything else.
    """

    index: int
    name: str
    shots: int
    seed: int
    counts: Mapping[str, int] | None
    memory: tuple[str, ...] | None = None
    arrays: tuple[ArrayContent, ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    summaries: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, float] = field(default_factory=dict)
    expectations: Expectations | None = None

    @property
    def title(self) -> str:
        """Say which experiment it is."""
        values = "".join(f", {name} = {value:.6g}" for name, value in self.parameters.items())
        if self.expectations is not None:
            return clean(f"{self.name}: {self.expectations.title}, seed {self.seed}{values}")
        return clean(f"{self.name}: {self.shots} {'shot' if self.shots == 1 else 'shots'}, seed {self.seed}{values}")

    @property
    def shown_arrays(self) -> tuple[ArrayContent, ...]:
        """Give the arrays whose largest elements are listed."""
        return tuple(array for array in self.arrays if array.largest is not None)

    def as_json(self, *, top: int | None) -> dict[str, Any]:
        content: dict[str, Any] = {"index": self.index, "name": self.name, "shots": self.shots, "seed": self.seed}
        if self.parameters:
            content["parameters"] = dict(self.parameters)
        content["counts"] = None if self.counts is None else dict(islice(self.counts.items(), top))
        if top is not None and self.counts is not None:
            content["left_out"] = dict(zip(("outcomes", "count"), self.counts_left_out(top), strict=True))
        if self.memory is not None:
            content["memory"] = list(self.memory)
        if self.expectations is not None:
            content["expectation_values"] = self.expectations.as_json()
        if self.arrays:
            content["arrays"] = [array.as_json(with_elements=top is not None) for array in self.arrays]
        if self.data:
            content["data"] = dict(self.data)
        return content

    def lines(self, *, top: int | None) -> Iterator[str]:
        """Give the counts, then the arrays, then the rest; each with a heading when there is more than one."""
        counts = [f"{bits}\t{count}" for bits, count in islice((self.counts or {}).items(), top)]
        blocks = [("counts", counts)] if counts else []
        if self.expectations is not None:
            blocks.append((self.expectations.title, list(self.expectations.lines())))
        blocks += [(array.title, list(array.lines())) for array in self.shown_arrays]
        if self.summaries:
            blocks.append(("data", [f"{clean(key)}\t{clean(text)}" for key, text in self.summaries.items()]))
        for heading, lines in blocks:
            yield from [f"# {heading}"] if len(blocks) > 1 else []
            yield from lines

    def counts_left_out(self, top: int | None) -> tuple[int, int]:
        """Give how many outcomes are beyond the ``top`` most frequent ones, and how often they came."""
        rest = () if top is None else tuple(islice((self.counts or {}).values(), top, None))
        return len(rest), sum(rest)

    def left_out(self, top: int | None) -> Iterator[str]:
        """Say what is not shown when only the ``top`` outcomes are."""
        outcomes, count = self.counts_left_out(top)
        if outcomes:
            share = 100 * count / (sum((self.counts or {}).values()) or 1)
            noun = "outcome" if outcomes == 1 else "outcomes"
            yield f"and {outcomes} rarer {noun}, counted {count} times ({share:.1f} %)"
        yield from filter(None, (array.left_out() for array in self.shown_arrays))


@dataclass(frozen=True, kw_only=True)
class JobResult(Answer):
    """The result of one job, or a part of it. ``top`` is how many outcomes are wanted, None for all.

    ``has_headings`` says that the lines name the experiments, since there are, or will be, several. ``estimation`` is
    what was asked about the circuits of files, None where they were counted.
    """

    screen: ClassVar[str | None] = "results"

    job: JobRecord
    experiments: tuple[ExperimentOutcome, ...]
    top: int | None = None
    has_headings: bool = False
    estimation: Estimation | None = None

    def content(self) -> dict[str, Any]:
        asked = {} if self.estimation is None else {"observables": _observables_json(self.estimation)}
        return {
            "job_id": self.job.job_id,
            # Of the job, whatever part of its result was asked for.
            "complete": self.job.status is Status.DONE,
            **asked,
            "experiments": [item.as_json(top=self.top) for item in self.experiments],
        }

    def lines(self, *, is_alone: bool = True) -> Iterator[str]:
        for experiment in self.experiments:
            if self.has_headings or not is_alone:
                yield f"# {self.job.job_id} {experiment.title}"
            yield from experiment.lines(top=self.top)

    def left_out(self) -> tuple[str, ...]:
        """Say what the lines leave out; they are for programs and do not say it themselves."""
        sentences = (
            f"{experiment.title}: {sentence}"
            for experiment in self.experiments
            for sentence in experiment.left_out(self.top)
        )
        told = list(islice(sentences, _TOLD_OF))
        if others := sum(1 for _ in sentences):
            told.append(f"and as much of {others} other experiments")
        return tuple(f"{sentence}; `aerjob result` gives more with --top" for sentence in told)


def _observables_json(estimation: Estimation) -> list[dict[str, Any]]:
    return [{"pauli": label, "coefficient": coefficient} for label, coefficient in estimation.terms]


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
