"""From the results of a sweep's points to numbers that can be drawn: probabilities, and values that were saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aerjob_cli.api.client import Client
from aerjob_cli.api.stored_arrays import StoredArray
from aerjob_cli.cli.array_views import content_of, load_array
from aerjob_cli.cli.chosen_arrays import arrays_meant
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.cli.outcomes import StoredOutcome, damage_told
from aerjob_cli.errors import NoArray
from aerjob_cli.frozen import dataclass
from aerjob_cli.store.records import JobRecord

COUNTS = "counts"
# Of a statevector all probabilities are looked at, at every point.
_QUBITS_AT_MOST = 12


@dataclass(frozen=True, kw_only=True)
class Measured:
    """For each point the probabilities of the outcomes, and the real numbers of its data; empty where there are none.

    ``drawn`` is ``counts``, or the name of the array or of the data that it is of.
    """

    drawn: str
    probabilities: tuple[Mapping[str, float], ...]
    numbers: tuple[Mapping[str, float], ...]


def measured(client: Client, job: JobRecord, outcomes: Sequence[StoredOutcome], *, name: str | None) -> Measured:
    """Read what can be drawn, or of that only what is called ``name``; raises ``NoArray`` and ``PayloadDamaged``.

    As for one experiment, a statevector counts where there are no counts, or only one shot.
    """
    numbers = tuple(_numbers(outcome) for outcome in outcomes)
    nothing: tuple[Mapping[str, float], ...] = tuple({} for _ in outcomes)
    if name is not None and any(name in point for point in numbers):
        only = tuple({name: point[name]} if name in point else {} for point in numbers)
        return Measured(drawn=name, probabilities=nothing, numbers=only)
    if name is None and any(outcome.counts and outcome.shots > 1 for outcome in outcomes):
        return Measured(drawn=COUNTS, probabilities=tuple(map(_relative, outcomes)), numbers=numbers)
    states = _states(client, job, outcomes, name)
    if states is not None:
        drawn, probabilities = states
        return Measured(drawn=drawn, probabilities=probabilities, numbers=nothing if name is not None else numbers)
    counted = tuple(map(_relative, outcomes))
    drawn = COUNTS if any(counted) else next((name for point in numbers for name in point), COUNTS)
    return Measured(drawn=drawn, probabilities=counted, numbers=numbers)


def _relative(outcome: StoredOutcome) -> Mapping[str, float]:
    counts = outcome.counts or {}
    total = sum(counts.values()) or 1
    return {bits: count / total for bits, count in counts.items()}


def _numbers(outcome: StoredOutcome) -> Mapping[str, float]:
    return {
        name: float(value)
        for name, value in outcome.data.items()
        if isinstance(value, (int, float)) and not isinstance(value, bool)
    }


def _states(
    client: Client, job: JobRecord, outcomes: Sequence[StoredOutcome], name: str | None
) -> tuple[str, tuple[Mapping[str, float], ...]] | None:
    """Give the probabilities of statevectors, None where there are none and no name asks for one."""
    if name is None and not any(outcome.arrays_alone for outcome in outcomes):
        return None
    found: dict[int, tuple[str, Mapping[str, float]]] = {}
    with damage_told(client, job):
        for outcome, stored in arrays_meant(job, outcomes, name):
            if outcome.index in found or stored.name not in outcome.arrays_alone:
                continue
            if not content_of(stored, qubits=outcome.qubits, listed=None).is_statevector:
                continue
            if outcome.qubits > _QUBITS_AT_MOST:
                fact = f"cannot be drawn, its points have statevectors of {outcome.qubits} qubits"
                raise NoArray(job.job_id, fact, f"curves are drawn of {_QUBITS_AT_MOST}; --experiment draws one point")
            found[outcome.index] = stored.name, _weights(stored, outcome.qubits)
    if found:
        names = [name for name, _ in found.values()]
        return names[0], tuple(found[item.index][1] if item.index in found else {} for item in outcomes)
    if name is None:
        return None
    raise NoArray(
        job.job_id,
        f"cannot be drawn, {clean(name)!r} is no statevector and no number",
        "`aerjob plot` draws counts, statevectors and, over a sweep, numbers",
    )


def _weights(stored: StoredArray, qubits: int) -> Mapping[str, float]:
    import numpy as np

    weights = np.abs(load_array(stored)) ** 2
    return {f"{place:0{qubits}b}": float(weights[place]) for place in np.flatnonzero(weights)}
