"""Is this file our database, in a schema we know, with its guards in place? Asked at every open, before any write."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from aerjob_cli.errors import StoreDamaged, StoreForeign, StoreNewer, StoreOutdated
from aerjob_cli.store.dbapi import library_error
from aerjob_cli.store.prepared import prepared
from aerjob_cli.store.revisions import HEAD, KNOWN

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aerjob_cli.store.statements import identity as statements
else:
    statements = prepared("identity")

APPLICATION_ID = 0x6165726A  # "aerj"

# Finality is enforced by these; a store that lost one would forget what it promised.
GUARDS = frozenset(
    {
        "jobs_final_is_final",
        "jobs_final_is_not_replaced",
        "experiments_stay",
        "experiments_are_not_replaced",
        "experiments_belong_to_running_jobs",
        "experiments_go_with_their_job",
        "payloads_stay",
        "payloads_go_with_their_job",
        "arrays_stay",
        "arrays_are_not_replaced",
        "arrays_belong_to_running_jobs",
        "arrays_go_with_their_job",
        "runtimes_stay",
        "runtimes_are_not_replaced",
        "runtimes_are_kept",
        "prunings_are_of_final_jobs",
        "prunings_stay",
        "prunings_are_not_replaced",
        "prunings_go_with_their_job",
        "payloads_belong_to_pending_jobs",
        "jobs_with_a_command_end",
    }
)

_RESTORE = "restore it from a backup, or move it away and start a new one"


def require_ours(connection: Connection, path: Path) -> str:
    """Return the store's uuid, or raise the ``StoreUnusable`` that says what this file is instead."""
    require_current(connection, path)
    return require_whole(connection, path)


def require_current(connection: Connection, path: Path) -> None:
    """Raise the ``StoreUnusable`` that says why this is no store in the latest schema."""
    revision = require_known(connection, path)
    if revision != HEAD:
        raise StoreOutdated(path, f"has the schema {revision} of an earlier aerjob", "run: aerjob store upgrade")


def require_known(connection: Connection, path: Path) -> str:
    """Return the schema's revision, or raise the ``StoreUnusable`` that says why it is none of ours."""
    if connection.execute(statements.APPLICATION_ID).scalar() != APPLICATION_ID:
        raise StoreForeign(path, "is not an aerjob database", "move the file away, or set AERJOB_HOME")
    revision = _revision(connection, path)
    if revision not in KNOWN:
        raise StoreNewer(path, f"was written by a later aerjob (schema {revision})", "upgrade aerjob")
    return revision


def require_whole(connection: Connection, path: Path) -> str:
    """Return the uuid of a store in the latest schema; raises ``StoreDamaged`` when something essential is missing."""
    missing = missing_guards(connection)
    if missing:
        raise StoreDamaged(path, f"lacks the guards {', '.join(missing)}", "run: aerjob store check --repair")
    uuid = connection.execute(statements.STORE_UUID).scalar()
    if uuid is None:
        raise StoreDamaged(path, "has no identity", _RESTORE)
    return str(uuid)


def missing_guards(connection: Connection) -> list[str]:
    """Name the triggers that should be there and are not."""
    triggers = connection.execute(statements.TRIGGERS).scalars()
    return sorted(GUARDS - set(triggers))


def _revision(connection: Connection, path: Path) -> str:
    try:
        revision = connection.execute(statements.REVISION).scalar()
    except Exception as error:  # SQLAlchemy's or the library's own, as the connection is
        if "no such table" not in str(library_error(error)):
            raise
        revision = None
    if revision is None:
        raise StoreDamaged(path, "does not say which schema it has", _RESTORE)
    return str(revision)
