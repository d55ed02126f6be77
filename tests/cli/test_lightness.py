"""What light commands do not import; a start costs more than what they do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Put
from tests.support.command_line import CommandLine

HEAVY = ("qiskit", "qiskit_aer", "numpy", "alembic", "matplotlib", "rich")

PROGRAM = """
import sys
sys.argv = ["aerjob", *sys.argv[1:]]
from aerjob_cli.__main__ import main
try:
    main()
finally:
    print(*sys.modules, file=open("modules", "w"))
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ("status", "last"),
        ("list",),
        ("list", "--json"),
        ("list", "--name", "b*", "--since", "2h", "--sort", "-duration", "--columns", "id,duration"),
        ("show", "last"),
        ("show", "last", "--source"),
        ("retry", "last"),
        ("rm", "last"),
        ("tag", "last", "--add", "x"),
        ("wait", "last"),
        ("watch", "last"),
        ("top", "--json"),
        ("cancel", "last"),
        ("result", "last"),
        ("worker", "status"),
        ("store", "info"),
        ("store", "check"),
        ("store", "backup", "copy"),
        ("store", "clean"),
    ],
)
def test_light_commands(idle: CommandLine, put: Put, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    put()
    assert idle("cancel", "last").returncode == 0
    subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=tmp_path,
        env=idle.environment(None),
        stdout=subprocess.DEVNULL,
        check=False,
        timeout=60,
    )
    imported = {name.partition(".")[0] for name in (tmp_path / "modules").read_text().split()}
    assert "sqlalchemy" in imported
    assert imported.isdisjoint(HEAVY)


def test_importing_the_package_is_free() -> None:
    code = "import sys, aerjob_cli; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert {"sqlalchemy", "typer", *HEAVY}.isdisjoint(done.stdout.split())
