"""The frozen records that cross the store's boundary. None of them holds a connection, a row or a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any

from aerjob_cli.clock import to_datetime
from aerjob_cli.frozen import dataclass
from aerjob_cli.states import After, Reason, Status


@dataclass(frozen=True, slots=True)
class Payload:
    """Named bytes with a format tag and a checksum: in ``data``, or in the object folder when that is None.

    ``identity`` is not stored: it stands for ``sha256`` when a request is compared with an earlier one.
    """

    name: str
    format: str
    sha256: str
    size_bytes: int
    data: bytes | None
    identity: str | None = None


@dataclass(frozen=True, slots=True)
class PayloadRecord:
    """What is known of a payload without its bytes."""

    name: str
    format: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Dependency:
    """That a job starts only after another one, which is named by its full id, and what that must have come to."""

    kind: After
    job_id: str


@dataclass(frozen=True, slots=True)
class DependencyRecord:
    """A job that another one depends on, and how it is."""

    kind: After
    seq: int
    job_id: str
    status: Status


@dataclass(frozen=True, slots=True)
class Reuse:
    """That a job be given the result of an earlier one; ``names`` are what its own experiments are called.

    None is that they are called as those of the earlier one.
    """

    job_id: str
    names: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """What a client hands in, in one go. ``seed`` from 0 to 2^63 − 1, ``max_memory_mb`` in MiB."""

    job_id: str
    payloads: tuple[Payload, ...]
    backend: str
    method: str
    shots: int
    seed: int
    # What was asked for, None where the seed was drawn: a repeated request draws another one and is still the same.
    requested_seed: int | None = None
    memory: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None
    tags: tuple[str, ...] = ()
    group_name: str | None = None
    priority: int = 0
    time_limit_s: float | None = None
    max_memory_mb: int | None = None
    max_attempts: int = 3
    idempotency_key: str | None = None
    retry_of: str | None = None
    # Who submits it from where: "aerjob", "python" (versions), "host", "folder".
    submitted_by: Mapping[str, str] = field(default_factory=dict)
    # Texts are validated by an executor and must measure; circuits from Python come checked, with their plan.
    counts_required: bool = True
    experiments_total: int | None = None
    threads: int | None = None
    estimated_bytes: int | None = None
    # What it is to wait for besides its turn.
    dependencies: tuple[Dependency, ...] = ()
    held: bool = False
    begin_us: int | None = None
    # Whose result will do.
    reuse: Reuse | None = None
    # By what its result is found, where that is not to be computed of its payloads.
    result_key: str | None = None
    on_end: str | None = None


# The fields of a job that are no columns of its row.
FROM_OTHER_TABLES = ("tags", "waits_for")
# So many of the jobs that one waits for are named with it.
WAITED_FOR_NAMED = 20


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as it was at one instant.

    ``waits`` counts what it waits for besides its turn: each job that has yet to end as it should; one of several to be
    DONE (``unmet_any``); to be released (``held``); a time (``begin_us``, None once it has come). ``waits_for`` are the
    ids of the first of the jobs that it waits for.
    """

    seq: int
    job_id: str
    status: Status
    reason: Reason | None
    message: str | None
    stderr_tail: str | None
    name: str | None
    backend: str
    method: str
    shots: int
    seed: int
    memory: bool
    options: Mapping[str, Any]
    metadata: Mapping[str, Any]
    counts_required: bool
    priority: int
    time_limit_s: float | None
    max_memory_mb: int | None
    max_attempts: int
    retry_of: str | None
    experiments_total: int | None
    threads: int | None
    experiments_done: int
    validations: int
    attempt: int
    attempts_charged: int
    worker_id: str | None
    cancel_requested_us: int | None
    engine: str | None
    submitted_us: int
    started_us: int | None
    finished_us: int | None
    error_line: int | None
    error_column: int | None
    cancel_message: str | None
    executor_pid: int | None
    executor_started: str | None
    submitted_by: Mapping[str, str]
    estimated_bytes: int | None
    group_name: str | None
    waits: int
    held: bool
    unmet_any: bool
    begin_us: int | None
    reused_from: str | None
    imported_us: int | None
    on_end: str | None
    tags: tuple[str, ...]
    waits_for: tuple[str, ...]

    @property
    def unmet(self) -> int:
        """How many jobs have yet to end as they should, those aside of which any will do."""
        return self.waits - self.held - self.unmet_any - (self.begin_us is not None)

    @property
    def submitted_at(self) -> datetime:
        return to_datetime(self.submitted_us)

    @property
    def started_at(self) -> datetime | None:
        return None if self.started_us is None else to_datetime(self.started_us)

    @property
    def finished_at(self) -> datetime | None:
        return None if self.finished_us is None else to_datetime(self.finished_us)

    @property
    def imported_at(self) -> datetime | None:
        return None if self.imported_us is None else to_datetime(self.imported_us)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to advance one job: whoever writes for it shows the attempt and the token."""

    job_seq: int
    job_id: str
    status: Status
    attempt: int
    token: str
    worker_id: str
    # What the executor that has the job runs with, once that is known.
    runtime_id: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job and the right to advance it."""

    job: JobRecord
    claim: Claim


