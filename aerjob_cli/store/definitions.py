"""How the triggers and indexes of the latest schema are defined: which of them are missing, which are not as they were.

The migrations are the one source. Reading them takes Alembic, which looking at a store must not need; so their
fingerprints stand here, and a test compares the two.
"""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection, StaticPool, create_engine, text

from aerjob_cli.frozen import dataclass
from aerjob_cli.store.dbapi import sqlite_library
from aerjob_cli.store.revisions import migrate

# What `fingerprint` gives for the definition that a fresh store has.
FINGERPRINTS = {
    "ix_dependencies_on_seq": "a1ca6f4ec387a8b6",
    "ix_end_commands_begun": "259f846268771cac",
    "ix_end_commands_due": "7d11205b8e403a86",
    "ix_events_job_seq": "a67aa0fae95491a8",
    "ix_experiment_arrays_objects": "128d2697c158c9a1",
    "ix_experiments_objects": "186346167bdf5599",
    "ix_job_tags_job_seq": "02b6b4aa4e8bb0de",
    "ix_jobs_backend": "aad73a5471594848",
    "ix_jobs_begin_us": "190ccc496e042f3c",
    "ix_jobs_ended": "88fa5d9fa6d7eb55",
    "ix_jobs_finished_us": "c504af079763cd5e",
    "ix_jobs_group_name": "74ea2962dc6d5018",
    "ix_jobs_name": "2db0281063043a21",
    "ix_jobs_pending": "dc50f358fd23ddba",
    "ix_jobs_priority": "ed6f32008fd83c43",
    "ix_jobs_queue": "6831c9f87ae99e07",
    "ix_jobs_reason": "7d585d0802920d5c",
    "ix_jobs_result_key": "ae8de668269e1e5d",
    "ix_jobs_retry_of": "9363cbd6f46a32a6",
    "ix_jobs_started_us": "744b0c197be62643",
    "ix_jobs_submitted_us": "30e7c61a6d325d72",
    "ix_payloads_objects": "e09e38922ba5c00d",
    "ix_workers_alive": "fceea25b2dec8b8e",
    "uq_payloads_job_seq_position": "de4c29b51d21aa57",
    "arrays_are_not_replaced": "c764d77f33f6b25d",
    "arrays_belong_to_running_jobs": "5d912ccec44da55e",
    "arrays_go_with_their_job": "dedf9fbeed312c6e",
    "arrays_stay": "9756173b2231c8e7",
    "experiments_are_not_replaced": "b68194d576212039",
    "experiments_belong_to_running_jobs": "484ecf940a8f780f",
    "experiments_go_with_their_job": "b32384c74af4b5fa",
    "experiments_stay": "2cd5a46d17c70e85",
    "jobs_final_is_final": "685abd75ce0e490e",
    "jobs_final_is_not_replaced": "dc4a6de297f24a6f",
    "jobs_with_a_command_end": "307028ab3bc5cf8a",
    "payloads_belong_to_pending_jobs": "a449e3f4351fbca6",
    "payloads_go_with_their_job": "260ff33a6f45a3a0",
    "payloads_stay": "8e01a22333f76795",
    "prunings_are_not_replaced": "3350c5fd81423a96",
    "prunings_are_of_final_jobs": "6629f8152be43d19",
    "prunings_go_with_their_job": "aa7f9b11bf8ef16d",
    "prunings_stay": "8ef64e0c462220d9",
    "runtimes_are_kept": "0c2f2641985f8cde",
    "runtimes_are_not_replaced": "4aac6f38a101cb67",
    "runtimes_stay": "c248b5a69b347fc9",
}

_DEFINED = text("SELECT type, name, sql FROM sqlite_master WHERE type IN ('trigger', 'index') AND sql IS NOT NULL")


@dataclass(frozen=True, slots=True)
class Definition:
    """A trigger or an index, and the statement that makes it."""

    kind: str
    name: str
    sql: str


def definitions_of(connection: Connection) -> dict[str, Definition]:
    """Give the triggers and indexes that a database has, but for those that SQLite makes by itself."""
    return {row.name: Definition(row.type, row.name, row.sql) for row in connection.execute(_DEFINED)}


def altered(connection: Connection) -> list[str]:
    """Name those that are there and not as the migrations define them."""
    found = definitions_of(connection)
    return sorted(name for name, print_ in FINGERPRINTS.items() if name in found and fingerprint(found[name]) != print_)


def unknown_triggers(connection: Connection) -> list[str]:
    """Name the triggers that no migration has made."""
    found = definitions_of(connection).values()
    return sorted(item.name for item in found if item.kind == "trigger" and item.name not in FINGERPRINTS)


def fingerprint(definition: Definition) -> str:
    """Shorten a definition to what tells it from another one; how it is set in lines does not matter."""
    return hashlib.sha256(" ".join(definition.sql.split()).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def definitions_of_the_migrations() -> dict[str, Definition]:
    """Run the migrations in memory and give what they define. Imports Alembic."""
    engine = create_engine("sqlite://", module=sqlite_library().module, poolclass=StaticPool)
    try:
        with engine.begin() as connection:
            migrate(connection)
            return definitions_of(connection)
    finally:
        engine.dispose()
