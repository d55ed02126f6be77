"""Which versions are installed. They are read from the packages' metadata: nothing heavy is imported."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.frozen import dataclass
from aerjob_cli.store.dbapi import sqlite_library
from aerjob_cli.store.revisions import HEAD
from aerjob_cli.version import __version__

_PACKAGES = ("qiskit", "qiskit-aer", "numpy", "sqlalchemy", "typer", "rich")


@dataclass(frozen=True, kw_only=True)
class Versions(Answer):
    """aerjob, Python, SQLite, the packages (None for one that is not installed), the schema of stores, the system."""

    aerjob: str
    python: str
    sqlite: str
    store_schema: str
    packages: dict[str, str | None]
    system: str

    @classmethod
    def of_this_installation(cls) -> Versions:
        """Ask the packages that are installed here."""
        return cls(
            aerjob=__version__,
            python=platform.python_version(),
            sqlite=".".join(map(str, sqlite_library().version)),
            store_schema=HEAD,
            packages={name: _installed(name) for name in _PACKAGES},
            system=f"{platform.system()} {platform.release()} {platform.machine()}",
        )

    def content(self) -> dict[str, Any]:
        return {
            "version": self.aerjob,
            "python": self.python,
            "sqlite": self.sqlite,
            "store_schema": self.store_schema,
            "packages": self.packages,
            "system": self.system,
        }

    def lines(self) -> Iterator[str]:
        yield f"aerjob {self.aerjob}"
        yield f"python {self.python}"
        yield f"sqlite {self.sqlite}"
        yield from (f"{name} {found or 'not installed'}" for name, found in self.packages.items())
        yield f"store schema {self.store_schema}"
        yield clean(self.system)


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
