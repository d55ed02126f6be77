"""What is needed where many jobs share a machine.

* How much memory a job is estimated to take, and how much a worker gives out: by which it decides when one begins. Jobs
  of earlier schemas have no estimate, and begin as they did.
* Groups: a name that jobs share, and what finds those of one group. Why no table: a group is its jobs and nothing else.
  It is there with the first of them and gone with the last, so that nothing can be left of it or be missing. Most jobs
  are in none, and these are in no index.
* What a job waits for besides its turn: other jobs, a release, a time. Why the queue's index is made anew: claims read
  it from its beginning, and would have to pass over all jobs that wait. Why a count stands in the job's row: the end of
  a job must not have to read all that those that wait for it depend on.
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

_STATEMENTS = (
    "ALTER TABLE jobs ADD COLUMN estimated_bytes INTEGER",
    "ALTER TABLE workers ADD COLUMN max_memory_mb INTEGER",
    "ALTER TABLE jobs ADD COLUMN group_name TEXT",
    "CREATE INDEX ix_jobs_group_name ON jobs (group_name, seq) WHERE group_name IS NOT NULL",
    # How many things it waits for besides its turn: each job that has yet to end as it should, and what follows.
    "ALTER TABLE jobs ADD COLUMN waits INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE jobs ADD COLUMN held INTEGER NOT NULL DEFAULT 0",
    # Whether one of those of which any will do has yet to be DONE.
    "ALTER TABLE jobs ADD COLUMN unmet_any INTEGER NOT NULL DEFAULT 0",
    # NULL once the time has come.
    "ALTER TABLE jobs ADD COLUMN begin_us INTEGER",
    "DROP INDEX ix_jobs_queue",
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
    "CREATE INDEX ix_dependencies_on_seq ON dependencies (on_seq)",
    "CREATE INDEX ix_jobs_queue ON jobs (priority DESC, seq) WHERE status = 'QUEUED' AND waits = 0",
    "CREATE INDEX ix_jobs_begin_us ON jobs (begin_us) WHERE begin_us IS NOT NULL AND finished_us IS NULL",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
