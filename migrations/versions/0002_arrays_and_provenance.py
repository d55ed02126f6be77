"""Arrays of results (statevectors, unitaries, …), where a job runs, where it came from, and the place of an error.

Why arrays have a table of their own: they are stored as `.npy`, apart from the JSON of the result that refers to them
by name, so that they are read back bit for bit and without a copy in memory. The guards are those of `experiments`.
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

_COLUMNS = (
    # Where in the submitted text a refusal points to, counted from 1.
    "error_line INTEGER",
    "error_column INTEGER",
    # What whoever cancelled a running job said about it.
    "cancel_message TEXT",
    # The process that runs the job; noted only for jobs that run long enough to be looked at.
    "executor_pid INTEGER",
    "executor_started TEXT",
    # Who submitted it from where, as JSON; unknown for jobs of the first schema.
    "submitted_by TEXT",
)

_TABLES = (
    """
    CREATE TABLE experiment_arrays (
        job_seq INTEGER NOT NULL,
        position INTEGER NOT NULL,
        name TEXT NOT NULL,
        format TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        data BLOB,
        PRIMARY KEY (job_seq, position, name),
        CONSTRAINT fk_experiment_arrays_job_seq FOREIGN KEY (job_seq) REFERENCES jobs (seq) ON DELETE CASCADE
    ) WITHOUT ROWID
    """,
)

# What refers to files of the object folder: few rows do.
_INDEXES = tuple(
    f"CREATE INDEX ix_{table}_objects ON {table} (sha256) WHERE data IS NULL"
    for table in ("payloads", "experiments", "experiment_arrays")
)

_JOB_INDEXES = ("CREATE INDEX ix_jobs_retry_of ON jobs (retry_of) WHERE retry_of IS NOT NULL",)

_GUARDS = (
    """
    CREATE TRIGGER arrays_stay BEFORE UPDATE ON experiment_arrays
    BEGIN SELECT RAISE(ABORT, 'a stored array never changes'); END
    """,
    """
    CREATE TRIGGER arrays_are_not_replaced BEFORE INSERT ON experiment_arrays
    WHEN EXISTS (
        SELECT 1 FROM experiment_arrays
        WHERE job_seq = NEW.job_seq AND position = NEW.position AND name = NEW.name)
    BEGIN SELECT RAISE(ABORT, 'a stored array is never replaced'); END
    """,
    """
    CREATE TRIGGER arrays_belong_to_running_jobs BEFORE INSERT ON experiment_arrays
    WHEN (SELECT status FROM jobs WHERE seq = NEW.job_seq) IS NOT 'RUNNING'
    BEGIN SELECT RAISE(ABORT, 'only a running job gets arrays'); END
    """,
    """
    CREATE TRIGGER arrays_go_with_their_job BEFORE DELETE ON experiment_arrays
    WHEN EXISTS (SELECT 1 FROM jobs WHERE seq = OLD.job_seq)
    BEGIN SELECT RAISE(ABORT, 'a stored array goes only with its job'); END
    """,
)


def upgrade() -> None:
    for column in _COLUMNS:
        op.execute(f"ALTER TABLE jobs ADD COLUMN {column}")
    for statement in _TABLES + _INDEXES + _JOB_INDEXES + _GUARDS:
        op.execute(statement)
