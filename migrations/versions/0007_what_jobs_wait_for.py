"""What a job waits for besides its turn: other jobs, a release, a time.

Why the queue's index is made anew: claims read it from its beginning, and would have to pass over all jobs that wait.
Why a count stands in the job's row: the end of a job must not have to read all that those that wait for it depend on.
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0004"

_COLUMNS = (
    # How many things it waits for besides its turn: each job that has yet to end as it should, and what follows.
    "ALTER TABLE jobs ADD COLUMN waits INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE jobs ADD COLUMN held INTEGER NOT NULL DEFAULT 0",
    # Whether one of those of which any will do has yet to be DONE.
    "ALTER TABLE jobs ADD COLUMN unmet_any INTEGER NOT NULL DEFAULT 0",
    # NULL once the time has come.
    "ALTER TABLE jobs ADD COLUMN begin_us INTEGER",
)

_TABLES = (
    """
    CREATE TABLE dependencies (
        job_seq INTEGER NOT NULL,
        on_seq INTEGER NOT NULL,
        kind TEXT NOT NULL,
        PRIMARY KEY (job_seq, on_seq, kind),
        CONSTRAINT fk_dependencies_job_seq FOREIGN KEY (job_seq) REFERENCES jobs (seq) ON DELETE CASCADE,
        CONSTRAINT fk_dependencies_on_seq FOREIGN KEY (on_seq) REFERENCES jobs (seq) ON DELETE CASCADE
    ) WITHOUT ROWID
    """,
)

_INDEXES = (
    "CREATE INDEX ix_dependencies_on_seq ON dependencies (on_seq)",
    "CREATE INDEX ix_jobs_queue ON jobs (priority DESC, seq) WHERE status = 'QUEUED' AND waits = 0",
    "CREATE INDEX ix_jobs_begin_us ON jobs (begin_us) WHERE begin_us IS NOT NULL AND finished_us IS NULL",
)


def upgrade() -> None:
    for statement in _COLUMNS:
        op.execute(statement)
    op.execute("DROP INDEX ix_jobs_queue")
    for statement in _TABLES + _INDEXES:
        op.execute(statement)
