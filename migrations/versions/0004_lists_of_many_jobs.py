"""What lets a list of jobs cost what it shows, however many jobs there are: an index for each filter and order.

Why the one by state becomes two: a job changes its state up to six times, and each time both the index of all jobs and
the small one of pending jobs had to be written. Now it is in the small one until it ends, and then in the other.
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

_INDEXES = (
    "CREATE INDEX ix_jobs_ended ON jobs (status, seq) WHERE finished_us IS NOT NULL",
    "CREATE INDEX ix_jobs_reason ON jobs (reason, seq) WHERE reason IS NOT NULL",
    "CREATE INDEX ix_jobs_name ON jobs (name, seq)",
    "CREATE INDEX ix_jobs_backend ON jobs (backend, seq)",
    "CREATE INDEX ix_jobs_priority ON jobs (priority, seq)",
    "CREATE INDEX ix_jobs_submitted_us ON jobs (submitted_us, seq)",
    "CREATE INDEX ix_jobs_started_us ON jobs (started_us, seq) WHERE started_us IS NOT NULL",
    "CREATE INDEX ix_jobs_finished_us ON jobs (finished_us, seq) WHERE finished_us IS NOT NULL",
)


def upgrade() -> None:
    op.execute("DROP INDEX ix_jobs_status")
    for statement in _INDEXES:
        op.execute(statement)
