"""What tests of several parts share: a private store whose workers are ended, and the command line on it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine, end_workers

# What a shell starts in the background ignores SIGINT, and so would every command that is tested here.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
