"""Jobs that were run once more, and whether they gave the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aerjob_cli.api.comparison import Comparison, Condition, Difference, Verdict
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.jobs import job_json
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.frozen import dataclass
from aerjob_cli.states import Status
from aerjob_cli.store.records import JobRecord

_SAID = {
    Verdict.IDENTICAL: "identical",
    Verdict.DIFFERS: "differs",
    Verdict.NOT_COMPARED: "not compared",
}


@dataclass(frozen=True)
class Verified:
    """A job, the one that repeats it, and what comparing them gave; None while the latter has not ended."""

    job: JobRecord
    again: JobRecord
    comparison: Comparison | None

    @property
    def verdict(self) -> Verdict:
        return Verdict.NOT_COMPARED if self.comparison is None else self.comparison.verdict


@dataclass(frozen=True, kw_only=True)
class Verifications(Answer):
    """What came of repeating jobs."""

    verified: tuple[Verified, ...]

    def content(self) -> dict[str, Any]:
        return {"verifications": [_content(item) for item in self.verified]}

    def lines(self) -> Iterator[str]:
        for item in self.verified:
            yield f"{item.job.job_id}\t{item.again.job_id}\t{_SAID[item.verdict]}"
            if item.comparison is not None:
                yield from (f"# {_difference(difference)}" for difference in item.comparison.differences)


def remarks_on(item: Verified) -> Iterator[str]:
    """Say what is no difference of the results, and good to know: how much was compared, and what it ran with."""
    comparison = item.comparison
    if comparison is None or comparison.verdict is Verdict.NOT_COMPARED:
        return
    if comparison.identical and comparison.second.status is Status.ERROR:
        yield f"{item.again.job_id} ended as before, in ERROR, {comparison.second.reason}"
    told = {difference.experiment for difference in comparison.differences} - {None}
    if more := comparison.experiments_differing - len(told):
        yield f"{item.again.job_id}: {more} more experiments differ"
    conditions = [condition for condition in comparison.conditions if None not in (condition.first, condition.second)]
    if conditions:
        yield f"{item.again.job_id} ran otherwise than before: {', '.join(map(_condition, conditions))}"
    elif comparison.conditions:
        yield f"nobody has noted what {item.job.job_id} ran with"


def _content(item: Verified) -> dict[str, Any]:
    comparison = item.comparison
    return {
        "job_id": item.job.job_id,
        "again": job_json(item.again) | {"retry_of": item.again.retry_of},
        "outcome": item.verdict,
        "experiments_compared": None if comparison is None else comparison.experiments_compared,
        "experiments_differing": None if comparison is None else comparison.experiments_differing,
        "differences": [] if comparison is None else [_difference_json(each) for each in comparison.differences],
        "conditions": [] if comparison is None else [_condition_json(each) for each in comparison.conditions],
    }


def _difference_json(difference: Difference) -> dict[str, Any]:
    largest = difference.largest
    return {
        "experiment": difference.experiment,
        "what": difference.what,
        "name": difference.name,
        # JSON has no infinity.
        "largest": None if largest is None or largest == float("inf") else largest,
        "message": difference.message,
    }


def _condition_json(condition: Condition) -> dict[str, Any]:
    return {"what": condition.what, "first": condition.first, "second": condition.second}


def _difference(difference: Difference) -> str:
    subject = "" if difference.experiment is None else f"experiment {difference.experiment}, "
    return clean(f"{subject}{difference.what}: {difference.message}")


def _condition(condition: Condition) -> str:
    return f"{condition.what} {condition.second}, and not {condition.first}"
