"""What the figures were measured on, and bytecode for everything that takes part."""

from __future__ import annotations

import compileall
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

from aerjob_cli.settings import usable_cores
from aerjob_cli.store.dbapi import sqlite_library

_DISTRIBUTIONS = ("aerjob-cli", "qiskit", "qiskit-aer", "numpy", "sqlalchemy", "typer", "huey", "rq", "redis")
# What commands, workers and peers import. Without bytecode each start would compile it anew where it cannot be kept.
_PACKAGES = (
    *("aerjob_cli", "benchmarks", "typer", "click", "rich", "shellingham", "sqlalchemy", "alembic", "pysqlite3"),
    *("platformdirs", "packaging", "numpy", "scipy", "qiskit", "qiskit_aer", "rustworkx", "huey", "rq", "redis"),
)


def facts() -> dict[str, object]:
    """Say which machine this is, with what on it."""
    return {
        "cores": usable_cores(),
        "machine": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "sqlite": ".".join(map(str, sqlite_library().version)),
        "versions": {name: found for name in _DISTRIBUTIONS if (found := _version(name)) is not None},
    }


def load() -> float:
    """Give how many processes wanted to run, on average over the last minute."""
    return round(os.getloadavg()[0], 2)


def compile_all() -> None:
    """Compile what has no bytecode yet, wherever that may be written."""
    for name in _PACKAGES:
        spec = find_spec(name)
        for folder in () if spec is None else spec.submodule_search_locations or ():
            if os.access(folder, os.W_OK):
                compileall.compile_dir(Path(folder), quiet=2)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
