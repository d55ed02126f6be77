"""From the stored bytes of a result to what was measured, without Qiskit, and without NumPy where nothing needs it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import field, replace
from typing import Any

from aerjob_cli.api.client import Client, ExperimentBytes
from aerjob_cli.api.stored_arrays import StoredArray
from aerjob_cli.cli.answers.arrays import ArrayContent
from aerjob_cli.cli.answers.expectations import Expectation, Expectations
from aerjob_cli.cli.answers.results import ExperimentOutcome, JobResult
from aerjob_cli.cli.array_views import content_of, load_array
from aerjob_cli.cli.plain_data import array_name, plain, stabilizers, summary, tableau_name
from aerjob_cli.codec.counts import bit_counts, bit_memory
from aerjob_cli.codec.envelope import MARKED_EXPERIMENT_RESULT, PUB_RESULT, RESULT_FORMATS
from aerjob_cli.codec.observables import Estimation
from aerjob_cli.codec.pub_results import decode_pub_result
from aerjob_cli.codec.results import decode_experiment
from aerjob_cli.codec.sweeps import Sweep
from aerjob_cli.errors import PayloadDamaged
from aerjob_cli.frozen import dataclass
from aerjob_cli.states import Status
from aerjob_cli.store.records import JobRecord

# Of an array that may have billions, so many elements are told, and of counts so many on a screen.
ELEMENTS_LISTED = 32
# The generators of more qubits than these fill a screen.
_QUBITS_SPELLED_OUT = 12


@dataclass(frozen=True)
class StoredOutcome:
    """One experiment's result with its arrays still in the store.

    ``counts`` are bit strings, most frequent first, None where the simulator gave none. ``arrays_alone`` are the names
    of those arrays that are a result by themselves, and no part of one; ``data`` is everything else, as plain JSON.
    ``circuit`` is the place of its circuit in the job, ``parameters`` are the values that the circuit had, and
    ``expectations`` what an estimator found, None for anything else.
    """

    index: int
    name: str
    shots: int
    seed: int
    qubits: int
    counts: Mapping[str, int] | None
    memory: tuple[str, ...] | None
    data: Mapping[str, Any]
    arrays: tuple[StoredArray, ...]
    arrays_alone: frozenset[str]
    circuit: int = 0
    parameters: Mapping[str, float] = field(default_factory=dict)
    expectations: Sequence[Expectation] | None = None


def read_outcomes(client: Client, job: JobRecord, *, indices: Collection[int] | None = None) -> Iterator[StoredOutcome]:
    """Read all stored results of a job, or those of some experiments; of a job that is DONE none may be missing.

    Raises ``PayloadDamaged`` for what is not as it was stored, and ``JobNotFound`` for a job that was deleted.
    """
    # All first: while an answer is written somewhere, the database is not held open at an old state.
    stored = list(client.results(job, positions=indices))
    expected = list(range(job.experiments_total or 0)) if indices is None else sorted(set(indices))
    # One too many is no better than one too few: it has come from elsewhere.
    if job.status is Status.DONE and [item.position for item in stored] != expected:
        client.find(job.job_id)
        fact = f"has {len(stored)} of {len(expected)} results of job {job.job_id}"
        raise PayloadDamaged(client.settings.paths.database, fact, "restore it from a backup")
    sweep = client.sweep(job)
    points = None if sweep is None else sweep.over(_circuits_of(job, sweep))
    for item in stored:
        with damage_told(client, job):
            outcome = _outcome(job, item)
            if points is None:
                outcome = replace(outcome, circuit=item.position)
            else:
                circuit = points.circuit_of(item.position)
                outcome = replace(outcome, circuit=circuit, parameters=points.values_of(item.position))
        yield outcome


def read_result(
    client: Client,
    job: JobRecord,
    *,
    indices: Collection[int] | None = None,
    top: int | None = None,
    listed: int | None = ELEMENTS_LISTED,
) -> JobResult:
    """Read the result of a job for people and scripts; raises as ``read_outcomes``.

    ``listed`` is how many of an array's elements are told; None tells none, and needs no NumPy.
    """
    experiments = []
    with damage_told(client, job):
        estimation = client.estimation(job)
    for outcome in read_outcomes(client, job, indices=indices):
        with damage_told(client, job):
            experiments.append(_told(outcome, listed, estimation))
    wanted = job.experiments_total if indices is None else len(set(indices))
    return JobResult(job=job, experiments=tuple(experiments), top=top, has_headings=wanted != 1, estimation=estimation)


@contextmanager
def damage_told(client: Client, job: JobRecord) -> Iterator[None]:
    """Raise ``PayloadDamaged`` for stored content that has its checksum, and is not of a form that is known."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        fact = f"has a result of job {job.job_id} that cannot be read ({error})"
        raise PayloadDamaged(
            client.settings.paths.database, fact, "upgrade aerjob, or restore it from a backup"
        ) from error


