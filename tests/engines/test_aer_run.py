"""Running in chunks: bit-identical to one run of Aer, whatever is missing, and what happens when one fails."""

from __future__ import annotations

import random
import subprocess
import sys
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit_aer import AerSimulator

from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.program import Program
from aerjob_cli.engines.aer import AerEngine
from aerjob_cli.engines.aer_calls import chunk_seed
from aerjob_cli.engines.base import ExperimentRun, SimulationFailed
from aerjob_cli.engines.basic import BasicEngine
from aerjob_cli.states import Reason
from tests.support.programs import program

MakeSpec = Callable[..., JobSpec]


def mixed_circuits(count: int) -> list[QuantumCircuit]:
    """Small circuits of several kinds: sampled, Clifford, measured in the middle, conditioned, unmeasured."""
    rng = random.Random(7)
    circuits = []
    for index in range(count):
        circuit = QuantumCircuit(3, 1 + index % 5 + 3, name=f"c{index}", metadata={"index": index})
        circuit.h(range(3))
        if index % 2:
            circuit.rx(rng.uniform(0, 6), 0)
        if index % 3 == 0:
            circuit.measure(0, 0)
            circuit.h(0)
        if index % 4 == 0:
            with circuit.if_test((circuit.clbits[0], 1)):
                circuit.x(1)
        circuit.cx(0, 1)
        circuit.measure(range(3), range(3))
        circuits.append(circuit)
    return circuits


def narrow_and_unmeasured() -> list[QuantumCircuit]:
    return [QuantumCircuit(1, name="idle"), *mixed_circuits(4)]


def run_all(circuits: list[QuantumCircuit], spec: JobSpec, missing: list[tuple[int, int]]) -> dict[int, ExperimentRun]:
    runs = [run for chunk in AerEngine().run(program(*circuits), spec, missing) for run in chunk]
    assert [run.index for run in runs] == [index for start, stop in missing for index in range(start, stop)]
    return {run.index: run for run in runs}


@pytest.mark.parametrize("seed", [0, 5, 2**63 - 1])
@pytest.mark.parametrize("split", ["whole", "ones", "thirds", "holes"])
def test_chunks_give_what_one_run_gives(make_spec: MakeSpec, seed: int, split: str) -> None:
    circuits = mixed_circuits(24)
    missing = {
        "whole": [(0, 24)],
        "ones": [(index, index + 1) for index in range(24)],
        "thirds": [(0, 8), (8, 16), (16, 24)],
        "holes": [(1, 2), (5, 11), (20, 24)],
    }[split]
    spec = make_spec(seed=seed, memory=True, shots=64)
    whole = AerSimulator().run(circuits, shots=64, seed_simulator=seed, memory=True, max_parallel_threads=1).result()
    runs = run_all(circuits, spec, missing)
    assert sorted(runs) == [index for start, stop in missing for index in range(start, stop)]
    for index, run in runs.items():
        theirs = whole.results[index]
        assert run.result.data.to_dict() == theirs.data.to_dict()
        assert run.result.header == theirs.header
        assert run.seed == theirs.seed_simulator == (seed + 2113 * index) % 2**64
        assert (run.name, run.shots) == (f"c{index}", 64)


def test_random_splits_give_what_one_run_gives(make_spec: MakeSpec) -> None:
    rng = random.Random(3)
    circuits = mixed_circuits(30)
    spec = make_spec(seed=11)
    whole = AerSimulator().run(circuits, shots=100, seed_simulator=11).result()
    for _ in range(20):
        cuts = sorted(rng.sample(range(31), 6))
        missing = [(cuts[0], cuts[1]), (cuts[2], cuts[3]), (cuts[4], cuts[5])]
        for index, run in run_all(circuits, spec, missing).items():
            assert run.result.data.counts == whole.results[index].data.counts


