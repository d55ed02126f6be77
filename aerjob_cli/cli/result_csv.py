"""Results as CSV (RFC 4180: UTF-8, CRLF, quotes where they are needed): counts, or the elements of arrays."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from aerjob_cli.api.client import Client
from aerjob_cli.api.stored_arrays import StoredArray
from aerjob_cli.cli.array_views import content_of, load_array
from aerjob_cli.cli.chosen_arrays import arrays_meant
from aerjob_cli.cli.outcomes import StoredOutcome, damage_told
from aerjob_cli.store.records import JobRecord

_EXPERIMENT_HEADER = ("job_id", "experiment", "name")
_COUNTS_HEADER = (*_EXPERIMENT_HEADER, "outcome", "count", "probability")
_ARRAYS_HEADER = (*_EXPERIMENT_HEADER, "array")
# Rows written together: some hundred KiB.
_ROWS = 4096

Row = Sequence[object]
# Jobs, each with its results.
Found = Sequence[tuple[JobRecord, Sequence[StoredOutcome]]]


def counts_csv(found: Found, *, top: int | None) -> Iterator[bytes]:
    """Write a row for each outcome of each experiment, the most frequent first; only the ``top`` first of each."""
    names = _parameters_of(outcome for _, outcomes in found for outcome in outcomes)
    header = (*_COUNTS_HEADER[:3], *names, *_COUNTS_HEADER[3:])
    return _written(header, _count_rows(found, top, names))


def expectations_csv(found: Found) -> Iterator[bytes]:
    """Write a row for each value that an estimator found, in the order of their indices.

    A value with fewer indices than others leaves its last ones empty.
    """
    everything = [(job, outcome) for job, outcomes in found for outcome in outcomes]
    axes = max((len(value.index) for _, outcome in everything for value in outcome.expectations or ()), default=0)
    names = _parameters_of(outcome for _, outcome in everything)
    header = (*_EXPERIMENT_HEADER, *names, *(f"index_{axis}" for axis in range(axes)), "value", "std")

    def rows() -> Iterator[Row]:
        for job, outcome in everything:
            start = (job.job_id, outcome.index, outcome.name, *_values_of(outcome, names))
            for value in outcome.expectations or ():
                yield (*start, *value.index, *[""] * (axes - len(value.index)), value.value, value.std)

    return _written(header, rows())


def arrays_csv(
    client: Client, job: JobRecord, outcomes: Sequence[StoredOutcome], *, name: str | None, top: int | None
) -> Iterator[bytes]:
    """Write a row for each element of all arrays, or those of that name, in the order of their indices.

    With ``top`` the largest elements of each array, the largest first. An array with fewer axes than others leaves its
    last indices empty. Raises ``NoArray`` and ``PayloadDamaged``.
    """
    meant = arrays_meant(job, outcomes, name)
    with damage_told(client, job):
        axes = max(len(content_of(array, qubits=outcome.qubits, listed=None).shape) for outcome, array in meant)
    names = _parameters_of(outcomes)
    header = (
        *_ARRAYS_HEADER[:3],
        *names,
        *_ARRAYS_HEADER[3:],
        *(f"index_{axis}" for axis in range(axes)),
        "real",
        "imag",
    )

    def rows() -> Iterator[Row]:
        for outcome, array in meant:
            start = (job.job_id, outcome.index, outcome.name, *_values_of(outcome, names), array.name)
            with damage_told(client, job):
                for index, value in _elements(array) if top is None else _largest(outcome, array, top):
                    yield (*start, *index, *[""] * (axes - len(index)), *value)

    return _written(header, rows())


def _written(header: Row, rows: Iterable[Row]) -> Iterator[bytes]:
    left = chain([header], rows)
    while some := list(islice(left, _ROWS)):
        file = io.StringIO(newline="")
        csv.writer(file, dialect="excel").writerows(some)
        yield file.getvalue().encode("utf-8", errors="backslashreplace")


def _parameters_of(outcomes: Iterable[StoredOutcome]) -> tuple[str, ...]:
    """Name the parameters of all experiments, in their order; each has a column of its own."""
    return tuple(dict.fromkeys(name for outcome in outcomes for name in outcome.parameters))


def _values_of(outcome: StoredOutcome, names: Sequence[str]) -> list[object]:
    return [outcome.parameters.get(name, "") for name in names]


def _count_rows(found: Found, top: int | None, names: Sequence[str]) -> Iterator[Row]:
    for job, outcomes in found:
        for outcome in outcomes:
            counts = outcome.counts or {}
            total = sum(counts.values()) or 1
            for bits, count in islice(counts.items(), top):
                yield job.job_id, outcome.index, outcome.name, *_values_of(outcome, names), bits, count, count / total


def _largest(outcome: StoredOutcome, array: StoredArray, top: int) -> Iterator[tuple[Row, Row]]:
    largest = content_of(array, qubits=outcome.qubits, listed=top).largest
    for element in () if largest is None else largest.elements:
        yield element.index, (element.value.real, element.value.imag)


def _elements(stored: StoredArray) -> Iterator[tuple[Row, Row]]:
    import numpy as np

    array = load_array(stored)
    flat = array.reshape(-1)
    for start in range(0, flat.size, _ROWS):
        part = flat[start : start + _ROWS]
        places = np.arange(start, start + part.size)
        # An array without axes has one element, and no index.
        axes = [axis.tolist() for axis in np.unravel_index(places, array.shape)] if array.shape else []
        index = zip(*axes, strict=True) if axes else [()]
        if part.dtype.kind == "c":
            value = zip(part.real.tolist(), part.imag.tolist(), strict=True)
        else:
            value = zip(part.tolist(), [0 if part.dtype.kind in "biuf" else ""] * part.size, strict=True)
        yield from zip(index, value, strict=True)
