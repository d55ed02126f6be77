"""What of a result is drawn: its counts or its statevector."""

from __future__ import annotations

from collections.abc import Sequence

from aerjob_cli.api.client import Client
from aerjob_cli.cli.answers.arrays import ArrayContent
from aerjob_cli.cli.array_views import content_of
from aerjob_cli.cli.chosen_arrays import arrays_meant, contents
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.cli.outcomes import StoredOutcome, damage_told
from aerjob_cli.cli.pictures.bars import Bar, Labelling, amplitude_bars, count_bars
from aerjob_cli.errors import NoArray, UsageError
from aerjob_cli.frozen import dataclass
from aerjob_cli.store.records import JobRecord

COUNTS = "counts"
_WHERE_TO_LOOK = "`aerjob status` shows how far it is"


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a picture shows; ``name`` is ``counts`` or that of an array."""

    name: str
    bars: Sequence[Bar]
    labelling: Labelling


def one_outcome(job: JobRecord, outcomes: Sequence[StoredOutcome]) -> StoredOutcome:
    """Give the outcome of the one experiment that is drawn; raises ``UsageError`` when it is not clear which."""
    if not outcomes:
        raise NoArray(job.job_id, "has no stored result of that, and so nothing to draw", _WHERE_TO_LOOK)
    if len(outcomes) > 1:
        raise UsageError(
            f"job {job.job_id} has {len(outcomes)} experiments, and a picture shows one; choose it with --experiment"
        )
    return outcomes[0]


def subject_of(client: Client, job: JobRecord, outcome: StoredOutcome, *, array: str | None, top: int) -> Subject:
    """Give the counts, or the statevector where there are no counts, only one shot, or its name is given.

    Raises ``NoArray`` for what cannot be drawn, and ``PayloadDamaged``.
    """
    states = [] if array is None and outcome.counts and outcome.shots > 1 else _states(client, job, outcome, array, top)
    if states:
        labelling = Labelling(clean(outcome.name), clean(states[0].name), "probability", has_phases=True)
        return Subject(name=states[0].name, bars=amplitude_bars(states[0]), labelling=labelling)
    if not outcome.counts:
        fact = f"cannot be drawn, the result of experiment {outcome.index} is {contents(outcome)}"
        raise NoArray(job.job_id, fact, "`aerjob plot` draws counts and statevectors")
    shots = "1 shot" if outcome.shots == 1 else f"{outcome.shots} shots"
    values = "".join(f", {name} = {value:.6g}" for name, value in outcome.parameters.items())
    subtitle = clean(f"{shots}, seed {outcome.seed}{values}")
    labelling = Labelling(clean(outcome.name), subtitle, "counts", has_phases=False)
    return Subject(name=COUNTS, bars=count_bars(outcome.counts, top=top), labelling=labelling)


def _states(
    client: Client, job: JobRecord, outcome: StoredOutcome, name: str | None, top: int
) -> Sequence[ArrayContent]:
    if name is None and not outcome.arrays_alone:
        return ()
    meant = [stored for _, stored in arrays_meant(job, [outcome], name) if stored.name in outcome.arrays_alone]
    with damage_told(client, job):
        # Looking at elements is work, so the shape decides first.
        told = (content_of(stored, qubits=outcome.qubits, listed=None) for stored in meant)
        states = [stored for stored, array in zip(meant, told, strict=True) if array.is_statevector]
        if states or name is None:
            return [content_of(stored, qubits=outcome.qubits, listed=top) for stored in states[:1]]
    fact = f"cannot be drawn, {name!r} is no statevector"
    raise NoArray(job.job_id, fact, "`aerjob plot` draws counts and statevectors")
