"""Statements by their names, with the text that they were compiled to, for who does without SQLAlchemy.

What a statement is, is said once, in ``statements``. On a connection of SQLAlchemy's it is that which is executed.
"""

from __future__ import annotations

import json
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from aerjob_cli.frozen import dataclass

COMPILED_FILE = Path(__file__).parent / "statements" / "compiled.json"


@dataclass(frozen=True, slots=True)
class Compiled:
    """The text of a statement, with its parameters by name, as SQLite takes it.

    ``values`` are those of its parameters that are constants. A parameter of ``lists`` has any number of values, and
    its place in the text is marked. ``columns`` are the names and kinds (``values.READERS``) of what it gives; None is
    not known. An insertion takes whatever of ``inserted`` it is not given as NULL.
    """

    sql: str
    values: dict[str, Any]
    lists: tuple[str, ...]
    columns: tuple[tuple[str, str | None], ...] | None
    inserted: tuple[str, ...] = ()


class Prepared:
    """One statement of a module of ``statements``."""

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name

    @cached_property
    def compiled(self) -> Compiled:
        """Its text."""
        return Compiled(**_stored()[self._module][self._name])

    @cached_property
    def _statement(self) -> Any:
        return getattr(import_module(f"aerjob_cli.store.statements.{self._module}"), self._name)

    def _execute_on_connection(self, connection: Any, parameters: Any, options: Any) -> Any:
        # What SQLAlchemy calls of whatever it is to execute.
        return self._statement._execute_on_connection(connection, parameters, options)


class _Statements:
    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Prepared:
        statement = Prepared(self._module, name)
        setattr(self, name, statement)
        return statement


def prepared(module: str) -> Any:
    """Stand in for a module of ``statements``: its constants can be executed like those of the module itself."""
    return _Statements(module)


@cache
def _stored() -> dict[str, dict[str, dict[str, Any]]]:
    content: dict[str, dict[str, dict[str, Any]]] = json.loads(COMPILED_FILE.read_text(encoding="utf-8"))
    return content
