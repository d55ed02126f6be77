"""What is needed where many jobs share a machine.

* How much memory a job is estimated to take, and how much a worker gives out: by which it decides when one begins. Jobs
  of earlier schemas have no estimate, and begin as they did.
* Groups: a name that jobs share, and what finds those of one group. Why no table: a group is its jobs and nothing else.
  It is there with the first of them and gone with the last, so that nothing can be left of it or be missing. Most jobs
  are in none, and these are in no index.
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
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
