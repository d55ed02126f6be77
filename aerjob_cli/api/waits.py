"""Why a job waits for more than its turn, in words; and what a request says that it is to wait for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from aerjob_cli.clock import to_datetime
from aerjob_cli.errors import InputRefused
from aerjob_cli.states import After, Status
from aerjob_cli.store.records import WAITED_FOR_NAMED, JobRecord

_US_PER_S = 1_000_000
# The year 10000 is no ``datetime`` any more.
_LATEST_US = 253_402_300_799_999_999


def why_waiting(job: JobRecord) -> str | None:
    """Say what a job waits for besides its turn, as ``held; waits for 3f2a…``; None where that is nothing."""
    if not job.waits or job.status.is_final or job.status is Status.RUNNING:
        return None
    return "; ".join(_reasons(job))


def _reasons(job: JobRecord) -> Iterator[str]:
    if job.held:
        yield "held"
    if job.unmet or job.unmet_any:
        first, *others = job.waits_for or ("another job",)
        more = len(others) if job.unmet < WAITED_FOR_NAMED else max(len(others), job.unmet - 1)
        one_of = "one of " if job.unmet_any and not job.unmet and more else ""
        yield f"waits for {one_of}{first}" + (f" and {more} more" if more else "")
    if job.begin_us is not None:
        yield f"begins at {to_datetime(job.begin_us).strftime('%Y-%m-%dT%H:%M:%SZ')}"


def checked_references(field: str, wanted: object) -> tuple[str, ...]:
    """Give the ids, prefixes or ``last`` of one or several jobs, or job objects; raises ``InputRefused``."""
    several = wanted if isinstance(wanted, Iterable) and not isinstance(wanted, str) else (wanted,)
    return tuple(_reference(field, item) for item in several)


def _reference(field: str, wanted: object) -> str:
    id_of = getattr(wanted, "job_id", None)
    reference = id_of() if callable(id_of) else wanted
    if isinstance(reference, str):
        return reference
    raise InputRefused(f"{field} has {wanted!r}; it must have jobs or their ids", field=field)


def checked_begin(wanted: object) -> int | None:
    """Give the microseconds since 1970 of a ``datetime`` (without a zone: local time); raises ``InputRefused``."""
    if wanted is None:
        return None
    if isinstance(wanted, datetime):
        # A year that the local clock does not know.
        try:
            return round(wanted.timestamp() * _US_PER_S)
        except (ValueError, OverflowError):
            pass
    elif isinstance(wanted, int) and not isinstance(wanted, bool) and abs(wanted) <= _LATEST_US:
        return wanted
    raise InputRefused(f"begin is {wanted!r}; it must be a datetime of the years 1 to 9999", field="begin")


def kinds(after: Iterable[str], after_ok: Iterable[str], after_any: Iterable[str]) -> list[tuple[After, str]]:
    """Give each reference with how it is meant."""
    named = ((After.ENDED, after), (After.DONE, after_ok), (After.ANY_DONE, after_any))
    return [(kind, reference) for kind, references in named for reference in references]
