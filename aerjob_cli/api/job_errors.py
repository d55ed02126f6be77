"""What a job of the Python API can raise: each error is one of Qiskit's and one of aerjob's at the same time.

So code written for Qiskit catches what it always caught, and a script still finds a code, an exit code and fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import ClassVar

from qiskit.providers import JobError, JobTimeoutError

from aerjob_cli.errors import (
    AerjobError,
    JobAwaited,
    JobHasBegun,
    JobNotFound,
    PayloadDamaged,
    Pruned,
    WaitTimedOut,
    WorkerUnavailable,
)
from aerjob_cli.states import Reason
from aerjob_cli.store.records import JobRecord


class AerjobJobError(JobError, AerjobError):
    """The root of them: a ``JobError`` with aerjob's fields and exit code."""

    def __init__(self, message: str, **fields: object) -> None:
        # Not the __init__ of QiskitError or of our other bases: they take other arguments, and set the same message.
        AerjobError.__init__(self, message, **fields)

    def __str__(self) -> str:
        # Qiskit's own errors show their message in quotation marks.
        return self.message


class AlreadySubmitted(AerjobJobError):
    """A job was to be submitted a second time."""

    code: ClassVar[str] = "already_submitted"
    exit_code: ClassVar[int] = 2


class JobFailed(AerjobJobError):
    """A job ended in ERROR. ``reason`` says why, from the closed list; ``stderr_tail`` is what its process wrote."""

    code: ClassVar[str] = "job_failed"
    exit_code: ClassVar[int] = 1
    reason: Reason | None = None
    stderr_tail: str | None = None

    @classmethod
    def of(cls, record: JobRecord) -> JobFailed:
        """Make the error of a record that is in ERROR."""
        error = cls(
            f"job {record.job_id} ended in ERROR, {record.reason}: {record.message}",
            job_id=record.job_id,
            reason=str(record.reason),
        )
        error.reason = record.reason
        error.stderr_tail = record.stderr_tail
        return error


class JobCancelled(AerjobJobError, CancelledError):
    """A job was cancelled, so that it has no result."""

    code: ClassVar[str] = "job_cancelled"
    exit_code: ClassVar[int] = 4

    @classmethod
    def of(cls, record: JobRecord) -> JobCancelled:
        """Make the error of a record that is CANCELLED."""
        return cls(
            f"job {record.job_id} was CANCELLED, {record.reason}: {record.message}",
            job_id=record.job_id,
            reason=str(record.reason),
        )


class JobTimedOut(JobTimeoutError, AerjobJobError, WaitTimedOut, TimeoutError):
    """Waiting for a job took as long as was allowed; the job goes on."""

    code: ClassVar[str] = WaitTimedOut.code
    exit_code: ClassVar[int] = WaitTimedOut.exit_code


class UnknownJob(AerjobJobError, JobNotFound):
    """The store has no job of that id."""

    code: ClassVar[str] = JobNotFound.code
    exit_code: ClassVar[int] = JobNotFound.exit_code


class StoredBytesDamaged(AerjobJobError, PayloadDamaged):
    """What is stored of a job no longer has the checksum that was stored with it; the job stays as it is."""

    code: ClassVar[str] = PayloadDamaged.code
    exit_code: ClassVar[int] = PayloadDamaged.exit_code


class PartPruned(AerjobJobError, Pruned):
    """The results or the circuits of a job were removed to save room; the job is kept."""

    code: ClassVar[str] = Pruned.code
    exit_code: ClassVar[int] = Pruned.exit_code


class NoWorker(AerjobJobError, WorkerUnavailable):
    """No worker could be started, so that waiting for the job is in vain; the job is kept."""

    code: ClassVar[str] = WorkerUnavailable.code
    exit_code: ClassVar[int] = WorkerUnavailable.exit_code


class NotFinal(AerjobJobError):
    """Something was to be done with a job that only an ended one allows."""

    code: ClassVar[str] = "not_final"
    exit_code: ClassVar[int] = 8


class HasBegun(AerjobJobError, JobHasBegun):
    """Something was to be done with a job that only one allows that has not begun."""

    code: ClassVar[str] = JobHasBegun.code
    exit_code: ClassVar[int] = JobHasBegun.exit_code


class Awaited(AerjobJobError, JobAwaited):
    """A job was to be deleted on which others depend that have not ended."""

    code: ClassVar[str] = JobAwaited.code
    exit_code: ClassVar[int] = JobAwaited.exit_code


class NotValidated(AerjobJobError):
    """Circuits were asked for that nobody has found safe to parse."""

    code: ClassVar[str] = "not_validated"
    exit_code: ClassVar[int] = 8


@contextmanager
def raised_as_job_errors() -> Iterator[None]:
    """Turn what the store says of one job into errors that are also Qiskit's."""
    try:
        yield
    except AerjobJobError:
        raise
    except JobNotFound as error:
        raise UnknownJob(f"{error.message}, or BasicAerProvider().jobs() in Python", **error.fields) from error
    except JobHasBegun as error:
        raise HasBegun(error.message, **error.fields) from error
    except JobAwaited as error:
        raise Awaited(error.message, **error.fields) from error
    except PayloadDamaged as error:
        raise StoredBytesDamaged(error.message, **error.fields) from error
    except Pruned as error:
        raise PartPruned(error.message, **error.fields) from error
    except WorkerUnavailable as error:
        raise NoWorker(error.message, **error.fields) from error
