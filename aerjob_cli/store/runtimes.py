"""What jobs ran with: versions and machine, each set of them once."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from aerjob_cli.codec.envelope import sha256_hex
from aerjob_cli.store.prepared import prepared
from aerjob_cli.store.records import Runtime
from aerjob_cli.store.values import RowDamaged, complete, parsed

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aerjob_cli.store.statements import runtimes as statements
else:
    statements = prepared("runtimes")

# Of a SHA-256: enough to tell apart what one store comes to see.
_ID_CHARACTERS = 16


def runtime_of(facts: Mapping[str, str]) -> Runtime:
    """Name a set of facts by a hash of them, the same whoever does it."""
    return Runtime(sha256_hex(_text(facts).encode())[:_ID_CHARACTERS], dict(facts))


def note(tx: Connection, runtime: Runtime) -> None:
    """Write a runtime down, unless it is known already."""
    if tx.execute(statements.KNOWN, {"runtime_ids": [runtime.runtime_id]}).first() is None:
        tx.execute(statements.INSERT_RUNTIME, [{"runtime_id": runtime.runtime_id, "facts": _text(runtime.facts)}])


def known_of(tx: Connection, runtime_ids: Collection[str]) -> dict[str, Runtime]:
    """Give those of the runtimes that are known, by their ids."""
    found = {}
    for row in tx.execute(statements.KNOWN, {"runtime_ids": sorted(set(runtime_ids))}):
        complete(row, ("runtime_id", "facts"))
        facts = parsed(row.facts, dict)
        if not all(isinstance(value, str) for value in facts.values()):
            raise RowDamaged("what a job ran with is not told in texts")
        found[row.runtime_id] = Runtime(row.runtime_id, facts)
    return found


def _text(facts: Mapping[str, str]) -> str:
    return json.dumps(dict(facts), sort_keys=True, separators=(",", ":"))
