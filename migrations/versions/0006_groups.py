"""Groups of jobs: a name that jobs share, and what finds those of one group.

Why no table: a group is its jobs and nothing else. It is there with the first of them and gone with the last, so that
nothing can be left of it or be missing. Most jobs are in none, and these are in no index.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0004"

_STATEMENTS = (
    "ALTER TABLE jobs ADD COLUMN group_name TEXT",
    "CREATE INDEX ix_jobs_group_name ON jobs (group_name, seq) WHERE group_name IS NOT NULL",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
