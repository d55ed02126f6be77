"""Are the results of two jobs the same? If not, what differs, and what was not the same when they ran.

Equal results have equal bytes, so that the checksums in the rows decide. Bytes are only read where these differ, and
never those of a large result or array as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from aerjob_cli.api.client import Client
from aerjob_cli.api.provenance import read_provenance
from aerjob_cli.api.pruned import require_kept
from aerjob_cli.codec.result_differences import result_differences
from aerjob_cli.codec.results import decode_experiment
from aerjob_cli.errors import JobNotFound, PayloadDamaged
from aerjob_cli.frozen import dataclass
from aerjob_cli.states import Part, Status
from aerjob_cli.store import events, experiments, jobs, objects
from aerjob_cli.store.records import JobRecord, RanExperiment

if TYPE_CHECKING:
    from sqlalchemy import Connection

# So many experiments that differ are looked into; that others do is counted.
_LOOKED_INTO = 20
_JSON_LIMIT_BYTES = 64 * 2**20

# What a job ran with: for each name the values of its attempts and experiments.
_Conditions = dict[str, set[str]]


class Verdict(StrEnum):
    """What came of a comparison."""

    IDENTICAL = "identical"
    DIFFERS = "differs"
    # One of the jobs was cancelled.
    NOT_COMPARED = "not_compared"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which the results differ.

    ``experiment`` counts from 0, None for the job as a whole. ``what``: ``status``, ``reason``, ``experiments`` of the
    job; ``counts``, ``memory``, ``array``, ``data``, ``metadata`` or another key of an experiment's result.
    ``largest`` is the largest distance between elements of an array, infinite where only one is a number.
    """

    experiment: int | None
    what: str
    message: str
    name: str | None = None
    largest: float | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that was not the same when the jobs ran, such as a version; None where nobody told."""

    what: str
    first: str | None
    second: str | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The results of two jobs beside each other."""

    first: JobRecord
    second: JobRecord
    verdict: Verdict
    experiments_compared: int
    experiments_differing: int
    differences: tuple[Difference, ...]
    conditions: tuple[Condition, ...]

    @property
    def identical(self) -> bool:
        """Tell whether both ended alike and all results that can be compared are equal, to the bit."""
        return self.verdict is Verdict.IDENTICAL


def compare(client: Client, first: JobRecord, second: JobRecord) -> Comparison:
    """Compare two jobs that have ended; raises ``PayloadDamaged``, ``Pruned`` and ``JobNotFound``."""
    with client.store.reading_directly() as tx:
        first, second = (jobs.find(tx, job.job_id) for job in (first, second))
        for job in (first, second):
            require_kept(tx, job, Part.RESULTS)
        ones, others = (_conditions(tx, job) for job in (first, second))
        compared = differing = 0
        suspects: list[tuple[RanExperiment, RanExperiment]] = []
        for one, other in _pairs(tx, first, second):
            compared += 1
            _add(ones, one)
            _add(others, other)
            if _essence(one) != _essence(other):
                differing += 1
                suspects += [(one, other)] if len(suspects) < _LOOKED_INTO else []
    differences = [*_of_jobs(first, second, compared)]
    for one, other in suspects:
        differences += _of_experiment(client, (first, second), one, other)
    is_cancelled = Status.CANCELLED in (first.status, second.status)
    verdict = Verdict.DIFFERS if differences else Verdict.IDENTICAL
    return Comparison(
        first=first,
        second=second,
        verdict=Verdict.NOT_COMPARED if is_cancelled else verdict,
        experiments_compared=compared,
        experiments_differing=differing,
        differences=tuple(differences),
        conditions=tuple(
            Condition(what, _told(ones.get(what)), _told(others.get(what)))
            for what in sorted(ones.keys() | others.keys())
            if ones.get(what) != others.get(what)
        ),
    )


def _pairs(tx: Connection, first: JobRecord, second: JobRecord) -> Iterator[tuple[RanExperiment, RanExperiment]]:
    """Give what both jobs have a result of, in order."""
    ones, others = experiments.runs_of(tx, first.seq), experiments.runs_of(tx, second.seq)
    one, other = next(ones, None), next(others, None)
    while one is not None and other is not None:
        if one.position == other.position:
            yield one, other
            one, other = next(ones, None), next(others, None)
        elif one.position < other.position:
            one = next(ones, None)
        else:
            other = next(others, None)


def _essence(run: RanExperiment) -> tuple[object, ...]:
    arrays = tuple((array.name, array.format, array.sha256) for array in run.arrays)
    return run.format, run.sha256, arrays