def test_unmeasured_circuits_run_as_with_aer(make_spec: MakeSpec) -> None:
    circuits = narrow_and_unmeasured()
    whole = AerSimulator().run(circuits, shots=100, seed_simulator=5).result()
    runs = run_all(circuits, make_spec(counts_required=False), [(0, 5)])
    assert [runs[i].result.data.to_dict() for i in range(5)] == [e.data.to_dict() for e in whole.results]
    assert runs[0].result.data.to_dict() == {}


def test_a_state_does_not_depend_on_what_else_is_in_the_call(make_spec: MakeSpec) -> None:
    """Aer gives a circuit without classical bits a count of nothing, but only beside one that has some."""
    circuits = [QuantumCircuit(2, bits) for bits in (0, 2, 0, 1)]
    spec = make_spec(backend="statevector_simulator", method="statevector", counts_required=False, memory=True)
    together = run_all(circuits, spec, [(0, 4)])
    aers = [{"statevector"}, {"statevector", "counts", "memory"}]
    for missing in ([(0, 1), (2, 3)], [(1, 4)], [(2, 4)]):
        for index, run in run_all(circuits, spec, missing).items():
            assert set(run.result.data.to_dict()) == set(together[index].result.data.to_dict()) == aers[index % 2]


def test_a_chunk_has_no_more_states_than_memory_should_hold(make_spec: MakeSpec) -> None:
    circuits = [QuantumCircuit(20) for _ in range(5)]  # 16 MiB each
    spec = make_spec(backend="statevector_simulator", method="statevector", counts_required=False, shots=1)
    sizes = [len(chunk) for chunk in AerEngine().run(program(*circuits), spec, [(0, 5)])]
    assert sum(sizes) == 5
    assert max(sizes) <= 2


def test_many_small_circuits_take_few_calls(make_spec: MakeSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    # Else a machine that is busy elsewhere would make chunks small.
    monkeypatch.setattr("aerjob_cli.engines.aer._CHUNK_S", 10.0)
    circuits = mixed_circuits(24) * 20
    sizes = [len(chunk) for chunk in AerEngine().run(program(*circuits), make_spec(), [(0, len(circuits))])]
    assert sizes[0] == 1
    assert sum(sizes) == len(circuits)
    assert len(sizes) < len(circuits) / 5


def test_nothing_missing_runs_nothing(make_spec: MakeSpec) -> None:
    assert list(AerEngine().run(program(*mixed_circuits(3)), make_spec(), [])) == []


def test_the_options_reach_aer(make_spec: MakeSpec) -> None:
    spec = make_spec(options={"precision": "single", "fusion_enable": False, "optimization_level": 1})
    circuit = QuantumCircuit(2, 2)
    circuit.t(0)
    circuit.measure([0, 1], [0, 1])
    (run,) = run_all([circuit], spec, [(0, 1)]).values()
    assert run.result.metadata["fusion"] == {"enabled": False}
    assert run.result.metadata["max_memory_mb"] == spec.max_memory_mb
    assert run.result.metadata["parallel_state_update"] == spec.threads


def too_wide() -> QuantumCircuit:
    circuit = QuantumCircuit(40, 40, name="wide")
    circuit.h(range(40))
    circuit.t(range(40))
    circuit.cx(range(39), range(1, 40))
    circuit.measure(range(40), range(40))
    return circuit


@pytest.mark.parametrize("place", [0, 2, 5])
def test_the_good_experiments_of_a_failing_chunk_are_given_first(make_spec: MakeSpec, place: int) -> None:
    circuits = mixed_circuits(6)
    circuits[place] = too_wide()
    given: list[int] = []

    def run_to_the_end() -> None:
        for chunk in AerEngine().run(program(*circuits), make_spec(), [(0, 6)]):
            given.extend(run.index for run in chunk)

    with pytest.raises(SimulationFailed, match="Insufficient memory") as caught:
        run_to_the_end()
    assert caught.value.reason is Reason.OUT_OF_MEMORY
    assert set(range(place)) <= set(given)
    assert place not in given
    assert given == sorted(given)


def test_a_failure_of_aer_carries_aers_text(make_spec: MakeSpec) -> None:
    circuit = QuantumCircuit(1, 1)
    circuit.t(0)
    circuit.measure(0, 0)
    with pytest.raises(SimulationFailed, match='invalid parameters  for "stabilizer" method') as caught:
        # The stabilizer method lacks T; past the check, Aer is the one to say so.
        list(AerEngine().run(program(circuit), make_spec(method="stabilizer"), [(0, 1)]))
    assert caught.value.reason is Reason.SIMULATION_FAILED


def test_a_call_that_fails_as_a_whole_still_gives_the_good_ones(make_spec: MakeSpec) -> None:
    unbound = QuantumCircuit(1, name="unbound")
    unbound.rx(Parameter("angle"), 0)  # Aer raises for this in Python, and gives nothing for the whole call
    circuits = mixed_circuits(5)
    given: list[ExperimentRun] = []

    def run_to_the_end() -> None:
        for chunk in AerEngine().run(program(*circuits, unbound, circuits[0]), make_spec(), [(0, 7)]):
            given.extend(chunk)

    with pytest.raises(SimulationFailed, match="circuits have parameters"):
        run_to_the_end()
    whole = AerSimulator().run(circuits, shots=100, seed_simulator=5).result()
    assert [run.result.data.counts for run in given] == [e.data.counts for e in whole.results]


def test_seeds_wrap_as_aers_do() -> None:
    assert chunk_seed(5, 0) == 5
    assert chunk_seed(5, 2) == 5 + 2 * 2113
    assert chunk_seed(2**63 - 1, 0) == 2**63 - 1
    assert chunk_seed(2**63 - 1, 1) == 2**63 - 1 + 2113 - 2**64


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="threads are counted in /proc")
def test_preloading_starts_no_thread() -> None:
    program = (
        "import os\n"
        "from aerjob_cli.executors import child\n"
        "child.preload()\n"
        "import sys\n"
        "wanted = {'qiskit_aer', 'qiskit.qasm2', 'qiskit_qasm3_import', 'qiskit.qpy'}\n"
        "print(len(os.listdir('/proc/self/task')), wanted <= set(sys.modules))"
    )
    environment = {"OPENBLAS_NUM_THREADS": "1", "PATH": ""}
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, env=environment)
    assert shown.stdout == "1 True\n"


