"""How each result came to be: what the simulator said of an experiment, and which versions it ran with.

Why `runtimes` is a table: the versions and the machine are the same for nearly all experiments of a store. Each set of
them is there once, under a hash of its content, so that who writes a result need not look it up.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"

_TABLES = (
    """
    CREATE TABLE runtimes (
        runtime_id TEXT NOT NULL PRIMARY KEY,
        facts TEXT NOT NULL
    ) WITHOUT ROWID
    """,
)

# Unknown, and so NULL, for what ran with an earlier schema.
_COLUMNS = (
    # From 0 to 2^64 - 1 in decimal digits: SQLite's integers have a sign.
    "ALTER TABLE experiments ADD COLUMN seed TEXT",
    # The method that the simulator took, where it was left to it.
    "ALTER TABLE experiments ADD COLUMN method TEXT",
    "ALTER TABLE experiments ADD COLUMN threads INTEGER",
    "ALTER TABLE experiments ADD COLUMN time_taken_s FLOAT",
    "ALTER TABLE experiments ADD COLUMN peak_rss_bytes INTEGER",
    "ALTER TABLE experiments ADD COLUMN runtime_id TEXT",
    # Of an attempt or a validation that this move ended.
    "ALTER TABLE events ADD COLUMN runtime_id TEXT",
)

_GUARDS = (
    """
    CREATE TRIGGER runtimes_stay BEFORE UPDATE ON runtimes
    BEGIN SELECT RAISE(ABORT, 'what a job ran with never changes'); END
    """,
    """
    CREATE TRIGGER runtimes_are_not_replaced BEFORE INSERT ON runtimes
    WHEN EXISTS (SELECT 1 FROM runtimes WHERE runtime_id = NEW.runtime_id)
    BEGIN SELECT RAISE(ABORT, 'what a job ran with is never replaced'); END
    """,
    """
    CREATE TRIGGER runtimes_are_kept BEFORE DELETE ON runtimes
    BEGIN SELECT RAISE(ABORT, 'what jobs ran with is kept'); END
    """,
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
    for statement in _COLUMNS:
        op.execute(statement)
    for statement in _GUARDS:
        op.execute(statement)
