"""Two installed versions of aerjob on one store: the later one takes over, the earlier one leaves it alone.

Each is a wheel of its own, with another version number in it, in a venv of its own; what they depend on is borrowed
from the environment that runs the tests.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aerjob_cli.settings import StorePaths
from aerjob_cli.store import jobs
from aerjob_cli.store.database import Store
from aerjob_cli.store.records import JobRecord
from aerjob_cli.store.tables import workers
from tests.support.circuits import BELL, layers
from tests.support.command_line import end_workers
from tests.support.running import until

ROOT = Path(__file__).resolve().parents[2]
EARLIER, LATER = "0.0.9", "9.9.0"
# Longer than it takes another client to come, and on one thread.
SECONDS_LONG = layers(17, 200)


@dataclass(frozen=True)
class Installation:
    """One version, and a store that several of them work on."""

    program: Path
    home: Path

    def __call__(self, *arguments: str | Path) -> str:
        unwanted = ("PYTHON", "AERJOB", "VIRTUAL_ENV")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
        done = subprocess.run(
            [self.program, *arguments],
            env=kept | {"AERJOB_HOME": str(self.home)},
            cwd=self.home.parent,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done
        return done.stdout

    def json(self, *arguments: str | Path) -> dict[str, Any]:
        return dict(json.loads(self(*arguments, "--json")))


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("versions")
    return {version: install(version, folder / version) for version in (EARLIER, LATER)}


def install(version: str, folder: Path) -> Path:
    """Build the tree as another version and install it; give its `aerjob`."""
    source, wheels, environment = folder / "source", folder / "wheels", folder / "venv"
    source.mkdir(parents=True)
    for part in ("aerjob_cli", "docs", "migrations"):
        shutil.copytree(ROOT / part, source / part, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    constant = source / "aerjob_cli" / "version.py"
    text = constant.read_text()
    (line,) = (line for line in text.splitlines() if line.startswith("__version__ = "))
    constant.write_text(text.replace(line, f'__version__ = "{version}"'))
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(source))
    (wheel,) = wheels.glob("*.whl")
    assert version in wheel.name
    venv.create(environment, symlinks=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    run(sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--target", str(packages), str(wheel))
    # The checkout is not among these: an editable installation stands in a file of its own, which is not read there.
    borrowed = {path for path in map(Path, sys.path) if path.name in ("site-packages", "dist-packages")}
    (packages / "borrowed.pth").write_text("".join(f"{path}\n" for path in borrowed))
    script = environment / "bin" / "aerjob"
    script.write_text(f"#!{environment / 'bin' / 'python'} -P\nfrom aerjob_cli.__main__ import main\nmain()\n")
    script.chmod(0o755)
    return script


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "home"
    yield place
    end_workers(place)


@pytest.fixture
def earlier(programs: dict[str, Path], home: Path) -> Installation:
    return Installation(programs[EARLIER], home)


@pytest.fixture
def later(programs: dict[str, Path], home: Path) -> Installation:
    return Installation(programs[LATER], home)


def job_and_version(home: Path, job_id: str) -> tuple[JobRecord, str]:
    """Give a job, and the version of the worker that had it last."""
    store = Store.open(StorePaths(home))
    try:
        with store.reading() as tx:
            job = jobs.find(tx, job_id)
            query = workers.select().where(workers.c.worker_id == job.worker_id)
            return job, str(tx.execute(query).one().aerjob_version)
    finally:
        store.close()


def test_they_are_what_they_should_be(earlier: Installation, later: Installation) -> None:
    assert [one("--version").split() for one in (earlier, later)] == [["aerjob", EARLIER], ["aerjob", LATER]]


@pytest.mark.parametrize(("grace", "is_done_by_the_earlier"), [("1m", True), ("100ms", False)])
def test_a_later_client_has_the_earlier_worker_hand_over(
    earlier: Installation, later: Installation, home: Path, grace: str, is_done_by_the_earlier: bool
) -> None:
    (home.parent / "bell").write_text(BELL)
    (home.parent / "seconds").write_text(SECONDS_LONG)
    earlier("worker", "start", "--slots", "1", "--drain-grace", grace)
    running = earlier("submit", "seconds").strip()
    until(lambda: earlier.json("worker", "status")["workers"][0]["running_jobs"] or None)
    # However long the later client takes to start, the job does not end before.
    executor = until(lambda: job_and_version(home, running)[0].executor_pid)
    os.kill(executor, signal.SIGSTOP)

    bell = later("submit", "bell").strip()
    if is_done_by_the_earlier:
        os.kill(executor, signal.SIGCONT)
    later("wait", bell, running, "--timeout", "100s")
    job, version = job_and_version(home, bell)
    assert (job.status, job.attempt, version) == ("DONE", 1, LATER)
    # The job that ran meanwhile ends where it is, or goes over; that is no failure of it.
    job, version = job_and_version(home, running)
    expected = (1, EARLIER) if is_done_by_the_earlier else (2, LATER)
    assert (job.status, job.attempts_charged) == ("DONE", 0)
    assert (job.attempt, version) == expected
    (worker,) = later.json("worker", "status")["workers"]
    assert worker["aerjob_version"] == LATER


def test_an_earlier_client_leaves_a_later_worker_alone(earlier: Installation, later: Installation, home: Path) -> None:
    (home.parent / "bell").write_text(BELL)
    later("worker", "start")
    (before,) = later.json("worker", "status")["workers"]
    bell = earlier("submit", "bell").strip()
    earlier("wait", bell, "--timeout", "60s")
    job, version = job_and_version(home, bell)
    assert (job.status, version) == ("DONE", LATER)
    (after,) = earlier.json("worker", "status")["workers"]
    assert (after["pid"], after["draining"]) == (before["pid"], False)
