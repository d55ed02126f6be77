"""A statevector of hundreds of MB as a job's result, against bare Aer and keeping the array by hand.

By hand is: run, `np.save`, fsync, hash; then hash again and `np.load`. What is hashed and synced, aerjob hashes and
syncs as well. The job's clock stops when its state is final; reading the result has a clock of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from qiskit import qasm2

from aerjob_cli.settings import usable_cores
from benchmarks.circuits import BELL, shallow_circuit
from benchmarks.figures.children import told_by
from benchmarks.figures.figure import Bench, Figure, Line, Sample, Setting, in_turn
from benchmarks.meters import Family, peak_rss_mb
from benchmarks.site import Site, site_in

_BYTES_PER_AMPLITUDE = 16


@contextmanager
def _set_up(setting: Setting) -> Iterator[Bench]:
    with site_in(setting.folder / "home") as site:
        site.start_worker()
        site.provider.get_backend("qasm_simulator").run(qasm2.loads(BELL)).result()

        def measure(number: int) -> Sample:
            contenders: dict[str, Callable[[], Sample]] = {
                "bare": lambda: _by_hand(setting.result_qubits, number, setting.folder),
                "durable": lambda: _durable(site, setting.result_qubits, number),
            }
            return in_turn(contenders, number)

        yield Bench(measure)


def _by_hand(qubits: int, seed: int, folder: Path) -> Sample:
    given = {"qubits": qubits, "seed": seed, "threads": usable_cores(), "folder": str(folder)}
    return told_by("benchmarks.peers.raw_statevector", given=given)


def _durable(site: Site, qubits: int, seed: int) -> Sample:
    backend = site.provider.get_backend("statevector_simulator")
    circuit = shallow_circuit(qubits, seed)
    began_s = time.perf_counter()
    job = backend.run(circuit)
    job.wait_for_final_state()
    kept_s = time.perf_counter()
    state = np.asarray(job.result().get_statevector())
    read_s = time.perf_counter() - kept_s
    if state.shape != (2**qubits,):
        raise RuntimeError(f"the state has the shape {state.shape}")
    worker = Family.of(site.worker()).worker
    size_mb = 2**qubits * _BYTES_PER_AMPLITUDE / 1e6
    sample = {"kept_s": kept_s - began_s, "read_s": read_s, "worker": peak_rss_mb(worker), "size": size_mb}
    site.provider.delete_job(job.job_id())
    return sample


BIG_RESULT = Figure(
    "big-result",
    "a statevector as a result, against bare Aer, np.save with fsync, and np.load",
    (
        Line(
            "run and keep",
            lambda s: s["durable kept_s"] / (s["bare run_s"] + s["bare keep_s"]),
            at_most=1.25,
            source="aim",
        ),
        Line("read, verified", lambda s: s["durable read_s"] / s["bare read_s"], at_most=1.25, source="aim"),
        Line("read, verified", lambda s: s["durable size"] / s["durable read_s"], unit="MB/s"),
        Line("most memory of the worker, RSS", lambda s: s["durable worker"], unit="MB", at_most=60, source="aim"),
        Line("size of the state", lambda s: s["durable size"], unit="MB"),
    ),
    _set_up,
)
