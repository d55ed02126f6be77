"""How much memory a job is estimated to take, and how much a worker gives out: by which it decides when one begins.

Jobs of earlier schemas have none, and begin as they did.
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("ALTER TABLE jobs ADD COLUMN estimated_bytes INTEGER")
    op.execute("ALTER TABLE workers ADD COLUMN max_memory_mb INTEGER")
