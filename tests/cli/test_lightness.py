"""What light commands do not import; a start costs more than what they do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Put
from tests.support.circuits import BELL
from tests.support.command_line import CommandLine

HEAVY = frozenset({"qiskit", "qiskit_aer", "numpy", "alembic", "matplotlib", "rich"})
# Importing it takes three times as long as Typer. Who only runs statements whose text is known does without.
SQL = frozenset({"sqlalchemy"})
# Of the library, what takes long to import and brings much with it.
SLOW = frozenset({"asyncio", "email", "http", "importlib.metadata", "logging", "random", "socket", "ssl", "zipfile"})
HASHES = frozenset({"hashlib"})

# How many modules a command may import more than Typer does, with some room for other versions of Python.
AT_MOST = 140

PROGRAM = """
import sys
sys.argv = ["aerjob", *sys.argv[1:]]
from aerjob_cli.__main__ import main
try:
    main()
finally:
    print(*sys.modules, file=open("modules", "w"))
"""


def imported_by(arguments: tuple[str, ...], idle: CommandLine, folder: Path) -> set[str]:
    """Give the names of all modules that are there when a command has ended."""
    subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=folder,
        env=idle.environment(None),
        stdout=subprocess.DEVNULL,
        check=False,
        timeout=60,
    )
    return set((folder / "modules").read_text().split())


@pytest.fixture(scope="module")
def of_typer() -> set[str]:
    """The names of all modules that are there when Typer has been imported."""
    code = "import sys, typer; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "unwanted"),
    [
        (("status", "last"), SLOW | HASHES),
        (("status", "--group", "g"), SLOW | HASHES),
        (("list",), SLOW | HASHES),
        (("list", "--group", "g"), SLOW | HASHES),
        (("list", "--json"), SLOW | HASHES),
        (("events",), SLOW | HASHES),
        (("events", "last"), SLOW | HASHES),
        (("wait", "last"), SLOW | HASHES),
        (("wait", "--group", "g"), SLOW | HASHES),
        (("cancel", "last"), SLOW | HASHES),
        (("tag", "last", "--add", "x"), SLOW | HASHES),
        (("worker", "status"), SLOW - {"logging", "random"}),
        (("top", "--json"), SLOW | HASHES),
        (("result", "last"), SLOW),
        (("show", "last"), SLOW),
        (("retry", "last"), SLOW),
        (("submit", "bell.qasm", "--idempotency-key", "known"), SLOW),
        (("--help",), SLOW | HASHES),
        (("status", "--help"), SLOW | HASHES),
        (("submit", "--help"), SLOW | HASHES),
        (("__complete", "zsh", "status", ""), SLOW | HASHES),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_is_asked_again_and_again_does_without_sqlalchemy(
    idle: CommandLine,
    put: Put,
    tmp_path: Path,
    of_typer: set[str],
    arguments: tuple[str, ...],
    unwanted: frozenset[str],
) -> None:
    put(idempotency_key="known", group="g")
    assert idle("cancel", "last").returncode == 0
    (tmp_path / "bell.qasm").write_text(BELL)
    imported = imported_by(arguments, idle, tmp_path)
    assert imported & (HEAVY | SQL | unwanted) == set()
    assert len(imported - of_typer) <= AT_MOST, sorted(imported - of_typer)


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "--name", "b*", "--since", "2h", "--sort", "-duration", "--columns", "id,duration"),
        ("show", "last", "--source"),
        ("rm", "last"),
        ("watch", "last"),
        ("store", "info"),
        ("store", "check"),
        ("store", "backup", "copy"),
        ("store", "clean"),
        ("store", "prune", "--status", "cancelled", "--yes"),
    ],
)
def test_light_commands(idle: CommandLine, put: Put, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    put()
    assert idle("cancel", "last").returncode == 0
    assert imported_by(arguments, idle, tmp_path).isdisjoint(HEAVY)


def test_importing_the_package_is_free() -> None:
    code = "import sys, aerjob_cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert {"typer", *SQL, *HEAVY}.isdisjoint(done.stdout.split())
