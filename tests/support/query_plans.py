"""How SQLite would run the statements that were really sent to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from aerjob_cli.settings import StorePaths
from aerjob_cli.store import connections
from aerjob_cli.store.dbapi import sqlite_library

# Tables that grow with the number of jobs.
LARGE = "jobs|experiments|events|payloads|job_tags|experiment_arrays|other_tags|other|later|dependencies|awaited"


@dataclass
class Recorded:
    """Statements with their parameters, each as often as it was sent."""

    statements: list[tuple[str, Any]] = field(default_factory=list)

    def plans(self, paths: StorePaths) -> Iterator[tuple[str, list[str]]]:
        """Give each different statement that reads or changes rows, with the steps of its plan."""
        connection = connections.raw_connection(paths.database, busy_timeout_s=0)
        seen = set()
        for statement, parameters in self.statements:
            if statement in seen or not re.match(r"\s*(SELECT|UPDATE|DELETE|WITH)\b", statement):
                continue
            seen.add(statement)
            rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            yield statement, [row[3] for row in rows]
        connection.close()


@contextmanager
def recorded() -> Iterator[Recorded]:
    """Record what is sent to any database of this process while the block runs, whoever sends it."""
    heard = Recorded()
    module = sqlite_library().module
    guarded = connections._connection_class(module)
    cursor_of = guarded.cursor

    class RecordingCursor(module.Cursor):  # type: ignore[name-defined,misc]
        def execute(self, statement: str, parameters: Any = ()) -> Any:
            heard.statements.append((statement, parameters))
            return super().execute(statement, parameters)

        def executemany(self, statement: str, rows: Any) -> Any:
            several = list(rows)
            heard.statements += [(statement, row) for row in several[:1]]
            return super().executemany(statement, several)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(guarded, "cursor", lambda connection: cursor_of(connection, RecordingCursor))
        yield heard


def unbounded_steps(statement: str, plan: list[str]) -> list[str]:
    """Name the steps of a plan that read a whole table, or sort what they find.

    A walk along an index, or along the numbers of jobs, that ends with LIMIT is no such step.
    """
    return [
        step
        for step in plan
        if "TEMP B-TREE" in step or (re.match(rf"SCAN ({LARGE})\b", step) and "LIMIT" not in statement)
    ]