class Watched(list[QuantumCircuit]):
    """Circuits that note, whenever some are fetched, which of the values given before are still in memory."""

    def __init__(self, circuits: list[QuantumCircuit]) -> None:
        super().__init__(circuits)
        self.given: list[weakref.ref[Any]] = []
        self.alive: list[Any] = []

    def __getitem__(self, position: Any) -> Any:
        self.alive += [value for reference in self.given if (value := reference()) is not None]
        return super().__getitem__(position)


def _state_of(run: ExperimentRun) -> Any:
    return run.result.data.to_dict()["statevector"].data


@pytest.mark.parametrize("engine", [AerEngine(), BasicEngine()])
def test_a_chunk_that_was_dropped_is_gone_when_the_next_one_runs(
    make_spec: MakeSpec, engine: AerEngine | BasicEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aerjob_cli.engines.chunks.CHUNK_S", 0.0)
    is_aer = isinstance(engine, AerEngine)
    circuits = Watched([QuantumCircuit(2, name=f"c{index}") for index in range(3)])
    for circuit in list(circuits):
        circuit.rx(0.3, 0)  # otherwise its state may be a stabilizer's
    spec = make_spec(backend="statevector_simulator" if is_aer else "basic_simulator", counts_required=False)
    for runs in engine.run(Program(circuits), spec, [(0, 1), (1, 2), (2, 3)]):
        (run,) = runs
        circuits.given += [weakref.ref(run), weakref.ref(run.result)]
        if is_aer:
            circuits.given.append(weakref.ref(_state_of(run)))
        del run, runs
    assert len(circuits.given) == (9 if is_aer else 6)
    assert circuits.alive == []
