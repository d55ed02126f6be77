"""Every error that aerjob raises on purpose: its fields, its exit code and its remedy.

A message has a subject, a fact and a remedy. Callers decide by class and field, never by text. The exit codes are
those of docs/exit-codes.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from aerjob_cli.states import Reason

# How many ids a sentence names.
_NAMED = 3
# How many characters of what was typed a sentence quotes.
_QUOTED = 60


def brief(text: str) -> str:
    """Quote what was typed, cut where it is too long for a sentence."""
    return repr(text if len(text) <= _QUOTED else f"{text[: _QUOTED - 1]}…")


class AerjobError(Exception):
    """The root of aerjob's own errors: a sentence for a person, a code for a script, an exit code for a shell."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 70

    def __init__(self, message: str, **fields: object) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields


class UsageError(AerjobError):
    """What was typed does not say what to do."""

    code = "usage"
    exit_code = 2


class NotConfirmed(UsageError):
    """Somebody was asked, and did not say yes."""

    code = "not_confirmed"

    def __init__(self, asked: str) -> None:
        super().__init__(f"nothing was done, since nobody said yes to {asked}; --yes does it without asking")


class InvalidDuration(UsageError):
    """A text that should be a duration is none."""

    code = "invalid_duration"

    def __init__(self, text: str) -> None:
        super().__init__(f"{brief(text)} is not a duration; write for example 90, 1m30s or 2h", text=text)


class InvalidBegin(UsageError):
    """A text that should be a time to come is none."""

    code = "invalid_begin"

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{brief(text)} is no time to begin at; write for example 2026-01-31, 2026-01-31T12:00, tomorrow, "
            "or +2h for in two hours",
            text=text,
        )


class InvalidSize(UsageError):
    """A text that should be an amount of memory is none."""

    code = "invalid_size"

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{brief(text)} is not an amount of memory; write for example 512 (MiB), 512MiB or 4GiB", text=text
        )


class InvalidTime(UsageError):
    """A text that should be a point in time is none."""

    code = "invalid_time"

    def __init__(self, text: str) -> None:
        super().__init__(
            f"{brief(text)} is not a time; write for example 2026-01-31, 2026-01-31T12:00, today, yesterday, "
            "or 2h for two hours ago",
            text=text,
        )


class AmbiguousJobId(UsageError):
    """A prefix fits more than one job."""

    code = "ambiguous_job_id"

    def __init__(self, prefix: str, candidates: Sequence[str]) -> None:
        listing = ", ".join(candidates)
        super().__init__(
            f"{prefix!r} fits more than one job: {listing}; give more characters",
            prefix=prefix,
            candidates=list(candidates),
        )


class NoSuchExperiment(UsageError):
    """A job has no experiment at that index, which counts from 0."""

    code = "no_such_experiment"

    def __init__(self, job_id: str, index: int, total: int) -> None:
        known = "one experiment, 0" if total == 1 else f"the experiments 0 to {total - 1}"
        super().__init__(
            f"job {job_id} has no experiment {index}; it has {known}",
            job_id=job_id,
            experiment=index,
            experiments_total=total,
        )


class NoArray(UsageError):
    """A result holds nothing of the kind that was asked for, or more than one."""

    code = "no_array"

    def __init__(self, job_id: str, fact: str, remedy: str) -> None:
        super().__init__(f"job {job_id} {fact}; {remedy}", job_id=job_id)


class OutputExists(UsageError):
    """The file that an answer should go to is there already."""

    code = "output_exists"

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} exists already; choose another name, or give --force to replace it", path=path)


class OutputUnwritable(UsageError):
    """The file that an answer should go to cannot be written."""

    code = "output_unwritable"

    def __init__(self, path: str, fact: str, remedy: str = "choose another place") -> None:
        super().__init__(f"{path} cannot be written, {fact}; {remedy}", path=path)


class MissingExtra(UsageError):
    """A package that only some commands need is not installed."""

    code = "missing_extra"

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"this command needs {package}, which is not installed; `pip install 'aerjob-cli[{extra}]'` installs it",
            package=package,
            extra=extra,
        )


