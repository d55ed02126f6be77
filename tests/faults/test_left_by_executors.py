"""What executors leave, processes that they started and files that they began, goes with them, whoever kills whom."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Connection

from aerjob_cli.states import Reason, Status
from aerjob_cli.store import workers
from aerjob_cli.store.records import JobRecord
from tests.faults.support.bad_executors import bad_scene_in, deed
from tests.support.command_line import CommandLine
from tests.support.running import Scene, gone, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody is told of a process without parents")

# How long the processes sleep is how they are found; nothing else of this machine sleeps as long.
_LENGTHS = (f"{1_000_000 + os.getpid()}.{number}" for number in count())


@pytest.fixture(scope="module")
def one_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with bad_scene_in(tmp_path_factory.mktemp("bad") / "home", "--slots", "1") as scene:
        yield scene


@pytest.fixture
def bad(one_store: Scene) -> Scene:
    """A store whose worker has executors that do what the names of circuits say; a killed worker is replaced."""
    if not one_store.peek(lambda tx: workers.alive(tx)):
        one_store.start_worker("--slots", "1")
    return one_store


def sleepers(length: str) -> list[int]:
    """Give the processes that sleep that long."""
    command = b"\0".join((b"/bin/sleep", length.encode(), b""))
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cmdline").read_bytes() == command:
                found.append(int(process.name))
        except OSError:
            continue
    return found


def put_leaver(scene: Scene) -> tuple[JobRecord, str]:
    """Have a job run once whose executor has started processes that stay; the third of them was an orphan at once."""
    length = next(_LENGTHS)
    (job,) = scene.put(deed(f"leave-and-stay {length}", max_attempts=1))
    until(lambda: len(sleepers(length)) >= 2 or None)
    return job, length


def require_no_sleepers(length: str) -> None:
    until(lambda: not sleepers(length) or None)


def drafts(scene: Scene) -> list[Path]:
    return sorted(scene.paths.incoming.rglob("draft"))


def require_nothing_incoming(scene: Scene, *, of: str | None = None) -> None:
    """See that no file is left there, and no folder of any other worker than ``of``."""

    def clear() -> bool | None:
        try:
            left = [
                item for item in scene.paths.incoming.rglob("*") if item.is_file() or item.parent.name == "incoming"
            ]
        except FileNotFoundError:
            return None  # it went while it was looked at
        return all(path.name == of for path in left) or None

    until(clear)


def test_a_cancel_ends_all_processes_that_the_executor_started(bad: Scene) -> None:
    job, length = put_leaver(bad)
    (ended,) = bad.client.cancel_all([job])
    assert ended.status is Status.CANCELLED
    require_no_sleepers(length)


def test_a_kill_of_the_executor_ends_all_processes_that_it_started(bad: Scene) -> None:
    job, length = put_leaver(bad)
    os.kill(executor_of(bad), signal.SIGKILL)
    assert bad.wait_for_status(job, Status.ERROR).reason is Reason.EXECUTOR_CRASHED
    require_no_sleepers(length)


def executor_of(scene: Scene) -> int:
    """Give the one executor that there is."""

    def look(tx: Connection) -> int | None:
        executors = [child.pid for child in workers.alive(tx)[0].children[1:]]
        return executors[0] if len(executors) == 1 else None

    return scene.wait(look)


def test_what_an_executor_starts_has_its_temporary_folder(bad: Scene) -> None:
    job, length = put_leaver(bad)
    own = bad.paths.incoming / bad.worker().worker_id
    for pid in sleepers(length):
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        (folder,) = (Path(os.fsdecode(item[7:])) for item in environment if item.startswith(b"TMPDIR="))
        assert folder.parent == own
        assert folder.is_dir()
    bad.client.cancel_all([job])
    require_no_sleepers(length)
    until(lambda: not folder.exists() or None)


def test_a_process_without_parents_is_ended_while_its_executor_goes_on(bad: Scene) -> None:
    length = next(_LENGTHS)
    (job,) = bad.put(deed(f"leave {length}"))
    bad.wait_for_status(job, Status.DONE)
    # Two have their parent still, which waits for its next job.
    until(lambda: len(sleepers(length)) == 2 or None)
    os.kill(executor_of(bad), signal.SIGKILL)
    require_no_sleepers(length)


def test_a_kill_of_the_template_ends_all_processes_that_executors_started(bad: Scene) -> None:
    job, length = put_leaver(bad)
    os.kill(bad.worker().children[0].pid, signal.SIGKILL)
    assert bad.wait_for_status(job, Status.ERROR).reason is Reason.EXECUTOR_CRASHED
    require_no_sleepers(length)


def test_the_next_worker_ends_what_executors_started_when_all_were_killed_at_once(bad: Scene) -> None:
    job, length = put_leaver(bad)
    kill_all(bad)
    # They are in sessions of their own, and nobody was left to know of them.
    assert sleepers(length)
    bad.start_worker("--slots", "1")
    assert bad.wait_for_status(job, Status.ERROR).reason is Reason.WORKER_LOST
    require_no_sleepers(length)


def test_a_forced_stop_ends_what_executors_started(bad: Scene, tmp_path: Path) -> None:
    job, length = put_leaver(bad)
    stopped = CommandLine(bad.paths.home, tmp_path)("worker", "stop", "--force")
    assert stopped.returncode == 0, stopped
    require_no_sleepers(length)
    (ended,) = bad.client.cancel_all([job])
    assert (ended.status, ended.attempts_charged) == (Status.CANCELLED, 0)


def kill_all(scene: Scene) -> None:
    worker = scene.worker()
    for pid in (worker.pid, *(child.pid for child in worker.children)):
        os.kill(pid, signal.SIGKILL)
    until(lambda: gone(worker) or None)


def test_the_draft_of_a_killed_executor_is_removed(bad: Scene) -> None:
    (job,) = bad.put(deed("draft"))
    until(lambda: drafts(bad) or None)
    (ended,) = bad.client.cancel_all([job])
    assert ended.status is Status.CANCELLED
    require_nothing_incoming(bad, of=bad.worker().worker_id)


def test_the_next_worker_removes_the_drafts_of_a_dead_one(bad: Scene) -> None:
    (job,) = bad.put(deed("draft", max_attempts=1))
    until(lambda: drafts(bad) or None)
    kill_all(bad)
    assert drafts(bad)
    bad.start_worker("--slots", "1")
    bad.wait_for_status(job, Status.ERROR)
    require_nothing_incoming(bad, of=bad.worker().worker_id)


def test_a_worker_that_stops_in_order_leaves_no_folder(bad: Scene) -> None:
    (job,) = bad.put(deed("c"))
    bad.wait_for_status(job, Status.DONE)
    worker = bad.worker()
    os.kill(worker.pid, signal.SIGTERM)
    until(lambda: gone(worker) or None)
    assert list(bad.paths.incoming.iterdir()) == []
