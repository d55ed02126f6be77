"""From a statement of SQLAlchemy's to the text that SQLite takes.

Run ``python -m aerjob_cli.store.compiling`` after a change of a statement or a table; a test compares.
"""

from __future__ import annotations

import json
import re
from dataclasses import fields
from enum import StrEnum
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from sqlalchemy import BindParameter, Executable, Insert, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.compiler import SQLCompiler

from aerjob_cli.store import statements
from aerjob_cli.store.columns import kind_of
from aerjob_cli.store.prepared import COMPILED_FILE, Compiled

_DIALECT = sqlite.dialect(paramstyle="named")
# Where SQLite looks at the value of a parameter to plan a statement, it plans all of it anew each time one is bound
# (https://sqlite.org/c3ref/prepare.html). It does with what a partial index is compared with, so that constants stand
# in the text, and with a limit that is nothing but a parameter.
_PARAMETER = re.compile(r"(?<!:):(\w+)")
_BARE_LIMIT = re.compile(r"\bLIMIT (:\w+)")


def compiled(statement: Executable) -> Compiled:
    """Compile a statement; raises ``TypeError`` for one whose values SQLAlchemy would change on their way."""
    inserted: tuple[str, ...] = ()
    if isinstance(statement, Insert):
        table = statement.table
        assert isinstance(table, Table)
        # All but a key that SQLite makes. What is not given is NULL, as no column has another default.
        inserted = tuple(column.name for column in table.c if column is not table.autoincrement_column)
    made = statement.compile(dialect=_DIALECT, column_keys=list(inserted) or None)  # type: ignore[attr-defined]
    assert isinstance(made, SQLCompiler)
    for parameter in made.bind_names:
        if parameter.type.dialect_impl(_DIALECT).bind_processor(_DIALECT) is not None:
            raise TypeError(f"{parameter.key} of {made} is not bound as it is")
    # Those that whoever executes it gives are marked as required.
    constants = {name: bound for bound, name in made.bind_names.items() if not bound.required}
    written = {name: _written(made, bound) for name, bound in constants.items() if not bound.expanding}
    sql = _PARAMETER.sub(lambda found: written.get(found[1], found[0]), str(made))
    return Compiled(
        sql=" ".join(line.strip() for line in _BARE_LIMIT.sub(r"LIMIT (\1 + 0)", sql).splitlines()),
        values={name: _constant(bound.value) for name, bound in constants.items() if bound.expanding},
        lists=tuple(name for bound, name in made.bind_names.items() if bound.expanding),
        columns=_columns(statement),
        inserted=inserted,
    )


def compiled_file() -> str:
    """Write what ``COMPILED_FILE`` has to have: all of ``statements``, by module and name."""
    modules = sorted(module.name for module in iter_modules(statements.__path__))
    return "{" + ",\n".join(f"{json.dumps(module)}: {{\n{_of_module(module)}\n}}" for module in modules) + "}\n"


def _of_module(name: str) -> str:
    constants = vars(import_module(f"{statements.__name__}.{name}"))
    texts = {key: compiled(value) for key, value in constants.items() if _is_statement(key, value)}
    return ",\n".join(
        f"{json.dumps(key)}: {json.dumps({field.name: getattr(text, field.name) for field in fields(text)})}"
        for key, text in sorted(texts.items())
    )


def _is_statement(name: str, value: object) -> bool:
    return name.isupper() and not name.startswith("_") and isinstance(value, Executable)


def _columns(statement: Executable) -> tuple[tuple[str, str | None], ...] | None:
    described = getattr(statement, "column_descriptions", None) or getattr(
        statement, "returning_column_descriptions", None
    )
    if described is None:
        return None
    return tuple((column["name"], _kind(column["type"])) for column in described) or None


def _kind(type_: Any) -> str | None:
    kind = kind_of(type_)
    if kind is None and type_.dialect_impl(_DIALECT).result_processor(_DIALECT, None) is not None:
        raise TypeError(f"values of the type {type_} are not read as they are")
    return kind


def _written(made: SQLCompiler, bound: BindParameter[Any]) -> str:
    if bound.value is None:
        return "NULL"
    return made.render_literal_value(_constant(bound.value), bound.type)


def _constant(value: Any) -> Any:
    if isinstance(value, list | tuple | set | frozenset):
        return [_constant(item) for item in value]
    return str(value) if isinstance(value, StrEnum) else value


if __name__ == "__main__":
    COMPILED_FILE.write_text(compiled_file(), encoding="utf-8")