class BackupMisplaced(UsageError):
    """A backup cannot be made where it was asked for."""

    code = "backup_misplaced"

    def __init__(self, path: Path | str, fact: str, remedy: str) -> None:
        super().__init__(f"no backup can be made at {path}, {fact}; {remedy}", path=str(path))


class JobNotFound(AerjobError):
    """No job has that id."""

    code = "job_not_found"
    exit_code = 3

    def __init__(self, job_id: str, remedy: str = "`aerjob list` shows the jobs there are") -> None:
        super().__init__(f"no job {brief(job_id)} in this store; {remedy}", job_id=job_id)


class GroupNotFound(AerjobError):
    """No job is in that group."""

    code = "group_not_found"
    exit_code = 3

    def __init__(self, group: str) -> None:
        super().__init__(
            f"no job of this store is in the group {brief(group)}; `aerjob list --columns id,group` shows them",
            group=group,
        )


class NothingMatched(AerjobError):
    """A command for all jobs of a kind found none of that kind."""

    code = "nothing_matched"
    exit_code = 3


class StoreUnusable(AerjobError):
    """The store cannot be used as it is; nothing in it was changed."""

    code = "store_unusable"
    exit_code = 5

    def __init__(self, path: Path | str, fact: str, remedy: str) -> None:
        super().__init__(f"the store {path} {fact}; {remedy}", path=str(path))


class StoreDamaged(StoreUnusable):
    """The database is not readable as one of ours."""

    code = "store_damaged"


class StoreForeign(StoreUnusable):
    """The database belongs to another application, or the folder to another user."""

    code = "store_foreign"


class StoreNewer(StoreUnusable):
    """A later aerjob wrote this store."""

    code = "store_newer"


class StoreOutdated(StoreUnusable):
    """An earlier aerjob wrote this store, and it has not been upgraded."""

    code = "store_outdated"


class StoreReadOnly(StoreUnusable):
    """The store's files or folder cannot be written."""

    code = "store_read_only"


class StoreFull(StoreUnusable):
    """The file system has no room left."""

    code = "store_full"


class StoreFailing(StoreUnusable):
    """The system reports an error of the disk; a full one or an exhausted quota can look like that, too."""

    code = "store_failing"


class StoreBusy(StoreUnusable):
    """Another process held the database locked for too long."""

    code = "store_busy"


class StoreReplaced(StoreUnusable):
    """The database file is no longer the one that was opened."""

    code = "store_replaced"


class StoreUsedAtFork(AerjobError):
    """This process was forked while the store was in use, so that what it has of it is its parent's."""

    code = "store_used_at_fork"
    exit_code = 5

    def __init__(self) -> None:
        super().__init__(
            "this process was forked in the middle of a transaction of its parent, so that no store can be used in it; "
            "fork at another moment, or start processes by `spawn`"
        )


class BackupFailed(AerjobError):
    """Writing a backup failed; nothing of it is left, and the store is as it was."""

    code = "backup_failed"
    exit_code = 5

    def __init__(self, path: Path | str, fact: str, remedy: str) -> None:
        super().__init__(f"no backup was made at {path}, {fact}; {remedy}", path=str(path))


class PayloadDamaged(StoreUnusable):
    """Stored bytes do not have the checksum that was stored with them."""

    code = "payload_damaged"


class InputRefused(AerjobError):
    """What was handed in cannot run; nothing will."""

    code = "input_refused"
    exit_code = 6


class CircuitRefused(InputRefused):
    """A circuit failed validation.

    ``line`` and ``column`` count from 1, and are None where the parser gave none.
    """

    code = "circuit_refused"

    def __init__(self, message: str, *, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message, line=line, column=column, reason=str(Reason.INVALID_CIRCUIT))
        self.line = line
        self.column = column


class UnknownBackend(InputRefused):
    """No simulator has that name."""

    code = "unknown_backend"

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(
            f"no simulator is called {brief(name)}; there is {', '.join(known)}", name=name, known=list(known)
        )


