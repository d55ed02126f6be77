"""Starting, finding and stopping the worker of a store, from outside it."""

from __future__ import annotations

import subprocess
import time
from itertools import chain, repeat

from aerjob_cli.api.launch import spawn_worker
from aerjob_cli.cli.answers.worker import ProcessMemory
from aerjob_cli.clock import boot_id
from aerjob_cli.errors import WaitTimedOut, WorkerUnavailable
from aerjob_cli.processes import is_running, rss_bytes
from aerjob_cli.settings import EXIT_ANOTHER_RUNS
from aerjob_cli.store import workers
from aerjob_cli.store.database import Store
from aerjob_cli.store.doorbell import is_heard
from aerjob_cli.store.flocks import try_flock
from aerjob_cli.store.records import WorkerRecord

_START_TAKES_AT_MOST_S = 60.0
_LOOK_EVERY_S = 0.02


def living(store: Store) -> list[WorkerRecord]:
    """Give the workers whose processes run on this host now, whatever their rows say."""
    with store.reading_directly() as tx:
        written = workers.alive(tx)
    this_boot = boot_id()
    return [worker for worker in written if worker.boot_id == this_boot and _runs(worker)]


def start(store: Store, arguments: tuple[str, ...]) -> bool:
    """Start a worker unless one listens, and wait until one does; return whether it was this start.

    Raises ``WorkerUnavailable``.
    """
    if is_heard(store.paths.doorbell):
        return False
    deadline_s = time.monotonic() + _START_TAKES_AT_MOST_S
    process: subprocess.Popen[bytes] | None = None
    while time.monotonic() < deadline_s:
        if process is None:
            process = _spawn_alone(store, arguments)
        elif (code := process.poll()) is not None and code != EXIT_ANOTHER_RUNS:
            raise WorkerUnavailable(f"the worker ended with code {code} as it began; `aerjob worker logs` says why")
        if is_heard(store.paths.doorbell):
            return process is not None and process.poll() is None
        time.sleep(_LOOK_EVERY_S)
    raise WorkerUnavailable(
        f"no worker has begun within {_START_TAKES_AT_MOST_S:g} s; `aerjob worker logs` may say why"
    )


def stop(store: Store, found: list[WorkerRecord], *, timeout_s: float) -> None:
    """Have workers drain, and wait until their processes are gone; raises ``WaitTimedOut``."""
    # It releases jobs, which is much to import for those who only look.
    from aerjob_cli.worker import stopping

    for worker in found:
        stopping.order_to_stop(store, worker)
    _await_gone(found, timeout_s=timeout_s)


def kill(store: Store, found: list[WorkerRecord], *, timeout_s: float) -> None:
    """SIGKILL workers and what they started; their jobs are back in the queue. Raises ``WaitTimedOut``."""
    from aerjob_cli.worker import stopping

    for worker in found:
        stopping.kill(store, worker)
    _await_gone(found, timeout_s=timeout_s)
    for worker in found:
        stopping.release_killed(store, worker)


def memory_of(worker: WorkerRecord) -> tuple[ProcessMemory, ...]:
    """Give the processes of a worker and how much memory each has."""
    # The template is written down before its forks.
    children = zip(chain(("template",), repeat("executor")), worker.children, strict=False)
    processes = (("worker", worker.pid), *((role, child.pid) for role, child in children))
    return tuple(ProcessMemory(pid, role, rss_bytes(pid)) for role, pid in processes)


def _runs(worker: WorkerRecord) -> bool:
    return is_running(worker.pid, worker.pid_started)


def _spawn_alone(store: Store, arguments: tuple[str, ...]) -> subprocess.Popen[bytes] | None:
    # The lock passes to the worker, which lets go of it once it listens.
    lock = try_flock(store.paths.starter_lock)
    if lock is None:
        return None
    try:
        return spawn_worker(store, starter_lock=lock.descriptor, arguments=arguments)
    finally:
        lock.release()


def _await_gone(found: list[WorkerRecord], *, timeout_s: float) -> None:
    deadline_s = time.monotonic() + timeout_s
    while running := [worker for worker in found if _runs(worker)]:
        if time.monotonic() >= deadline_s:
            pids = ", ".join(str(worker.pid) for worker in running)
            raise WaitTimedOut(
                f"the worker (pid {pids}) is still ending its jobs after {timeout_s:g} s; it will stop by itself, "
                "`aerjob worker stop --force` ends it now",
                pids=[worker.pid for worker in running],
            )
        time.sleep(_LOOK_EVERY_S)
