"""Is the store sound? Looks at all of it, changes nothing, and can be done while a worker works.

What is found is a list of problems, each with its sentence. Whatever keeps one part from being read does not keep the
others from being looked at.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, case, func, select, text
from sqlalchemy.exc import DBAPIError

from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store import waits_counted
from aerjob_cli.store.connections import IMMUTABLE
from aerjob_cli.store.copying import faults
from aerjob_cli.store.definitions import altered, unknown_triggers
from aerjob_cli.store.engines import engine_for
from aerjob_cli.store.faults import told
from aerjob_cli.store.folder import require_made, require_regular
from aerjob_cli.store.garbage import is_waste_when_unreferenced
from aerjob_cli.store.identity import missing_guards, require_current
from aerjob_cli.store.inventory import TABLES_WITH_BYTES, StoredFile, draft_files, object_files, referenced
from aerjob_cli.store.permissions import wrong_modes
from aerjob_cli.store.problems import Findings, ProblemKind, Report
from aerjob_cli.store.tables import experiments, jobs, metadata, prunings, store_identity
from aerjob_cli.store.verification import OnChecked, Verification

_BUSY_TIMEOUT_S = 60.0


def inspect_store(paths: StorePaths, *, quick: bool = False, on_checked: OnChecked = lambda _: None) -> Findings:
    """Look at the whole store; ``quick`` leaves out the checksums, and still misses no file.

    ``on_checked`` is told how many circuits, results and arrays have been verified. Raises ``StoreUnusable`` for what
    is no store in the latest schema, or cannot be opened.
    """
    report = Report(paths)
    with told(paths.home):
        require_made(paths)
        _look_at_permissions(paths, report)
    # Listed before the references are read, so that what is being put meanwhile is not taken for waste.
    files = [*object_files(paths), *draft_files(paths)]
    references: set[str] | None = None
    verification: Verification | None = None
    with report.trouble("the database cannot be opened"):
        require_regular(paths)
        with _opened(paths) as engine:
            verification = Verification(paths, lambda: _reading(engine), on_checked)
            if _has_its_schema(engine, report):
                _look_at_rows(engine, report)
                with report.trouble("the references to objects cannot be read"), _reading(engine) as tx:
                    references = referenced(tx)
                for table in TABLES_WITH_BYTES:
                    with report.trouble(f"the table {table.name} cannot be read to its end"):
                        found = verification.files_of(table) if quick else verification.everything_of(table)
                        for fault in found:
                            kind = ProblemKind.MISSING if fault.is_missing else ProblemKind.ALTERED
                            report.add(kind, fault.message, fault.job_id)
    waste = [] if references is None else _waste(files, references)
    objects = [file for file in files if file.sha256 is not None]
    return Findings(
        path=paths.home,
        problems=tuple(report.problems),
        problems_total=report.total,
        checked={} if verification is None or quick else verification.checked,
        objects=len(objects),
        objects_bytes=sum(file.size_bytes for file in objects),
        unreferenced=len(waste),
        unreferenced_bytes=sum(file.size_bytes for file in waste),
    )


def _has_its_schema(engine: Engine, report: Report) -> bool:
    """Report what is not there; tell whether all tables are, so that their rows can be looked at."""
    missing = set(metadata.tables)
    with report.trouble("the schema cannot be read"), _reading(engine) as tx:
        require_current(tx, report.paths.database)
        there = set(tx.execute(text("SELECT name FROM sqlite_master")).scalars())
        for guard in missing_guards(tx):
            report.add(ProblemKind.SCHEMA, f"the guard {guard} is not there")
        for name in altered(tx):
            report.add(ProblemKind.SCHEMA, f"the definition of {name} is not as it should be")
        for name in unknown_triggers(tx):
            report.add(ProblemKind.SCHEMA, f"the trigger {name} is not one of aerjob's")
        indexes = {str(index.name) for table in metadata.tables.values() for index in table.indexes}
        for name in sorted(indexes - there):
            report.add(ProblemKind.SCHEMA, f"the index {name} is not there")
        missing -= there
        for name in sorted(missing):
            report.add(ProblemKind.SCHEMA, f"the table {name} is not there")
        if not missing and tx.execute(select(store_identity.c.store_uuid)).scalar() is None:
            report.add(ProblemKind.SCHEMA, "the store has no identity")
    return not missing


def _look_at_rows(engine: Engine, report: Report) -> None:
    with report.trouble("the database cannot be checked"), _reading(engine) as tx:
        for fault in faults(tx.connection.dbapi_connection):
            report.add(ProblemKind.DATABASE, f"the database is damaged: {fault}")
    stored = select(func.count()).where(experiments.c.job_seq == jobs.c.seq).scalar_subquery()
    should_be = case((jobs.c.status == Status.DONE, jobs.c.experiments_total), else_=jobs.c.experiments_done)
    is_pruned = select(prunings.c.job_seq).where(prunings.c.job_seq == jobs.c.seq, prunings.c.results_us.is_not(None))
    query = select(jobs.c.job_id, jobs.c.status, stored.label("stored"), should_be.label("should_be"))
    with report.trouble("the jobs cannot be read to their end"), _reading(engine) as tx:
        for row in tx.execute(query.where(stored.is_distinct_from(should_be), ~is_pruned.exists())):
            message = f"job {row.job_id}, which is {row.status}, has {row.stored} results instead of {row.should_be}"
            report.add(ProblemKind.INCOMPLETE, message, row.job_id)
    with report.trouble("what jobs wait for cannot be read to its end"), _reading(engine) as tx:
        for found in tx.execute(waits_counted.WRONG):
            message = f"job {found.job_id} waits for {found.waits} things besides its turn instead of {found.should_be}"
            report.add(ProblemKind.WAITS, message, found.job_id)


def _waste(files: Iterable[StoredFile], references: set[str]) -> list[StoredFile]:
    now_s = time.time()
    return [file for file in files if file.sha256 not in references and is_waste_when_unreferenced(file, now_s=now_s)]


def _look_at_permissions(paths: StorePaths, report: Report) -> None:
    for fault in wrong_modes(paths):
        report.add(ProblemKind.PERMISSIONS, fault.message)
    for folder in (paths.objects, paths.incoming):
        if not os.path.lexists(folder):
            report.add(ProblemKind.MISSING, f"the folder {folder} is not there")


@contextmanager
def _opened(paths: StorePaths) -> Iterator[Engine]:
    """Give an engine for reading, also where the file system can only be read."""
    engine = engine_for(paths.database, busy_timeout_s=_BUSY_TIMEOUT_S)
    try:
        with _reading(engine) as tx:
            tx.execute(text("SELECT count(*) FROM sqlite_master"))
    except DBAPIError:
        engine.dispose()
        log = paths.database.with_name(f"{paths.database.name}-wal")
        if os.access(paths.home, os.W_OK) or (log.exists() and log.stat().st_size):
            raise
        engine = engine_for(paths.database, busy_timeout_s=_BUSY_TIMEOUT_S, access=IMMUTABLE)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _reading(engine: Engine) -> Iterator[Connection]:
    with engine.connect() as connection, connection.begin():
        yield connection