class BackendUnusable(UnknownBackend):
    """A simulator's plugin or library is missing or does not load, so that nothing can be run on it."""

    code = "backend_unusable"

    def __init__(self, name: str, message: str, *, remedy: str | None) -> None:
        InputRefused.__init__(self, message, name=name, remedy=remedy)


class SubmissionRefused(InputRefused):
    """Validation refused circuits of a submission; each such job is kept, in ERROR."""

    code = "circuit_refused"

    def __init__(self, message: str, *, job_ids: Sequence[str]) -> None:
        super().__init__(message, job_ids=list(job_ids), reason=str(Reason.INVALID_CIRCUIT))


class DrawingFailed(InputRefused):
    """Circuits could not be drawn; the process that tried has ended."""

    code = "drawing_failed"


class EstimateFailed(InputRefused):
    """It could not be found out what circuits take; the process that tried has ended."""

    code = "estimate_failed"


class IdempotencyConflict(InputRefused):
    """A repeated idempotency key came with another submission."""

    code = "idempotency_conflict"

    def __init__(self, key: str, job_id: str | None) -> None:
        """Say whose key it is; ``job_id`` is None where both came in one call, of which nothing is kept."""
        if job_id is None:
            text = "is given to several of these jobs, which differ in circuits or options; give each its own"
        else:
            text = f"belongs to job {job_id}, which was submitted with other circuits or options; choose another key"
        super().__init__(f"the idempotency key {brief(key)} {text}", key=key, job_id=job_id)


class BundleRefused(InputRefused):
    """A bundle of jobs is not what it should be; nothing of it was stored."""

    code = "bundle_refused"

    def __init__(self, name: str, fact: str, remedy: str) -> None:
        super().__init__(f"the bundle {name} cannot be imported, {fact}; {remedy}", file=name)


class BundleConflict(InputRefused):
    """A job of a bundle is in the store already, and is not the same there."""

    code = "bundle_conflict"

    def __init__(self, name: str, job_id: str, fact: str) -> None:
        super().__init__(
            f"the bundle {name} cannot be imported, its job {job_id} is here already and {fact}; delete that one "
            "(`aerjob rm`), or import into another store (AERJOB_HOME)",
            file=name,
            job_id=job_id,
        )


class NotFinished(AerjobError):
    """A result was asked for before there is one."""

    code = "not_finished"
    exit_code = 8

    def __init__(self, job_id: str, status: str) -> None:
        super().__init__(
            f"job {job_id} has not finished, it is {status}; `aerjob wait {job_id}` waits for it",
            job_id=job_id,
            status=status,
        )


class JobNotFinal(AerjobError):
    """Something was to be done with jobs that only ended ones allow."""

    code = "not_final"
    exit_code = 8

    def __init__(self, job_ids: Sequence[str], statuses: Sequence[str], deed: str) -> None:
        subject, them, their = f"job {job_ids[0]} is {statuses[0]}", "it", "its"
        if len(job_ids) > 1:
            named = ", ".join(job_ids[:_NAMED]) + (", …" if len(job_ids) > _NAMED else "")
            subject, them, their = f"{len(job_ids)} jobs have not ended ({named})", "them", "their"
        super().__init__(
            f"{subject} and cannot be {deed}, so nothing was done; cancel {them} with `aerjob cancel`, "
            f"or wait for {their} end with `aerjob wait`",
            job_ids=list(job_ids),
        )


class JobHasBegun(AerjobError):
    """Something was to be done with jobs that only those allow that have not begun."""

    code = "has_begun"
    exit_code = 8

    def __init__(self, job_ids: Sequence[str], statuses: Sequence[str], deed: str) -> None:
        subject = f"job {job_ids[0]} is {statuses[0]}"
        if len(job_ids) > 1:
            named = ", ".join(job_ids[:_NAMED]) + (", …" if len(job_ids) > _NAMED else "")
            subject = f"{len(job_ids)} jobs have begun ({named})"
        super().__init__(
            f"{subject} and cannot be {deed}, so nothing was done; leave out what has begun, "
            "`aerjob list --status QUEUED` shows what has not",
            job_ids=list(job_ids),
        )


