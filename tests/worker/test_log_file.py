"""The worker's log: it stays below its limit, survives renaming and a full disk, and is never worth a worker."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aerjob_cli.states import Status
from aerjob_cli.worker import log_file
from aerjob_cli.worker.log_file import KEPT, LogFile, rotate
from tests.support.circuits import BELL
from tests.support.running import Scene

LINE = "x" * 99


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "worker.log"


@pytest.fixture
def log(path: Path) -> Iterator[LogFile]:
    handler = LogFile(path)
    yield handler
    handler.close()


def write(log: LogFile, text: str) -> None:
    log.emit(logging.LogRecord("test", logging.INFO, "", 0, text, (), None))


def test_it_rotates_at_its_limit_and_keeps_three(path: Path, log: LogFile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "ROTATE_BYTES", 1000)
    log.may_rotate = True
    for number in range(55):
        write(log, f"{number:02d}{LINE[2:]}")
    parts = [path, *(path.with_name(f"worker.log.{number}") for number in range(1, KEPT + 1))]
    assert sorted(path.parent.iterdir()) == sorted(parts)
    assert [len(part.read_text().splitlines()) for part in parts] == [5, 10, 10, 10]
    assert parts[KEPT].read_text().startswith("20")
    assert all(part.stat().st_mode & 0o777 == 0o600 for part in parts)


def test_only_the_worker_that_holds_the_store_rotates(
    path: Path, log: LogFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "ROTATE_BYTES", 1000)
    for _ in range(20):
        write(log, LINE)
    assert path.stat().st_size == 2000
    assert list(path.parent.iterdir()) == [path]


def test_another_ones_rotation_is_followed(path: Path, log: LogFile) -> None:
    write(log, "before")
    rotate(path)
    write(log, "after")
    assert path.read_text() == "after\n"
    assert path.with_name("worker.log.1").read_text() == "before\n"


# A worker as clients start it: the log is also where its own output goes.
PROCESS = """
import logging, os, sys
from pathlib import Path
from aerjob_cli.worker import log_file
log_file.ROTATE_BYTES = 50
log = log_file.LogFile(Path(sys.argv[1]))
log.may_rotate = True
for text in ("a" * 50, "b"):
    log.emit(logging.LogRecord("test", logging.INFO, "", 0, text, (), None))
print("out", flush=True)
print("err", file=sys.stderr, flush=True)
"""


def test_the_output_of_the_process_moves_along(path: Path) -> None:
    with path.open("ab") as output:
        subprocess.run([sys.executable, "-c", PROCESS, str(path)], stdout=output, stderr=output, check=True)
    assert path.read_text() == "b\nout\nerr\n"
    assert path.with_name("worker.log.1").read_text() == "a" * 50 + "\n"


# No file of this process may be longer than 100 bytes: as on a full disk, a write fails or is cut short.
FULL_DISK = """
import logging, resource, signal, sys
from pathlib import Path
from aerjob_cli.worker.log_file import LogFile
log = LogFile(Path(sys.argv[1]))
def write(text):
    log.emit(logging.LogRecord("test", logging.INFO, "", 0, text, (), None))
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
write("a" * 99)
write("lost")
write("lost")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
write("again")
"""


def test_what_a_full_disk_does_not_take_is_counted(path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert path.read_text().splitlines() == [
        "a" * 99,
        "",
        "(2 lines before this one could not be written)",
        "again",
    ]


def test_a_store_that_takes_no_log_has_a_worker_all_the_same(scene: Scene) -> None:
    scene.paths.worker_log.mkdir()
    # As users have it: the client starts the worker, and hands it the log.
    (job,) = scene.client.submit([scene.request(BELL)])
    (done,) = scene.client.wait([job], timeout_s=120)
    assert done.status is Status.DONE
    os.kill(scene.worker().pid, 0)


def test_the_lines_of_a_worker_have_times_in_utc(scene: Scene) -> None:
    process = scene.start_worker()
    process.terminate()
    assert process.wait(timeout=60) == 0
    pattern = rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z INFO \[{process.pid}\] .+"
    lines = scene.log().splitlines()
    assert lines
    assert all(re.fullmatch(pattern, line) for line in lines)
