"""A store with jobs in every state and results of every kind, made once by a real worker, to be damaged many times."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aerjob_cli.api.requests import CircuitBytes, Plan, Request
from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store.flocks import try_flock
from tests.faults.support.inner_commands import InnerCommands
from tests.support.circuits import BELL, layers
from tests.support.running import gone, scene_in, until

LARGE = BELL + "// as many bytes as it takes to be a file\n" * 7000


@dataclass(frozen=True)
class SampleStore:
    """The folder of the sound store, which nobody changes, and what is in it."""

    home: Path
    database: bytes
    # By what they are called in tests.
    job_ids: dict[str, str]
    # Of those that are DONE: the experiments as `result --json` gives them.
    results: dict[str, list[dict[str, Any]]]

    @property
    def done(self) -> list[str]:
        return list(self.results)

    def copy(self, home: Path) -> StorePaths:
        """Put a copy of the store at ``home``."""
        shutil.copytree(self.home, home, ignore=shutil.ignore_patterns("doorbell", "gong"))
        return StorePaths(home)

    def put(self, paths: StorePaths, database: bytes) -> None:
        """Put other bytes in the place of a copy's database."""
        for path in paths.home.glob(f"{paths.database.name}*"):
            path.unlink()
        paths.database.write_bytes(database)
        paths.database.chmod(0o600)


def make_sample_store(home: Path) -> SampleStore:
    """Make the store at ``home``."""
    state = layers(8, 2).replace("measure q -> c;", "")
    large_state = layers(15, 2).replace("measure q -> c;", "")
    with scene_in(home) as scene:
        three = tuple(CircuitBytes(f"c{at}", "openqasm2", layers(3, 2, seed=at).encode()) for at in range(3))
        requests = {
            "bell": scene.request(BELL, name="Ψ bell", tags=("demo",), metadata={"from": "here"}),
            "three": Request(circuits=three, backend="qasm_simulator", shots=100, seed=5, tags=("a", "b")),
            "state": scene.request(state, backend="statevector_simulator"),
            "large state": scene.request(large_state, backend="statevector_simulator"),
            "many counts": scene.request(layers(10, 6), shots=1000, seed=10),
            "bad": scene.request(BELL.replace("cx", "nogate")),
        }
        jobs = dict(zip(requests, scene.put(*requests.values()), strict=True))
        scene.start_worker("--slots", "1")
        for name, job in jobs.items():
            scene.wait_for_status(job, Status.ERROR if name == "bad" else Status.DONE)
        worker = scene.worker()
        os.kill(worker.pid, signal.SIGTERM)
        until(lambda: gone(worker) or None)
        waiting = {
            "queued": scene.request(BELL, plan=Plan(1, 1)),
            "to be validated": scene.request(BELL, tags=("x",)),
            "large circuit": scene.request(LARGE, plan=Plan(1, 1)),
            "cancelled": scene.request(BELL),
        }
        jobs |= zip(waiting, scene.put(*waiting.values()), strict=True)
        scene.client.cancel(jobs["cancelled"])
    job_ids = {name: job.job_id for name, job in jobs.items()}
    commands = InnerCommands(home)
    done = [name for name in requests if name != "bad"]
    results = {name: commands("result", job_ids[name], "--json").json()["experiments"] for name in done}
    return SampleStore(home, StorePaths(home).database.read_bytes(), job_ids, results)


@contextmanager
def no_worker_for(paths: StorePaths) -> Iterator[None]:
    """See to it that nobody starts a worker for a store."""
    lock = try_flock(paths.starter_lock)
    assert lock is not None
    try:
        yield
    finally:
        lock.release()
