"""Which schema a store has, and bringing it to the one this aerjob knows.

Alembic is imported only where a schema is built or changed; telling an old store from a current one needs none of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

# The head of migrations/; a test compares the two.
HEAD = "0006"
KNOWN = ("0001", "0002", "0003", "0004", "0005", "0006")


def migrations_folder() -> Path:
    """Find the migrations: inside an installed package, or beside it in a checkout."""
    from importlib.resources import files

    package = Path(str(files("aerjob_cli")))
    installed = package / "_migrations"
    return installed if installed.is_dir() else package.parent / "migrations"


def migrate(connection: Connection) -> None:
    """Bring the schema to HEAD inside the transaction that ``connection`` is in."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
