"""Answers about the store: what it is, whether it is sound, and what became of copying, cleaning and upgrading it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any, ClassVar

from aerjob_cli.cli.answers.base import Answer, show_time, time_json
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.cli.plurals import count_of
from aerjob_cli.cli.sizes import show_size
from aerjob_cli.clock import to_datetime
from aerjob_cli.frozen import dataclass
from aerjob_cli.store.backup import Backup
from aerjob_cli.store.description import Description
from aerjob_cli.store.problems import Findings
from aerjob_cli.store.records import WorkerRecord
from aerjob_cli.store.upgrade import Upgrade
from aerjob_cli.version import __version__

# What the tables that hold bytes are called in answers.
_CHECKED = {"payloads": "circuits", "experiments": "results", "experiment_arrays": "arrays"}


@dataclass(frozen=True, kw_only=True)
class StoreInfo(Answer):
    """What a store is and how much is in it."""

    screen: ClassVar[str | None] = "store"

    store: Description
    workers: tuple[WorkerRecord, ...]

    def content(self) -> dict[str, Any]:
        store = self.store
        return {
            "path": str(store.path),
            "store_uuid": store.uuid,
            "schema": store.schema,
            "created_at": time_json(to_datetime(store.created_us)),
            "created_by": store.created_by,
            "aerjob_version": __version__,
            "sqlite": {
                "library": store.sqlite_library,
                "version": store.sqlite_version,
                "journal_mode": store.journal_mode,
            },
            "size": {
                "database_bytes": store.database_bytes,
                "wal_bytes": store.wal_bytes,
                "objects_bytes": store.objects_bytes,
                "log_bytes": store.log_bytes,
                "total_bytes": store.total_bytes,
            },
            "objects": store.objects,
            "jobs": {status.lower(): count for status, count in store.jobs.items()},
            "jobs_total": sum(store.jobs.values()),
            "experiments": store.experiments,
            "worker_pids": [worker.pid for worker in self.workers],
        }

    def facts(self) -> Iterator[tuple[str, str]]:
        """Give what a person wants to know, each with what it is called; clean."""
        store = self.store
        yield "store", clean(str(store.path))
        yield "uuid", clean(store.uuid)
        yield "schema", store.schema
        yield "created", clean(f"{show_time(to_datetime(store.created_us))} by {store.created_by}")
        yield "aerjob", __version__
        yield "SQLite", f"{store.sqlite_version} ({store.sqlite_library}), journal mode {store.journal_mode}"
        yield "database", f"{show_size(store.database_bytes)}, and {show_size(store.wal_bytes)} in its log"
        yield "objects", f"{show_size(store.objects_bytes)} in {count_of(store.objects, 'file')}"
        yield "worker log", show_size(store.log_bytes)
        counts = ", ".join(f"{count} {status}" for status, count in store.jobs.items() if count)
        yield "jobs", f"{sum(store.jobs.values())}{f': {counts}' if counts else ''}"
        yield "experiments", f"{store.experiments} with a result"
        pids = ", ".join(str(worker.pid) for worker in self.workers)
        yield "worker", f"running, pid {pids}" if pids else "not running"

    def lines(self) -> Iterator[str]:
        yield from (f"{name}\t{value}" for name, value in self.facts())


@dataclass(frozen=True, kw_only=True)
class StoreCheck(Answer):
    """What an inspection of the store found."""

    screen: ClassVar[str | None] = "store"

    findings: Findings
    quick: bool
    repaired: tuple[str, ...] = ()

    def content(self) -> dict[str, Any]:
        found = self.findings
        return {
            "path": str(found.path),
            "sound": found.is_sound,
            "quick": self.quick,
            "repaired": list(self.repaired),
            "problems": [
                {"kind": str(problem.kind), "message": problem.message, "job_id": problem.job_id}
                for problem in found.problems
            ],
            "problems_total": found.problems_total,
            "checked": {_CHECKED[table]: count for table, count in found.checked.items()},
            "objects": {"count": found.objects, "bytes": found.objects_bytes},
            "unreferenced": {"count": found.unreferenced, "bytes": found.unreferenced_bytes},
        }

    def problems(self) -> Iterator[tuple[str, str]]:
        """Give the kind and the sentence of each problem; clean."""
        found = self.findings
        yield from ((str(problem.kind), clean(problem.message)) for problem in found.problems)
        if more := found.problems_total - len(found.problems):
            yield "more", f"and {count_of(more, 'more problem')}"

    def verdict(self) -> str:
        """Say what was looked at, of a store that is sound."""
        found = self.findings
        verified = ", ".join(
            count_of(count, _CHECKED[table].removesuffix("s")) for table, count in found.checked.items()
        )
        what = "no checksum was looked at" if self.quick else f"verified: {verified}"
        return f"{what}; {count_of(found.objects, 'object file')} ({show_size(found.objects_bytes)})"

    def repairs(self) -> Iterator[str]:
        """Give a sentence on each thing that was repaired; clean."""
        yield from map(clean, self.repaired)

    def lines(self) -> Iterator[str]:
        yield from (f"repaired\t{sentence}" for sentence in self.repairs())
        yield from (f"{kind}\t{message}" for kind, message in self.problems())
        if self.findings.is_sound:
            yield f"sound\t{self.verdict()}"


@dataclass(frozen=True, kw_only=True)
class StoreBackup(Answer):
    """Where a backup is, and what is in it."""

    backup: Backup

    def content(self) -> dict[str, Any]:
        backup = self.backup
        return {
            "path": str(backup.path),
            "jobs": backup.jobs,
            "objects": backup.objects,
            "size_bytes": backup.size_bytes,
            "damaged": list(backup.damaged),
        }

    def lines(self) -> Iterator[str]:
        backup = self.backup
        yield clean(
            f"{backup.path}: {count_of(backup.jobs, 'job')}, {count_of(backup.objects, 'object file')}, "
            f"{show_size(backup.size_bytes)}; "
            f"`AERJOB_HOME={shlex.quote(str(backup.path))} aerjob list` looks into it"
        )


@dataclass(frozen=True, kw_only=True)
class StoreCleaned(Answer):
    """How much was freed."""

    freed_bytes: int

    def content(self) -> dict[str, Any]:
        return {"freed_bytes": self.freed_bytes}

    def lines(self) -> Iterator[str]:
        yield f"{show_size(self.freed_bytes)} freed"


@dataclass(frozen=True, kw_only=True)
class StoreUpgraded(Answer):
    """From which schema to which, and where the database is as it was before."""

    upgrade: Upgrade

    def content(self) -> dict[str, Any]:
        upgrade = self.upgrade
        return {
            "outcome": "upgraded" if upgrade.was_needed else "already_current",
            "from": upgrade.source,
            "to": upgrade.target,
            "backup": None if upgrade.backup is None else str(upgrade.backup),
        }

    def lines(self) -> Iterator[str]:
        upgrade = self.upgrade
        if not upgrade.was_needed:
            yield f"already current: schema {upgrade.target}"
        else:
            yield clean(
                f"upgraded from schema {upgrade.source} to {upgrade.target}; the database as it was is in "
                f"{upgrade.backup}"
            )
