"""What the tests of the Python API share: a store in which nothing runs, and one with a worker."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from qiskit import QuantumCircuit

from aerjob_cli import BasicAerProvider
from aerjob_cli.api.backend import BasicAerBackend
from aerjob_cli.settings import StorePaths
from aerjob_cli.store import workers
from aerjob_cli.store.flocks import flock, try_flock

InAnotherProcess = Callable[[Path, str], str]


def circuit_of_bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2, name="bell", metadata={"pair": [0, 1]})
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


def endless_circuit() -> QuantumCircuit:
    """Give a circuit that is simulated until somebody ends it, in little memory."""
    circuit = QuantumCircuit(1, 2)
    with circuit.while_loop((circuit.clbits[0], 0)):
        circuit.z(0)
        circuit.measure(0, 0)
    circuit.h(0)  # Aer cannot load a circuit that ends with its loop
    circuit.measure(0, 1)
    return circuit


@pytest.fixture
def bell() -> QuantumCircuit:
    return circuit_of_bell()


@pytest.fixture
def idle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BasicAerProvider]:
    """A provider of a new store in which no worker can be started, since its starter's lock is taken."""
    home = tmp_path / "idle"
    monkeypatch.setenv("AERJOB_HOME", str(home))
    provider = BasicAerProvider()
    lock = try_flock(provider.client.store.paths.starter_lock)
    assert lock is not None
    yield provider
    provider.client.close()
    lock.release()


@pytest.fixture
def idle_backend(idle: BasicAerProvider) -> BasicAerBackend:
    return idle.get_backend("qasm_simulator")


@pytest.fixture(scope="session")
def working(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BasicAerProvider]:
    """A provider whose jobs run; its worker serves all tests of the session and is ended after them."""
    home = tmp_path_factory.mktemp("working") / "home"
    provider = BasicAerProvider(home)
    yield provider
    end_worker(provider)
    provider.client.close()


@pytest.fixture
def backend(working: BasicAerProvider) -> BasicAerBackend:
    return working.get_backend("qasm_simulator")


def end_worker(provider: BasicAerProvider) -> None:
    """End the store's worker and wait until its lock is free, which is when the process is gone."""
    store = provider.client.store
    with store.reading() as tx:
        alive = workers.alive(tx)
    for worker in alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker.pid, signal.SIGTERM)
    with flock(store.paths.worker_lock, timeout_s=30):
        pass


@pytest.fixture
def in_another_process() -> InAnotherProcess:
    """Run Python code in a new process with that ``AERJOB_HOME``; give what it printed."""

    def run(home: Path, code: str) -> str:
        completed = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "AERJOB_HOME": str(home)},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        return completed.stdout.strip()

    return run


def home_of(provider: BasicAerProvider) -> Path:
    paths: StorePaths = provider.client.store.paths
    return paths.home
