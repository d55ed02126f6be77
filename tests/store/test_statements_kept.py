"""A connection makes each statement once, and not anew for each value that it is given."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from aerjob_cli.store.connections import raw_connection
from aerjob_cli.store.database import Store
from aerjob_cli.store.direct import DirectConnection
from aerjob_cli.store.prepared import COMPILED_FILE, Prepared

_STORED = json.loads(COMPILED_FILE.read_text(encoding="utf-8"))
_VERBS = ("SELECT", "UPDATE", "DELETE", "WITH")
# They are given the status that a partial index has a condition on, which is not the same each time.
_MADE_ANEW = {("jobs", "FIRST_IN"), ("overview", "PENDING_IN"), ("cancels", "CANCEL_BEFORE_IT_RUNS")}
_PARAMETER = re.compile(r"(?<!:):(\w+)")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (module, name)
        for module, statements in _STORED.items()
        for name, statement in statements.items()
        if statement["sql"].startswith(_VERBS) and (module, name) not in _MADE_ANEW
    ],
)
def test_a_statement_is_made_once(store: Store, module: str, name: str) -> None:
    statement = Prepared(module, name)
    parts: list[tuple[Any, ...]] = []

    def note_part(*part: Any) -> int:
        # SQLite asks about all that is in a statement while it makes it: https://sqlite.org/c3ref/set_authorizer.html
        parts.append(part)
        return 0

    def parts_when_executed(value: int, *, length: int) -> int:
        single = dict.fromkeys(_PARAMETER.findall(statement.compiled.sql), value)
        several = {name: [value] * length for name in statement.compiled.lists if name not in statement.compiled.values}
        raw.execute("BEGIN IMMEDIATE")
        parts.clear()
        connection = DirectConnection(raw)
        connection.execute(statement, {**single, **several}).all()
        connection.end_reading()
        count = len(parts)
        raw.rollback()
        return count

    raw = raw_connection(store.paths.database, busy_timeout_s=1)
    try:
        raw.set_authorizer(note_part)
        assert parts_when_executed(-1, length=3) > 0
        assert parts_when_executed(-2, length=4) == 0
    finally:
        raw.close()
