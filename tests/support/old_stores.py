"""Stores of earlier schemas, as they were checked in (``tests/migrations/stores``)."""

from __future__ import annotations

import sqlite3
import tarfile
from pathlib import Path
from typing import Any

from aerjob_cli.settings import StorePaths

STORES = Path(__file__).resolve().parents[1] / "migrations" / "stores"

Rows = dict[str, list[dict[str, Any]]]


def unpack(schema: str, home: Path) -> StorePaths:
    """Put a store of that schema at ``home``."""
    home.mkdir(mode=0o700)
    with tarfile.open(STORES / schema / "home.tar.xz") as archive:
        archive.extractall(home, filter="data")
    for path in (home, *home.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return StorePaths(home)


def rows_of(database: Path) -> Rows:
    """Give all rows of all tables, but for the name of the schema. Nobody may have the database open."""
    connection = sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)
    connection.row_factory = sqlite3.Row
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    try:
        return {
            name: [dict(row) for row in connection.execute(f'SELECT * FROM "{name}"')]  # noqa: S608 - our own tables
            for name in names
            if name != "alembic_version"
        }
    finally:
        connection.close()


def schema_of(database: Path) -> str:
    """Give the schema that a database says it has; nobody may have it open."""
    connection = sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)
    try:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    finally:
        connection.close()


def lacks_nothing_of(before: Rows, after: Rows) -> bool:
    """Tell whether all rows are there still, in their order, with all that they had; columns may have been added."""
    return all(
        len(rows) == len(after.get(table, ()))
        and all(row.items() <= later.items() for row, later in zip(rows, after[table], strict=True))
        for table, rows in before.items()
    )
