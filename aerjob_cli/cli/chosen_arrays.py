"""Which arrays of a result are meant, and what is said where there is none."""

from __future__ import annotations

from collections.abc import Sequence

from aerjob_cli.api.stored_arrays import StoredArray
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.cli.outcomes import StoredOutcome
from aerjob_cli.errors import NoArray
from aerjob_cli.store.records import JobRecord


def arrays_meant(
    job: JobRecord, outcomes: Sequence[StoredOutcome], name: str | None
) -> list[tuple[StoredOutcome, StoredArray]]:
    """Give all arrays, or those of that name, with the outcomes that they belong to; raises ``NoArray`` for none."""
    meant = [(outcome, array) for outcome in outcomes for array in outcome.arrays if name in (None, array.name)]
    if not meant:
        raise _no_array(job, outcomes, name)
    return meant


def one_array(job: JobRecord, outcomes: Sequence[StoredOutcome], name: str | None) -> StoredArray:
    """Give the one array that is meant; raises ``NoArray`` when there is none or are several."""
    meant = arrays_meant(job, outcomes, name)
    if len(meant) == 1:
        return meant[0][1]
    indices = sorted({outcome.index for outcome, _ in meant})
    if len(indices) > 1:
        fact, remedy = f"has arrays in {len(indices)} experiments, and one is meant", "choose it with --experiment"
    else:
        fact, remedy = f"has {len(meant)} arrays, and one is meant", f"name it with --array: {_names(outcomes)}"
    raise NoArray(job.job_id, fact, remedy)


def contents(outcome: StoredOutcome) -> str:
    """Say what an experiment's result consists of."""
    names = [
        *(["counts"] if outcome.counts else []),
        *(["expectation values"] if outcome.expectations is not None else []),
        *outcome.data,
        *sorted(outcome.arrays_alone),
    ]
    return " and ".join(map(clean, names)) or "nothing"


def _no_array(job: JobRecord, outcomes: Sequence[StoredOutcome], name: str | None) -> NoArray:
    if not outcomes:
        return NoArray(
            job.job_id, "has no stored result of that, and so no array", "`aerjob status` shows how far it is"
        )
    if any(outcome.arrays for outcome in outcomes):
        return NoArray(job.job_id, f"has no array {name!r}", f"it has {_names(outcomes)}")
    remedy = "--format csv gives counts" if any(outcome.counts for outcome in outcomes) else "--format json gives it"
    has = ", ".join(sorted({contents(outcome) for outcome in outcomes}))
    return NoArray(job.job_id, f"has no array, its result is {has}", remedy)


def _names(outcomes: Sequence[StoredOutcome]) -> str:
    return ", ".join(clean(name) for name in sorted({array.name for outcome in outcomes for array in outcome.arrays}))
