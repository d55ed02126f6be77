"""The circuit that is executed: what the simulator is handed, and so what gives the job's counts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.circuit.library import QFTGate
from qiskit.providers.basic_provider import BasicSimulator
from qiskit_aer import AerSimulator

from aerjob_cli.api.run_inputs import sweep_of
from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.noise_models import depolarizing
from aerjob_cli.codec.noise_texts import parse_noise
from aerjob_cli.codec.program import Program
from aerjob_cli.engines.aer import AerEngine
from aerjob_cli.engines.base import Engine
from aerjob_cli.engines.basic import BasicEngine
from tests.support.programs import program

MakeSpec = Callable[..., JobSpec]


def circuits() -> list[QuantumCircuit]:
    native, foreign, unmeasured = QuantumCircuit(2, 2), QuantumCircuit(3, 3), QuantumCircuit(1)
    native.h(0)
    native.cx(0, 1)
    native.measure([0, 1], [0, 1])
    foreign.append(QFTGate(3), range(3))
    foreign.measure(range(3), range(3))
    unmeasured.h(0)
    return [native, foreign, unmeasured]


@pytest.mark.parametrize(
    ("engine", "backend", "simulator"),
    [(AerEngine(), "qasm_simulator", AerSimulator()), (BasicEngine(), "basic_simulator", BasicSimulator())],
)
def test_the_executed_circuits_give_the_counts(
    engine: Engine, backend: str, simulator: AerSimulator | BasicSimulator, make_spec: MakeSpec
) -> None:
    spec = make_spec(backend=backend, options={"measure_all": True}, counts_required=False)
    job = program(*circuits())
    runs = [run for runs in engine.run(job, spec, [(0, 3)]) for run in runs]
    for run, executed in zip(runs, engine.executed(job, spec, range(3)), strict=True):
        counts = simulator.run(executed, shots=spec.shots, seed_simulator=run.seed).result().data().get("counts")
        assert counts == run.result.data.counts
    native, translated = engine.executed(job, spec, [0, 1])
    assert native is job.circuits[0]
    assert "qft" not in translated.count_ops()


def test_points_of_a_sweep_under_noise_are_as_they_run(make_spec: MakeSpec) -> None:
    theta = Parameter("theta")
    circuit = QuantumCircuit(1, 1)
    circuit.rx(theta, 0)
    circuit.measure(0, 0)
    surroundings = depolarizing(parse_noise("depolarizing:p1=0.1"))
    job = Program([circuit], surroundings, sweep_of([{theta: [0.1, 1.5, 3.0]}], [circuit]))
    runs = [run for runs in AerEngine().run(job, make_spec(), [(0, 3)]) for run in runs]
    for run, executed in zip(runs, AerEngine().executed(job, make_spec(), range(3)), strict=True):
        assert not executed.parameters
        noisy = AerSimulator(noise_model=surroundings.noise_model)
        result = noisy.run(executed, shots=100, seed_simulator=run.seed, max_parallel_threads=1).result()
        assert result.data().get("counts") == run.result.data.counts


def test_a_saved_state_is_a_part_of_it(make_spec: MakeSpec) -> None:
    spec = make_spec(backend="statevector_simulator", method="statevector", counts_required=False)
    (executed,) = AerEngine().executed(program(*circuits()), spec, [2])
    assert executed.count_ops() == {"h": 1, "save_state": 1}


def test_what_aer_says_of_a_run_is_kept(make_spec: MakeSpec) -> None:
    (clifford, dense, _) = (
        run for runs in AerEngine().run(program(*circuits()), make_spec(), [(0, 3)]) for run in runs
    )
    assert (clifford.method, dense.method) == ("stabilizer", "statevector")
    assert (clifford.threads, dense.threads) == (1, 1)
    assert 0 < (dense.time_taken_s or 0) < 60