def _of_jobs(first: JobRecord, second: JobRecord, compared: int) -> Iterator[Difference]:
    if first.status is not second.status:
        yield Difference(None, "status", f"{_ending(first)} in the one and {_ending(second)} in the other")
    elif first.reason is not second.reason:
        yield Difference(None, "reason", f"{first.reason} in the one and {second.reason} in the other")
    totals = {job.experiments_total or 0 for job in (first, second) if job.status is Status.DONE}
    if totals and first.status is second.status and totals != {compared}:
        yield Difference(None, "experiments", f"{compared} of {max(totals)} results are there in both")


def _ending(job: JobRecord) -> str:
    return str(job.status) if job.reason is None else f"{job.status} ({job.reason})"


def _of_experiment(
    client: Client, pair: tuple[JobRecord, JobRecord], one: RanExperiment, other: RanExperiment
) -> Iterator[Difference]:
    at = one.position
    if one.format != other.format:
        yield Difference(at, "format", f"{one.format} in the one and {other.format} in the other")
    elif one.sha256 != other.sha256:
        yield from _of_json(client, pair, one, other)
    arrays, others = ({array.name: array.sha256 for array in run.arrays} for run in (one, other))
    for name in sorted(arrays.keys() | others.keys()):
        if name not in arrays or name not in others:
            yield Difference(at, "array", f"{name} is in {'the one' if name in arrays else 'the other'} only", name)
        elif arrays[name] != others[name]:
            yield _of_array(client, pair, at, name)


def _of_json(
    client: Client, pair: tuple[JobRecord, JobRecord], one: RanExperiment, other: RanExperiment
) -> Iterator[Difference]:
    at = one.position
    if max(one.size_bytes, other.size_bytes) > _JSON_LIMIT_BYTES:
        yield Difference(at, "data", "the results are too large to be looked into; their checksums differ")
        return
    found = list(result_differences(*(_content(client, job, at) for job in pair)))
    for what, message in found:
        yield Difference(at, what, message)
    if not found:
        # The same values, set down otherwise: as by another aerjob.
        yield Difference(at, "form", "the values are the same, and not their bytes")


def _content(client: Client, job: JobRecord, at: int) -> dict[str, Any]:
    for stored in client.results(job, positions=[at]):
        try:
            return decode_experiment(stored.data)
        except ValueError as error:
            raise _unreadable(client, job, error) from error
    raise JobNotFound(job.job_id)  # deleted since


def _of_array(client: Client, pair: tuple[JobRecord, JobRecord], at: int, name: str) -> Difference:
    from aerjob_cli.codec.array_differences import array_difference

    with ExitStack() as stack:
        files = []
        for job in pair:
            with client.store.reading_directly() as tx:
                payload = experiments.array_of(tx, job.seq, at, name)
            if payload is None:  # deleted since
                raise JobNotFound(job.job_id)
            files.append(stack.enter_context(objects.opened(client.store.paths, payload)))
        try:
            found = array_difference(*files)
        except ValueError as error:
            raise _unreadable(client, pair[0], error) from error
    if isinstance(found, str):
        return Difference(at, "array", f"{name}: {found}", name)
    if not found.elements:
        return Difference(at, "array", f"{name}: the values are equal, and not their bits (as 0 and -0)", name, 0.0)
    by = "" if found.largest is None else f", by {found.largest:.3g} at most"
    message = f"{name}: {found.elements} of {found.elements_total} elements differ{by}"
    return Difference(at, "array", message, name, found.largest)


def _unreadable(client: Client, job: JobRecord, error: Exception) -> PayloadDamaged:
    fact = f"has a result of job {job.job_id} that cannot be read ({error})"
    return PayloadDamaged(client.settings.paths.database, fact, "upgrade aerjob, or restore it from a backup")


def _conditions(tx: Connection, job: JobRecord) -> _Conditions:
    found: _Conditions = {} if job.engine is None else {"engine": {job.engine}}
    for attempt in read_provenance(tx, job, events.history(tx, job.seq), with_experiments=False).attempts:
        for name, fact in (attempt.runtime or {}).items():
            found.setdefault(name, set()).add(fact)
    return found


def _add(found: _Conditions, experiment: RanExperiment) -> None:
    for name, fact in (("method", experiment.run.method), ("threads", experiment.run.threads)):
        if fact is not None:
            found.setdefault(name, set()).add(str(fact))


def _told(facts: set[str] | None) -> str | None:
    return None if facts is None else ", ".join(sorted(facts))
