"""From the requests of `submit` and `run` to durable jobs, however many there are, with no id lost on the way."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from aerjob_cli.api.client import Client
from aerjob_cli.api.intake import Intake
from aerjob_cli.api.requests import Request
from aerjob_cli.cli import interrupts
from aerjob_cli.cli.submission_options import SubmissionOptions
from aerjob_cli.errors import AerjobError, InputRefused
from aerjob_cli.frozen import dataclass
from aerjob_cli.settings import JOBS_PER_TRANSACTION
from aerjob_cli.store.records import JobRecord

# What refuses them calls them by the names that they have in requests.
_FLAGS = {
    "shots": "--shots",
    "seed_simulator": "--seed",
    "optimization_level": "--optimization-level",
    "priority": "--priority",
    "time_limit_s": "--time-limit",
    "max_memory_mb": "--max-memory",
    "max_attempts": "--max-attempts",
    "reuse": "--reuse",
}


@dataclass(frozen=True)
class TakenIn:
    """The jobs that are durable, in the order of their requests; what came in between, and what it left out."""

    jobs: list[JobRecord]
    error: AerjobError | None = None
    remarks: tuple[str, ...] = ()


def take_in(client: Client, requests: Sequence[Request], wanted: SubmissionOptions, *, quiet: bool) -> TakenIn:
    """Make the jobs durable; what came meanwhile is given back with those that are, so that no id gets lost.

    Many are taken in some at a time, and a line on the terminal tells how many are, unless ``quiet``. Raises
    ``InputRefused``, which names the flags of ``wanted`` as they were typed, and any error that left none.
    """
    try:
        intake = Intake(client.store, requests)
    except InputRefused as error:
        raise _as_typed(error, wanted) from error
    try:
        if len(requests) <= JOBS_PER_TRANSACTION:
            _take_in_some(client, intake)
        else:
            # Only those who submit many need it.
            from aerjob_cli.cli.live.status_line import status_line

            with status_line(quiet=quiet) as line:
                while not intake.is_complete:
                    _take_in_some(client, intake)
                    if line.is_due():
                        line.draw(f"{len(intake.jobs)}/{len(requests)} jobs stored")
    except (interrupts.Interrupted, AerjobError) as cause:
        _look_again(intake)
        if not intake.jobs:
            raise
        told = cause.as_error() if isinstance(cause, interrupts.Interrupted) else cause
        return TakenIn(intake.jobs, told, _left_out(requests, intake.jobs))
    return TakenIn(intake.jobs)


def _take_in_some(client: Client, intake: Intake) -> None:
    with interrupts.put_off():
        intake.take_in()
        # From the first ones on there is something to do.
        client.wake_worker_for(intake.jobs)


def _look_again(intake: Intake) -> None:
    """Find those that a second signal left unknown; where they cannot be looked for, those before them are told of."""
    with contextlib.suppress(AerjobError), interrupts.put_off():
        intake.look_again()


@contextmanager
def checking_line(jobs: int, *, quiet: bool) -> Iterator[Callable[[], None] | None]:
    """Give what is to be called while many jobs are checked: a line on the terminal says so, unless ``quiet``."""
    if jobs <= JOBS_PER_TRANSACTION:
        yield None
        return
    from aerjob_cli.cli.live.status_line import status_line

    with status_line(quiet=quiet) as line:
        yield lambda: line.draw(f"{jobs} jobs stored, their circuits are being checked") if line.is_due() else None


def _left_out(requests: Sequence[Request], jobs: Sequence[JobRecord]) -> tuple[str, ...]:
    if len(jobs) == len(requests):
        return ()
    first = requests[len(jobs)].circuits[0].name
    return (
        f"the first {len(jobs)} of {len(requests)} files are stored as jobs, those from {first} on are not; "
        "submit these again",
    )


def _as_typed(error: InputRefused, wanted: SubmissionOptions) -> InputRefused:
    """Give the error in the words of the command line, where a flag of it is what was refused."""
    name = error.fields.get("field", error.fields.get("option"))
    flag = _FLAGS.get(str(name))
    # What comes from the environment has no flag to correct.
    if flag is None or getattr(wanted, flag.removeprefix("--").replace("-", "_")) is None:
        return error
    for subject in (f"the option {name!r} ", f"{name} "):
        if error.message.startswith(subject):
            return InputRefused(f"{flag} {error.message.removeprefix(subject)}", **error.fields)
    return error
