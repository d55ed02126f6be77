"""The tables of the store, as SQLAlchemy Core sees them.

`migrations/` builds them; a test compares the two. Times that end in ``_us`` are microseconds since 1970 in UTC.
Booleans are 0 or 1. Bytes live either in ``data`` or, when ``data`` is NULL, in the object folder under their
``sha256``.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    MetaData,
    Table,
    text,
)

from aerjob_cli.states import After, Reason, Status
from aerjob_cli.store.columns import Instant, Octets, OneOf, Real, Unsigned, Whole, Words

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)

store_identity = Table(
    "store_identity",
    metadata,
    Column("singleton", Whole, CheckConstraint("singleton = 1", name="one_row"), primary_key=True),
    Column("store_uuid", Words, nullable=False),
    Column("created_us", Instant, nullable=False),
    Column("created_by", Words, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    # The order of submission, from 1; a clock that is set back does not change it. Jobs of other stores come before.
    Column("seq", Whole, primary_key=True),
    Column("job_id", Words, nullable=False, unique=True),
    Column("status", OneOf(Status), nullable=False),
    Column("reason", OneOf(Reason)),
    Column("message", Words),
    Column("stderr_tail", Words),
    # What was asked for.
    Column("name", Words),
    Column("backend", Words, nullable=False),
    Column("method", Words, nullable=False),
    Column("shots", Whole, nullable=False),
    Column("seed", Whole, nullable=False),
    Column("memory", Whole, nullable=False),
    Column("options", Words, nullable=False),
    Column("metadata", Words, nullable=False),
    Column("counts_required", Whole, nullable=False),
    Column("priority", Whole, nullable=False),
    Column("time_limit_s", Real),
    Column("max_memory_mb", Whole),
    Column("max_attempts", Whole, nullable=False),
    Column("idempotency_key", Words, unique=True),
    Column("request_sha256", Words, nullable=False),
    Column("retry_of", Words),
    # What validation found.
    Column("experiments_total", Whole),
    Column("threads", Whole),
    # Where it is.
    Column("experiments_done", Whole, nullable=False),
    Column("validations", Whole, nullable=False),
    Column("attempt", Whole, nullable=False),
    Column("attempts_charged", Whole, nullable=False),
    Column("worker_id", Words),
    Column("claim_token", Words),
    Column("cancel_requested_us", Instant),
    Column("engine", Words),
    Column("submitted_us", Instant, nullable=False),
    Column("started_us", Instant),
    Column("finished_us", Instant),
    # Where in the submitted text a refusal points to, counted from 1.
    Column("error_line", Whole),
    Column("error_column", Whole),
    Column("cancel_message", Words),
    # The process that runs it; noted only for jobs that run long enough to be looked at.
    Column("executor_pid", Whole),
    Column("executor_started", Words),
    # Who submitted it from where, as JSON; NULL for jobs of the first schema.
    Column("submitted_by", Words),
    # What validation found as well: the memory that it takes, as far as anybody can tell.
    Column("estimated_bytes", Whole),
    # What it is looked at together with; NULL for a job in no group.
    Column("group_name", Words),
    # How many things it waits for besides its turn: each job that has yet to end as it should, and what follows.
    Column("waits", Whole, nullable=False),
    # Whether somebody has to release it; whether one of several jobs has yet to be DONE; a time, NULL once it has come.
    Column("held", Whole, nullable=False),
    Column("unmet_any", Whole, nullable=False),
    Column("begin_us", Instant),
    # What decides about its result, as a checksum; NULL for jobs of earlier schemas.
    Column("result_key", Words),
    # The job whose result it was given; the time at which it came in from another store.
    Column("reused_from", Words),
    Column("imported_us", Instant),
    # A command for a shell, to be run when it has ended.
    Column("on_end", Words),
    CheckConstraint(
        "status IN ('INITIALIZING', 'VALIDATING', 'QUEUED', 'RUNNING', 'DONE', 'ERROR', 'CANCELLED')", name="status"
    ),
    CheckConstraint("(reason IS NOT NULL) = (status IN ('ERROR', 'CANCELLED'))", name="reason"),
    CheckConstraint("(finished_us IS NOT NULL) = (status IN ('DONE', 'ERROR', 'CANCELLED'))", name="finished"),
    CheckConstraint("(claim_token IS NOT NULL) = (status IN ('VALIDATING', 'RUNNING'))", name="claimed"),
    sqlite_autoincrement=True,
)

# The queue: what a claim reads is exactly this index, in its order. Jobs that wait for more than their turn are not in
# it, so that claims need not pass over them, however many there are. One column says so: SQLite (3.53) does not see
# that the index alone will do where its condition has three parts.
Index(
    "ix_jobs_queue",
    jobs.c.priority.desc(),
    jobs.c.seq,
    sqlite_where=text("status = 'QUEUED' AND waits = 0"),
)
# The condition under which SQLite takes that index: all of it stands in the statement itself, and SQLite is told not to
# think that few jobs queue, or it would find and sort all of them to take the first.
IS_QUEUED = text("likelihood(jobs.status = 'QUEUED', 0.99) AND jobs.waits = 0")
# By state, in two: a job is in the small one until it ends, and then once in the large one.
Index("ix_jobs_pending", jobs.c.status, jobs.c.seq, sqlite_where=text("finished_us IS NULL"))
Index("ix_jobs_ended", jobs.c.status, jobs.c.seq, sqlite_where=text("finished_us IS NOT NULL"))
# What lists are filtered and sorted by; `list_plans` says which of them answers.
Index("ix_jobs_reason", jobs.c.reason, jobs.c.seq, sqlite_where=text("reason IS NOT NULL"))
Index("ix_jobs_name", jobs.c.name, jobs.c.seq)
Index("ix_jobs_backend", jobs.c.backend, jobs.c.seq)
Index("ix_jobs_priority", jobs.c.priority, jobs.c.seq)
Index("ix_jobs_submitted_us", jobs.c.submitted_us, jobs.c.seq)
Index("ix_jobs_started_us", jobs.c.started_us, jobs.c.seq, sqlite_where=text("started_us IS NOT NULL"))
Index("ix_jobs_finished_us", jobs.c.finished_us, jobs.c.seq, sqlite_where=text("finished_us IS NOT NULL"))
Index("ix_jobs_group_name", jobs.c.group_name, jobs.c.seq, sqlite_where=text("group_name IS NOT NULL"))
# The times that have yet to come.
Index("ix_jobs_begin_us", jobs.c.begin_us, sqlite_where=text("begin_us IS NOT NULL AND finished_us IS NULL"))
Index("ix_jobs_retry_of", jobs.c.retry_of, sqlite_where=text("retry_of IS NOT NULL"))
Index("ix_jobs_result_key", jobs.c.result_key, jobs.c.seq, sqlite_where=text("result_key IS NOT NULL"))

job_tags = Table(
    "job_tags",
    metadata,
    Column("tag", Words, primary_key=True),
    Column("job_seq", Whole, ForeignKey("jobs.seq", ondelete="CASCADE"), primary_key=True),
    Index("ix_job_tags_job_seq", "job_seq"),
    sqlite_with_rowid=False,
)

# Which job depends on which other one, and how.
dependencies = Table(
    "dependencies",
    metadata,
    Column("job_seq", Whole, ForeignKey("jobs.seq", ondelete="CASCADE"), primary_key=True),
    Column("on_seq", Whole, ForeignKey("jobs.seq", ondelete="CASCADE"), primary_key=True),
    Column("kind", OneOf(After), primary_key=True),
    Index("ix_dependencies_on_seq", "on_seq"),
    sqlite_with_rowid=False,
)

# What was removed of jobs that are kept, and when.
prunings = Table(
    "prunings",
    metadata,
    Column("job_seq", Whole, ForeignKey("jobs.seq", ondelete="CASCADE"), primary_key=True),
    Column("results_us", Instant),
    Column("circuits_us", Instant),
)

# The commands of jobs that have ended, and what came of them. A trigger makes the row with the end of the job.
end_commands = Table(
    "end_commands",
    metadata,
    Column("job_seq", Whole, ForeignKey("jobs.seq", ondelete="CASCADE"), primary_key=True),
    Column("begun_us", Instant),
    Column("worker_id", Words),
    Column("finished_us", Instant),
    Column("outcome", Words),
    Index("ix_end_commands_due", "job_seq", sqlite_where=text("begun_us IS NULL")),
    Index("ix_end_commands_begun", "job_seq", sqlite_where=text("begun_us IS NOT NULL AND finished_us IS NULL")),
)

payloads = Table(
    "payloads",
    metadata,
    Column("payload_id", Whole, primary_key=True),
    Column("job_seq", Whole, ForeignKey("jobs.seq", ondelete="CASCADE"), nullable=False),
    Column("position", Whole, nullable=False),
    Column("name", Words, nullable=False),
    Column("format", Words, nullable=False),
    Column("sha256", Words, nullable=False),
    Column("size_bytes", Whole, nullable=False),
    Column("data", Octets),
    Index("uq_payloads_job_seq_position", "job_seq", "position", unique=True),
)

experiments = Table(
    "experiments",
    metadata,
    Column("job_seq", Whole, ForeignKey("jobs.seq", ondelete="CASCADE"), primary_key=True),
    Column("position", Whole, primary_key=True),
    Column("attempt", Whole, nullable=False),
    Column("name", Words, nullable=False),
    Column("shots", Whole, nullable=False),
    Column("format", Words, nullable=False),
    Column("sha256", Words, nullable=False),
    Column("size_bytes", Whole, nullable=False),
    Column("data", Octets),
    # How it was run, as the simulator and the system tell of it; NULL where nobody told.
    Column("seed", Unsigned),
    Column("method", Words),
    Column("threads", Whole),
    Column("time_taken_s", Real),
    Column("peak_rss_bytes", Whole),
    Column("runtime_id", Words),
    sqlite_with_rowid=False,
)

experiment_arrays = Table(
    "experiment_arrays",
    metadata,
    Column("job_seq", Whole, ForeignKey("jobs.seq", ondelete="CASCADE"), primary_key=True),
    Column("position", Whole, primary_key=True),
    Column("name", Words, primary_key=True),
    Column("format", Words, nullable=False),
    Column("sha256", Words, nullable=False),
    Column("size_bytes", Whole, nullable=False),
    Column("data", Octets),
    sqlite_with_rowid=False,
)

# What refers to files of the object folder. Few rows do, and they are found without reading all others.
for _table in (payloads, experiments, experiment_arrays):
    Index(f"ix_{_table.name}_objects", _table.c.sha256, sqlite_where=text("data IS NULL"))

events = Table(
    "events",
    metadata,
    Column("seq", Whole, primary_key=True),
    Column("job_seq", Whole, ForeignKey("jobs.seq", ondelete="CASCADE"), nullable=False),
    Column("at_us", Instant, nullable=False),
    Column("from_status", OneOf(Status)),
    Column("to_status", OneOf(Status), nullable=False),
    Column("attempt", Whole, nullable=False),
    Column("worker_id", Words),
    Column("why", Words, nullable=False),
    # What an attempt or a validation ran with that this move ended.
    Column("runtime_id", Words),
    Index("ix_events_job_seq", "job_seq", "seq"),
    sqlite_autoincrement=True,
)

# What jobs ran with: versions and machine, as JSON. Each is there once, named by a hash of its content. Nothing forces
# those that are referred to to be there: without them a result is as good.
runtimes = Table(
    "runtimes",
    metadata,
    Column("runtime_id", Words, primary_key=True),
    Column("facts", Words, nullable=False),
    sqlite_with_rowid=False,
)

workers = Table(
    "workers",
    metadata,
    Column("worker_id", Words, primary_key=True),
    Column("host", Words, nullable=False),
    Column("boot_id", Words, nullable=False),
    Column("pid", Whole, nullable=False),
    Column("pid_started", Words, nullable=False),
    # Processes it started, as JSON [[pid, start], …]: what a successor must end where the system did not.
    Column("children", Words, nullable=False),
    Column("slots", Whole, nullable=False),
    Column("lease_s", Real, nullable=False),
    Column("aerjob_version", Words, nullable=False),
    Column("qiskit_version", Words),
    Column("aer_version", Words),
    Column("started_us", Instant, nullable=False),
    Column("heartbeat_us", Instant, nullable=False),
    Column("heartbeat_monotonic_s", Real, nullable=False),
    Column("drain_requested_us", Instant),
    Column("ended_us", Instant),
    Column("end", Words),
    Column("max_memory_mb", Whole),
)
Index("ix_workers_alive", workers.c.started_us, sqlite_where=text("ended_us IS NULL"))
