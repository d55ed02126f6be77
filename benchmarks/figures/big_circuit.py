"""One quantum volume circuit of depth 10 that takes all cores, against bare Aer in a fresh process.

The durable side's clock starts before `run()` and stops when the result has been read. Its CPU time is that of the
worker and the executors; the client's, which sleeps, is not in it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from aerjob_cli.settings import usable_cores
from benchmarks.circuits import BELL, SHOTS, big_circuit
from benchmarks.family_meter import FamilyMeter
from benchmarks.figures.children import told_by
from benchmarks.figures.figure import Bench, Figure, Line, Sample, Setting, in_turn
from benchmarks.site import Site, site_in


@contextmanager
def _set_up(setting: Setting) -> Iterator[Bench]:
    from qiskit import qasm2

    with site_in(setting.folder / "home") as site:
        site.start_worker()
        site.provider.get_backend("qasm_simulator").run(qasm2.loads(BELL)).result()

        def measure(number: int) -> Sample:
            counts: dict[str, dict[str, int]] = {}
            contenders: dict[str, Callable[[], Sample]] = {
                "bare": lambda: _bare(setting.qubits, number, counts),
                "durable": lambda: _durable(site, setting.qubits, number, counts),
            }
            sample = in_turn(contenders, number)
            if counts["bare"] != counts["durable"]:
                raise RuntimeError("the durable job's counts are not those of bare Aer")
            return sample

        yield Bench(measure)


def _bare(qubits: int, seed: int, counts: dict[str, dict[str, int]]) -> Sample:
    told = told_by("benchmarks.peers.raw_aer", given={"qubits": qubits, "seed": seed, "threads": usable_cores()})
    counts["bare"] = told.pop("counts")
    return told


def _durable(site: Site, qubits: int, seed: int, counts: dict[str, dict[str, int]]) -> Sample:
    backend = site.provider.get_backend("qasm_simulator")
    circuit = big_circuit(qubits, seed)
    meter = FamilyMeter(site)
    began_s = time.perf_counter()
    result = backend.run(circuit, shots=SHOTS, seed_simulator=seed).result()
    wall_s = time.perf_counter() - began_s
    counts["durable"] = result.get_counts()
    return {"wall_s": wall_s, "cpu_s": meter.read().all_s}


BIG_CIRCUIT = Figure(
    "big-circuit",
    "one big quantum volume circuit of depth 10",
    (
        Line("wall", lambda s: s["durable wall_s"] / s["bare wall_s"], at_most=1.03, source="bound"),
        Line("CPU", lambda s: s["durable cpu_s"] / s["bare cpu_s"], at_most=1.03, source="bound"),
        Line("bare Aer", lambda s: s["bare wall_s"], unit="s"),
    ),
    _set_up,
)