class JobAwaited(AerjobError):
    """A job was to be deleted that others depend on, which have not ended."""

    code = "awaited"
    exit_code = 8

    def __init__(self, job_id: str, dependants: Sequence[str]) -> None:
        named = ", ".join(dependants[:_NAMED]) + (", …" if len(dependants) > _NAMED else "")
        who, them, their = f"job {named} depends on it and has", "that", "its"
        if len(dependants) > 1:
            who, them, their = f"jobs {named} depend on it and have", "them", "their"
        super().__init__(
            f"job {job_id} cannot be deleted, {who} not ended, so nothing was done; cancel {them} with "
            f"`aerjob cancel`, or wait for {their} end with `aerjob wait`",
            job_id=job_id,
            dependants=list(dependants),
        )


class NoResult(AerjobError):
    """A job ended without a result; the classes below say how."""

    def __init__(self, job_id: str, status: str, reason: str | None, message: str | None) -> None:
        super().__init__(
            f"job {job_id} has no result, it ended in {status}, {reason}: {message}",
            job_id=job_id,
            status=status,
            reason=reason,
        )


class NoResultOfError(NoResult):
    """A job ended in ERROR."""

    code = "job_failed"
    exit_code = 1


class NoResultOfCancelled(NoResult):
    """A job was cancelled."""

    code = "job_cancelled"
    exit_code = 4


class Pruned(AerjobError):
    """What was asked for of a job that has ended was removed to save room."""

    code = "pruned"
    exit_code = 3

    def __init__(self, job_id: str, part: str, removed_at: str, remedy: str) -> None:
        super().__init__(
            f"the {part} of job {job_id} were removed by `aerjob store prune` at {removed_at}; {remedy}",
            job_id=job_id,
            part=part,
        )


class WorkerUnavailable(AerjobError):
    """No worker could be started, so that nothing would run."""

    code = "worker_unavailable"
    exit_code = 70


class WorkerAlreadyRuns(AerjobError):
    """Another worker holds this store."""

    code = "worker_already_runs"
    exit_code = 1


class TroubleFound(AerjobError):
    """`doctor` found something in aerjob's programs and packages that must be seen to."""

    code = "trouble_found"
    exit_code = 70


class StoreTroubleFound(TroubleFound):
    """`doctor` found something in the store, or the place that it is in, that must be seen to."""

    exit_code = 5


class ServiceFailed(AerjobError):
    """The service manager did not do what it was asked, or its file cannot be written."""

    code = "service_failed"
    exit_code = 70


class WaitTimedOut(AerjobError):
    """Waiting took as long as was allowed; the jobs go on."""

    code = "wait_timed_out"
    exit_code = 124


class OutputLost(AerjobError):
    """The answer could not be written to where it should go."""

    code = "output_lost"
    exit_code = 70

    def __init__(self, fact: str) -> None:
        super().__init__(
            f"the answer could not be written ({fact}); make room or give it another place; what was submitted or "
            "changed stays so, `aerjob list` shows the jobs"
        )


class Stopped(AerjobError):
    """A signal ended the command, not the jobs. The exit codes are those of shells, 128 + the signal."""

    code = "stopped"

    def __init__(self, *, only_looked: bool = False) -> None:
        super().__init__("stopped by a signal" if only_looked else "stopped by a signal; what was submitted goes on")


class StoppedByInterrupt(Stopped):
    """SIGINT, as from Ctrl-C."""

    exit_code = 130


class StoppedByTermination(Stopped):
    """SIGTERM."""

    exit_code = 143


class StoppedByHangUp(Stopped):
    """SIGHUP, as when the terminal was closed."""

    exit_code = 129


class InternalError(AerjobError):
    """A bug in aerjob."""

    code = "internal_error"
    exit_code = 70
