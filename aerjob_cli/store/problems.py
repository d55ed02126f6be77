"""What can be wrong with a store, and the report of it that grows while it is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from aerjob_cli.errors import StoreDamaged, StoreFailing
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.faults import told

# More than anybody reads one by one; they are counted all the same.
PROBLEMS_KEPT = 100


class ProblemKind(StrEnum):
    """What is wrong."""

    DATABASE = "database"  # SQLite finds it damaged
    SCHEMA = "schema"  # a table, an index, a guard or the identity is not there, or not as it should be
    INCOMPLETE = "incomplete"  # a job has fewer results than it should
    WAITS = "waits"  # a job waits for more, or for less, than what it depends on says
    MISSING = "missing"  # an object file that rows refer to is not there, or the folder for them
    ALTERED = "altered"  # bytes do not have their checksum
    PERMISSIONS = "permissions"  # others can get at the store, or its owner cannot


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, as a sentence, and the job that it concerns if it is one's."""

    kind: ProblemKind
    message: str
    job_id: str | None = None


@dataclass(frozen=True)
class Findings:
    """What an inspection found. ``checked`` counts the circuits, results and arrays whose checksums were verified."""

    path: Path
    problems: tuple[Problem, ...]
    problems_total: int
    checked: dict[str, int]
    objects: int
    objects_bytes: int
    unreferenced: int
    unreferenced_bytes: int

    @property
    def is_sound(self) -> bool:
        return self.problems_total == 0


@dataclass
class Report:
    """The problems found so far."""

    paths: StorePaths
    problems: list[Problem] = field(default_factory=list)
    total: int = 0

    def add(self, kind: ProblemKind, message: str, job_id: str | None = None) -> None:
        self.total += 1
        if self.total <= PROBLEMS_KEPT:
            self.problems.append(Problem(kind, message, job_id))

    @contextmanager
    def trouble(self, what: str) -> Iterator[None]:
        """Report what keeps the block from reading the database, and go on behind it."""
        try:
            with told(self.paths.database):
                yield
        except (StoreDamaged, StoreFailing) as error:
            self.add(ProblemKind.DATABASE, f"{what}: {error.message}")
        except DBAPIError as error:
            self.add(ProblemKind.DATABASE, f"{what}: {error.orig}")
