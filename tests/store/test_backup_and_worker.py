"""A backup of a store whose worker works, and a worker of the copy: neither disturbs the other."""

from __future__ import annotations

from pathlib import Path

from aerjob_cli.processes import is_running
from aerjob_cli.states import Status
from aerjob_cli.store.backup import back_up
from aerjob_cli.store.inspection import inspect_store
from tests.support.circuits import BELL, layers
from tests.support.running import scene_in, until

# Minutes of work in little memory.
LONG = layers(20, 1500)


def test_a_worker_of_the_copy_leaves_the_originals_processes_alone(tmp_path: Path) -> None:
    with scene_in(tmp_path / "home") as original:
        (job,) = original.put(original.request(LONG))
        original.start_worker("--slots", "1")
        executor = original.wait_for_executor(job)
        (queued,) = original.put(original.request(BELL))
        original.wait_for_status(queued, Status.QUEUED)
        # Written down only once the first executor has begun.
        worker = until(lambda: original.worker() if original.worker().children else None)
        assert executor in {child.pid for child in worker.children}

        made = back_up(original.store, tmp_path / "copy")
        assert (made.jobs, made.damaged) == (2, ())
        assert inspect_store(original.paths).is_sound

        with scene_in(tmp_path / "copy") as copy:
            copy.start_worker("--slots", "2")
            copy.wait_for_status(queued, Status.DONE)
            copied = copy.wait_for_status(job, Status.RUNNING)
            assert (copied.attempt, copied.attempts_charged) == (2, 0)
            family = [(worker.pid, worker.pid_started), *((child.pid, child.started) for child in worker.children)]
            assert all(is_running(pid, started) for pid, started in family)
            assert original.wait_for_status(job, Status.RUNNING).attempt == 1
