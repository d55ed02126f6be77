"""Stores for the command line: one that nobody works on, and one with a worker for many tests."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aerjob_cli.cli.boundary import run
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.database import Store
from aerjob_cli.store.flocks import try_flock
from aerjob_cli.store.records import JobRecord
from tests.support.circuits import BELL
from tests.support.command_line import CommandLine, end_workers
from tests.support.running import Scene

BAD = BELL.replace("cx q[0],q[1];", "cx q[0],q[7];")  # line 6, column 11

Put = Callable[..., JobRecord]


@pytest.fixture
def bell(tmp_path: Path) -> Path:
    path = tmp_path / "bell.qasm"
    path.write_text(BELL)
    return path


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    path = tmp_path / "bad.qasm"
    path.write_text(BAD)
    return path


@pytest.fixture
def idle(home: Path, aerjob: CommandLine) -> Iterator[CommandLine]:
    """The command line on a store for which no worker can be started, since the starter's lock is taken."""
    Store.open(StorePaths(home)).close()
    lock = try_flock(StorePaths(home).starter_lock)
    assert lock is not None
    yield aerjob
    lock.release()


@pytest.fixture
def put(idle: CommandLine) -> Iterator[Put]:
    """Put jobs into the idle store; keywords are fields of ``Request``."""
    scene = Scene(idle.home)

    def put_one(**changes: object) -> JobRecord:
        (record,) = scene.put(scene.request(BELL, **changes))
        return record

    yield put_one
    scene.client.close()


@dataclass(frozen=True)
class Quick:
    """The command line in this process: no start-up to wait for. Not for what streams, signals or imports do."""

    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Run one command; give its exit code, stdout and stderr."""
        exit_code = run(arguments)
        return exit_code, *self.capsys.readouterr()

    def json(self, *arguments: str, exit_code: int = 0) -> dict[str, Any]:
        """Run one command with ``--json`` and give the one value that it printed."""
        code, stdout, stderr = self(*arguments, "--json")
        assert code == exit_code, (stdout, stderr)
        return dict(json.loads(stdout))


@pytest.fixture
def quick(idle: CommandLine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Quick]:
    """The same command line on the same idle store, faster."""
    with here(idle.home, monkeypatch, capsys) as command_line:
        yield command_line


@pytest.fixture
def quick_working(
    working_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Quick]:
    """The same command line on a store whose worker serves all tests of a module, faster."""
    with here(working_home, monkeypatch, capsys) as command_line:
        yield command_line


@contextlib.contextmanager
def here(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Quick]:
    """Give the command line in this process, on the store in ``home``."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for name, value in {"AERJOB_HOME": str(home), "COLUMNS": "80"}.items():
        monkeypatch.setenv(name, value)
    yield Quick(capsys)
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture(scope="module")
def working_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("working") / "home"
    yield place
    end_workers(place)


@pytest.fixture
def working(working_home: Path, tmp_path: Path) -> CommandLine:
    """The command line on a store whose worker serves all tests of a module."""
    return CommandLine(working_home, tmp_path)
