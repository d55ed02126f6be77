"""The tables of the store, as SQLAlchemy Core sees them.

`migrations/` builds them; a test compares the two. Times that end in ``_us`` are microseconds since 1970 in UTC.
Booleans are 0 or 1. Bytes live either in ``data`` or, when ``data`` is NULL, in the object folder under their
``sha256``.
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

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
    Column("singleton", Integer, CheckConstraint("singleton = 1", name="one_row"), primary_key=True),
    Column("store_uuid", Text, nullable=False),
    Column("created_us", Integer, nullable=False),
    Column("created_by", Text, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    # The order of submission; a clock that is set back does not change it.
    Column("seq", Integer, primary_key=True),
    Column("job_id", Text, nullable=False, unique=True),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("message", Text),
    Column("stderr_tail", Text),
    # What was asked for.
    Column("name", Text),
    Column("backend", Text, nullable=False),
    Column("method", Text, nullable=False),
    Column("shots", Integer, nullable=False),
    Column("seed", Integer, nullable=False),
    Column("memory", Integer, nullable=False),
    Column("options", Text, nullable=False),
    Column("metadata", Text, nullable=False),
    Column("counts_required", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("time_limit_s", Float),
    Column("max_memory_mb", Integer),
    Column("max_attempts", Integer, nullable=False),
    Column("idempotency_key", Text, unique=True),
    Column("request_sha256", Text, nullable=False),
    Column("retry_of", Text),
    # What validation found.
    Column("experiments_total", Integer),
    Column("threads", Integer),
    # Where it is.
    Column("experiments_done", Integer, nullable=False),
    Column("validations", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("attempts_charged", Integer, nullable=False),
    Column("worker_id", Text),
    Column("claim_token", Text),
    Column("cancel_requested_us", Integer),
    Column("engine", Text),
    Column("submitted_us", Integer, nullable=False),
    Column("started_us", Integer),
    Column("finished_us", Integer),
    # Where in the submitted text a refusal points to, counted from 1.
    Column("error_line", Integer),
    Column("error_column", Integer),
    Column("cancel_message", Text),
    # The process that runs it; noted only for jobs that run long enough to be looked at.
    Column("executor_pid", Integer),
    Column("executor_started", Text),
    # Who submitted it from where, as JSON; NULL for jobs of the first schema.
    Column("submitted_by", Text),
    CheckConstraint(
        "status IN ('INITIALIZING', 'VALIDATING', 'QUEUED', 'RUNNING', 'DONE', 'ERROR', 'CANCELLED')", name="status"
    ),
    CheckConstraint("(reason IS NOT NULL) = (status IN ('ERROR', 'CANCELLED'))", name="reason"),
    CheckConstraint("(finished_us IS NOT NULL) = (status IN ('DONE', 'ERROR', 'CANCELLED'))", name="finished"),
    CheckConstraint("(claim_token IS NOT NULL) = (status IN ('VALIDATING', 'RUNNING'))", name="claimed"),
    sqlite_autoincrement=True,
)

# The queue: what a claim reads is exactly this index, in its order.
Index(
    "ix_jobs_queue",
    jobs.c.priority.desc(),
    jobs.c.seq,
    sqlite_where=text("status = 'QUEUED'"),
)
# The condition under which SQLite takes that index: the state stands in the statement itself, and it is told not to
# think that few jobs queue, or it would find and sort all of them to take the first.
IS_QUEUED = text("likelihood(jobs.status = 'QUEUED', 0.99)")
Index("ix_jobs_pending", jobs.c.status, jobs.c.seq, sqlite_where=text("finished_us IS NULL"))
Index("ix_jobs_status", jobs.c.status, jobs.c.seq)
Index("ix_jobs_retry_of", jobs.c.retry_of, sqlite_where=text("retry_of IS NOT NULL"))

job_tags = Table(
    "job_tags",
    metadata,
    Column("tag", Text, primary_key=True),
    Column("job_seq", Integer, ForeignKey("jobs.seq", ondelete="CASCADE"), primary_key=True),
    Index("ix_job_tags_job_seq", "job_seq"),
    sqlite_with_rowid=False,
)

payloads = Table(
    "payloads",
    metadata,
    Column("payload_id", Integer, primary_key=True),
    Column("job_seq", Integer, ForeignKey("jobs.seq", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("format", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("data", LargeBinary),
    Index("uq_payloads_job_seq_position", "job_seq", "position", unique=True),
)

experiments = Table(
    "experiments",
    metadata,
    Column("job_seq", Integer, ForeignKey("jobs.seq", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("attempt", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("shots", Integer, nullable=False),
    Column("format", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("data", LargeBinary),
    sqlite_with_rowid=False,
)

experiment_arrays = Table(
    "experiment_arrays",
    metadata,
    Column("job_seq", Integer, ForeignKey("jobs.seq", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("format", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("data", LargeBinary),
    sqlite_with_rowid=False,
)

# What refers to files of the object folder. Few rows do, and they are found without reading all others.
for _table in (payloads, experiments, experiment_arrays):
    Index(f"ix_{_table.name}_objects", _table.c.sha256, sqlite_where=text("data IS NULL"))

events = Table(
    "events",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("job_seq", Integer, ForeignKey("jobs.seq", ondelete="CASCADE"), nullable=False),
    Column("at_us", Integer, nullable=False),
    Column("from_status", Text),
    Column("to_status", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("worker_id", Text),
    Column("why", Text, nullable=False),
    Index("ix_events_job_seq", "job_seq", "seq"),
    sqlite_autoincrement=True,
)

workers = Table(
    "workers",
    metadata,
    Column("worker_id", Text, primary_key=True),
    Column("host", Text, nullable=False),
    Column("boot_id", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("pid_started", Text, nullable=False),
    # Processes it started, as JSON [[pid, start], …]: what a successor must end where the system did not.
    Column("children", Text, nullable=False),
    Column("slots", Integer, nullable=False),
    Column("lease_s", Float, nullable=False),
    Column("aerjob_version", Text, nullable=False),
    Column("qiskit_version", Text),
    Column("aer_version", Text),
    Column("started_us", Integer, nullable=False),
    Column("heartbeat_us", Integer, nullable=False),
    Column("heartbeat_monotonic_s", Float, nullable=False),
    Column("drain_requested_us", Integer),
    Column("ended_us", Integer),
    Column("end", Text),
)
Index("ix_workers_alive", workers.c.started_us, sqlite_where=text("ended_us IS NULL"))
