"""The published JSON Schema of what ``--json`` prints: one document with an entry for each command."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aerjob_cli.errors import UsageError

SCHEMA_FILE = Path(__file__).parents[1] / "schemas" / "aerjob.schema.json"

_DEFINITIONS = "#/$defs/"
_REFERENCE = re.compile(rf'"\$ref": "{re.escape(_DEFINITIONS)}([\w-]+)"')


def whole_schema() -> dict[str, Any]:
    """Give the document with the entries of all commands, such as ``aerjob-worker-status``."""
    document: dict[str, Any] = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    return document


def schema_of(command: Sequence[str]) -> dict[str, Any]:
    """Give a document for the output of one command, such as ``worker status``; raises ``UsageError``."""
    whole = whole_schema()
    definitions = whole["$defs"]
    entry = "-".join(("aerjob", *command))
    if entry not in definitions:
        raise UsageError(f"there is no schema for {' '.join(command)!r}; `aerjob schema` has those of all commands")
    needed: dict[str, Any] = {}
    wanted = [entry]
    while wanted:
        name = wanted.pop()
        if name not in needed:
            needed[name] = definitions[name]
            wanted += _REFERENCE.findall(json.dumps(needed[name]))
    return {
        "$schema": whole["$schema"],
        "$id": f"{whole['$id']}:{entry}",
        "$ref": f"{_DEFINITIONS}{entry}",
        "$defs": {name: content for name, content in definitions.items() if name in needed},
    }