@dataclass(frozen=True, slots=True)
class Runtime:
    """What jobs run with: names and versions of programs, and the machine. ``runtime_id`` is a hash of them."""

    runtime_id: str
    facts: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RunFacts:
    """How an experiment was run, as the simulator and the system tell of it; None is what nobody told.

    ``seed`` from 0 to 2^64 − 1. ``method`` is the one that was taken where it was left to the simulator.
    ``peak_rss_bytes`` is the most memory that the process had, its libraries included, during the call in which the
    experiment ran.
    """

    seed: int | None = None
    method: str | None = None
    threads: int | None = None
    time_taken_s: float | None = None
    peak_rss_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class ExperimentRecord:
    """One experiment's result to be stored, its place in the job (from 0) and the attempt that ran it.

    ``arrays`` are the ``.npy`` payloads that the result refers to by their names.
    """

    position: int
    attempt: int
    shots: int
    payload: Payload
    arrays: tuple[Payload, ...] = ()
    run: RunFacts = RunFacts()


@dataclass(frozen=True, slots=True)
class ArrayRecord:
    """What is known of a stored array without its bytes."""

    name: str
    format: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class StoredExperiment:
    """One experiment's stored result. The bytes of its arrays are read one by one, since they can be large."""

    position: int
    attempt: int
    shots: int
    payload: Payload
    arrays: tuple[ArrayRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class RanExperiment:
    """How one stored result came to be, without its bytes; ``runtime_id`` None for one of an earlier aerjob."""

    position: int
    attempt: int
    name: str
    shots: int
    format: str
    sha256: str
    size_bytes: int
    runtime_id: str | None
    run: RunFacts
    arrays: tuple[ArrayRecord, ...] = ()


@dataclass(frozen=True, slots=True)
class RunSummary:
    """How the stored results of a job came to be, all together.

    The sum of times and the highest peak of memory are None unless they are known of every result.
    ``runtime_ids`` are those of each attempt that has results.
    """

    methods: tuple[str, ...]
    time_taken_s: float | None
    peak_rss_bytes: int | None
    runtime_ids: Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One transition in a job's history. ``runtime_id`` is of the attempt or validation that it ended."""

    seq: int
    at_us: int
    from_status: Status | None
    to_status: Status
    attempt: int
    worker_id: str | None
    why: str
    runtime_id: str | None

    @property
    def at(self) -> datetime:
        return to_datetime(self.at_us)


@dataclass(frozen=True, slots=True)
class Pruning:
    """What was removed of a job that is kept, and when (microseconds since 1970); None is what was not."""

    results_us: int | None = None
    circuits_us: int | None = None


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process that cannot be mistaken for another one: pids are reused, start times within a boot are not."""

    pid: int
    started: str


@dataclass(frozen=True, slots=True)
class WorkerRecord:
    """A worker as it last wrote of itself."""

    worker_id: str
    host: str
    boot_id: str
    pid: int
    pid_started: str
    children: tuple[ProcessIdentity, ...]
    slots: int
    lease_s: float
    aerjob_version: str
    qiskit_version: str | None
    aer_version: str | None
    started_us: int
    heartbeat_us: int
    heartbeat_monotonic_s: float
    drain_requested_us: int | None
    ended_us: int | None
    end: str | None
    # The most that all jobs together may have; None is what the machine has.
    max_memory_mb: int | None = None

    def is_silent(self, *, boot_id: str, monotonic_s: float) -> bool:
        """Tell whether its lease has run out; the wall clock has no part in it."""
        return self.boot_id != boot_id or monotonic_s - self.heartbeat_monotonic_s > self.lease_s
