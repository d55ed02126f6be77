"""What tests of several parts share: a private store whose workers are ended, and the command line on it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import stores_in_memory
from tests.support.command_line import CommandLine, end_workers
from tests.support.matrix import Matrix

# What a shell starts in the background ignores SIGINT, and so would every command that is tested here; with `nohup`
# they would ignore SIGHUP.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.hookimpl(tryfirst=True)  # before pytest chooses the folder of its own
def pytest_configure(config: pytest.Config) -> None:
    stores_in_memory.begin(config)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    stores_in_memory.end(session.config, is_clean=exitstatus == pytest.ExitCode.OK)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("faults", "the fault matrix")
    group.addoption(
        "--fault-matrix",
        choices=("sample", "full"),
        default="sample",
        help="how much of the fault matrix is injected: a seeded sample (default), or all of it, which takes hours",
    )
    group.addoption("--fault-seed", type=int, default=1, help="what the sample is chosen by (default 1)")


@pytest.fixture(scope="session")
def matrix(pytestconfig: pytest.Config) -> Matrix:
    """How much of each fault this run injects."""
    return Matrix(
        is_full=pytestconfig.getoption("--fault-matrix") == "full", seed=pytestconfig.getoption("--fault-seed")
    )


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A private ``AERJOB_HOME`` that does not exist yet; its workers end with the test."""
    place = tmp_path / "home"
    yield place
    end_workers(place)


@pytest.fixture
def aerjob(home: Path, tmp_path: Path) -> CommandLine:
    """The command line on the private store, run in ``tmp_path``."""
    return CommandLine(home, tmp_path)
