"""How a job of the soak may end, and by what documented rule."""

from __future__ import annotations

from collections.abc import Sequence

from aerjob_cli.states import Reason, Status
from aerjob_cli.store.records import EventRecord, JobRecord
from benchmarks.soak.ledger import Ledger
from benchmarks.soak.tasks import Task

_PARSER_DIED = "the parser of these circuits failed"


def ending_of(job: JobRecord, item: Task, history: Sequence[EventRecord], ledger: Ledger) -> tuple[str, bool]:
    """Name the end of a job, and tell whether it is one that is documented for what has befallen it."""
    match job.status, job.reason:
        case Status.DONE, _:
            return "DONE", item.kind != "refused"
        case Status.CANCELLED, reason:
            was_asked = item.number in ledger.cancels_asked
            return f"CANCELLED {reason}", was_asked and reason is Reason.USER_CANCELLED
        case _, Reason.INVALID_CIRCUIT if item.kind == "refused":
            return "ERROR INVALID_CIRCUIT, as is due", True
        case _, Reason.INVALID_CIRCUIT:
            # It is validated twice at most: what kills its parser twice is held to be the circuit.
            deaths = sum(_PARSER_DIED in event.why for event in history)
            return "ERROR INVALID_CIRCUIT, its parser was killed twice", deaths == 2
        case _, Reason.EXECUTOR_CRASHED | Reason.WORKER_LOST:
            # The last attempt is the job's end, and not counted among those after which it was tried again.
            broke_off = job.attempts_charged + 1
            return f"ERROR {job.reason} in {broke_off} attempts", broke_off == item.max_attempts
    return f"{job.status} {job.reason}", False