def _outcome(job: JobRecord, stored: ExperimentBytes) -> StoredOutcome:
    if stored.format not in RESULT_FORMATS:
        raise ValueError(f"the format {stored.format!r} is not known")
    if stored.format == PUB_RESULT:
        return _pub_outcome(stored)
    content = decode_experiment(stored.data)
    header = content.get("header") or {}
    data = dict(content["data"])
    counts, memory = data.pop("counts", None), data.pop("memory", None)
    arrays_alone: dict[str, str] = {}
    if stored.format == MARKED_EXPERIMENT_RESULT:
        arrays_alone = {key: name for key, value in data.items() if (name := array_name(value)) is not None}
        data = plain({key: value for key, value in data.items() if key not in arrays_alone})
    return StoredOutcome(
        index=stored.position,
        name=str(header.get("name", stored.name)),
        shots=int(content["shots"]),
        seed=int(content.get("seed_simulator", job.seed)),
        qubits=int(header.get("n_qubits") or 0),
        counts=None if counts is None else _by_frequency(bit_counts(counts, header)),
        memory=tuple(bit_memory(memory, header)) if job.memory and memory is not None else None,
        data=data,
        arrays=stored.arrays,
        arrays_alone=frozenset(arrays_alone.values()),
    )


def _circuits_of(job: JobRecord, sweep: Sweep) -> int:
    """Tell how many circuits there are, without reading one: tables are one a circuit, or one for all of them."""
    if len(sweep.tables) > 1:
        return len(sweep.tables)
    return (job.experiments_total or 0) // len(sweep.tables[0].points)


def _pub_outcome(stored: ExperimentBytes) -> StoredOutcome:
    # It imports NumPy.
    from aerjob_cli.cli.pub_outcomes import counts_of, expectations_of

    content = decode_pub_result(stored.data)
    expectations = expectations_of(content, stored.arrays)
    counts = counts_of(content, stored.arrays) if expectations is None else None
    return StoredOutcome(
        index=stored.position,
        name=str(content["name"]),
        shots=int(content["shots"]),
        seed=int(content["seed"]),
        qubits=0,
        counts=None if counts is None else _by_frequency(counts),
        memory=None,
        # What is told already is not told again.
        data=plain(content["data"]) if counts is None and expectations is None else {},
        arrays=stored.arrays,
        arrays_alone=frozenset(),
        expectations=expectations,
    )


def _by_frequency(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _told(outcome: StoredOutcome, listed: int | None, estimation: Estimation | None) -> ExperimentOutcome:
    arrays = {}
    for stored in outcome.arrays:
        wanted = listed if stored.name in outcome.arrays_alone else None
        arrays[stored.name] = content_of(stored, qubits=outcome.qubits, listed=wanted)
    summaries = {}
    if listed is not None:
        summaries = {key: _summary(value, outcome.arrays, arrays) for key, value in outcome.data.items()}
    return ExperimentOutcome(
        index=outcome.index,
        name=outcome.name,
        shots=outcome.shots,
        seed=outcome.seed,
        counts=outcome.counts,
        memory=outcome.memory,
        arrays=tuple(arrays.values()),
        data=outcome.data,
        summaries=summaries,
        parameters=outcome.parameters,
        expectations=None
        if outcome.expectations is None
        else Expectations(outcome.expectations, None if estimation is None else estimation.in_words()),
    )


def _summary(value: Any, stored: Sequence[StoredArray], arrays: Mapping[str, ArrayContent]) -> str:
    tableau = tableau_name(value)
    if tableau is None or tableau not in arrays:
        return summary(value, arrays)
    qubits = arrays[tableau].shape[0] // 2
    said = f"{value['object']} of {qubits} qubits"
    if qubits > _QUBITS_SPELLED_OUT:
        return said
    (array,) = (array for array in stored if array.name == tableau)
    return f"{said}: {stabilizers(load_array(array).tolist())}"
