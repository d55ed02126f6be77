"""From a statement of SQLAlchemy's to the text that SQLite takes; for ``direct``, and for the file of compiled ones."""

from __future__ import annotations

from enum import StrEnum
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from sqlalchemy import Executable, Insert, Table
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BindParameter

from aerjob_cli.store import statements
from aerjob_cli.store.columns import kind_of
from aerjob_cli.store.prepared import Compiled

_DIALECT = sqlite.dialect(paramstyle="named")  # type: ignore[no-untyped-call]


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
    for parameter in made.binds.values():
        if parameter.type.dialect_impl(_DIALECT).bind_processor(_DIALECT) is not None:
            raise TypeError(f"{parameter.key} of {made} is not bound as it is")
    return Compiled(
        sql=" ".join(line.strip() for line in str(made).splitlines()),
        values={name: _constant(bound.value) for name, bound in made.binds.items() if not _is_given(bound)},
        lists=tuple(name for name, bound in made.binds.items() if bound.expanding),
        columns=_columns(statement),
        inserted=inserted,
    )


def compiled_statements() -> dict[str, dict[str, dict[str, Any]]]:
    """Compile all that ``statements`` has, as ``compiled.json`` keeps it: by module and name."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for module in sorted(module.name for module in iter_modules(statements.__path__)):
        constants = vars(import_module(f"{statements.__name__}.{module}"))
        found[module] = {
            name: {field: getattr(text, field) for field in ("sql", "values", "lists", "columns", "inserted")}
            for name, statement in sorted(constants.items())
            if name.isupper() and isinstance(statement, Executable)
            for text in [compiled(statement)]
        }
    return found


def _columns(statement: Executable) -> tuple[tuple[str, str | None], ...] | None:
    described = getattr(statement, "column_descriptions", None) or getattr(
        statement, "returning_column_descriptions", None
    )
    if described is None:
        return None
    return tuple((column["name"], _kind(column["type"])) for column in described)


def _kind(type_: Any) -> str | None:
    kind = kind_of(type_)
    if kind is None and type_.dialect_impl(_DIALECT).result_processor(_DIALECT, None) is not None:
        raise TypeError(f"values of the type {type_} are not read as they are")
    return kind


def _is_given(parameter: BindParameter[Any]) -> bool:
    """Tell whether whoever executes the statement gives the value."""
    return parameter.required


def _constant(value: Any) -> Any:
    if isinstance(value, list | tuple | set | frozenset):
        return [_constant(item) for item in value]
    return str(value) if isinstance(value, StrEnum) else value
