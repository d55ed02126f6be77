"""How SQLite would run the statements that were really sent to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

# Tables that grow with the number of jobs.
LARGE = "jobs|experiments|events|payloads|job_tags|experiment_arrays|other_tags|other"


@dataclass
class Recorded:
    """Statements with their parameters, each as often as it was sent."""

    statements: list[tuple[str, Any]] = field(default_factory=list)

    def plans(self, tx: Connection) -> Iterator[tuple[str, list[str]]]:
        """Give each different statement that reads or changes rows, with the steps of its plan."""
        seen = set()
        for statement, parameters in self.statements:
            if statement in seen or not re.match(r"\s*(SELECT|UPDATE|DELETE|WITH)\b", statement):
                continue
            seen.add(statement)
            rows = tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            yield statement, [row[3] for row in rows]


@contextmanager
def recorded() -> Iterator[Recorded]:
    """Record all statements of this process while the block runs."""
    heard = Recorded()

    def note(_c: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        heard.statements.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield heard
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def unbounded_steps(statement: str, plan: list[str]) -> list[str]:
    """Name the steps of a plan that read a whole table, or sort what they find.

    A walk along an index, or along the numbers of jobs, that ends with LIMIT is no such step.
    """
    return [
        step
        for step in plan
        if "TEMP B-TREE" in step or (re.match(rf"SCAN ({LARGE})\b", step) and "LIMIT" not in statement)
    ]
