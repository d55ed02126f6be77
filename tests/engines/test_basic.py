"""Qiskit's own simulator as an engine: each experiment alone with its seed, and what it cannot take is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from qiskit import QuantumCircuit
from qiskit.circuit.library import UnitaryGate
from qiskit.providers.basic_provider import BasicSimulator

from aerjob_cli.catalog import SIMULATORS
from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.engines.base import Plan
from aerjob_cli.engines.basic import BasicEngine
from aerjob_cli.engines.registry import engine_of
from aerjob_cli.errors import CircuitRefused
from tests.support.programs import program

MakeSpec = Callable[..., JobSpec]


def ghz(qubits: int, name: str = "ghz") -> QuantumCircuit:
    circuit = QuantumCircuit(qubits, qubits, name=name)
    circuit.h(0)
    for qubit in range(qubits - 1):
        circuit.cx(qubit, qubit + 1)
    circuit.measure(range(qubits), range(qubits))
    return circuit


@pytest.fixture
def basic_spec(make_spec: MakeSpec) -> MakeSpec:
    return lambda **changes: make_spec(**{"backend": "basic_simulator", "method": "statevector"} | changes)


def refusal(circuit: QuantumCircuit, spec: JobSpec) -> str:
    with pytest.raises(CircuitRefused) as caught:
        BasicEngine().check(program(ghz(2), circuit), spec)
    return caught.value.message


def test_an_experiment_gives_the_same_whatever_else_is_missing(basic_spec: MakeSpec) -> None:
    circuits = [ghz(3, f"c{index}") for index in range(10)]
    spec = basic_spec(memory=True)
    assert BasicEngine().check(program(*circuits), spec) == Plan(10, 1)
    whole = {run.index: run for chunk in BasicEngine().run(program(*circuits), spec, [(0, 10)]) for run in chunk}
    assert list(whole) == list(range(10))
    some = [run for chunk in BasicEngine().run(program(*circuits), spec, [(2, 3), (7, 10)]) for run in chunk]
    assert [run.index for run in some] == [2, 7, 8, 9]
    for run in some:
        assert run.seed == whole[run.index].seed == 5 + 2113 * run.index
        assert run.result.data.to_dict() == whole[run.index].result.data.to_dict()
        alone = BasicSimulator().run(circuits[run.index], shots=100, seed_simulator=run.seed, memory=True).result()
        assert run.result.data.to_dict() == alone.results[0].data.to_dict()
    assert len({tuple(run.result.data.memory) for run in whole.values()}) == 10


def test_seeds_stay_in_64_bits(basic_spec: MakeSpec) -> None:
    spec = basic_spec(seed=2**63 - 1)
    ((run,),) = BasicEngine().run(program(*([ghz(2)] * 3)), spec, [(2, 3)])
    assert run.seed == 2**63 - 1 + 2 * 2113


def test_what_it_cannot_take_is_refused(basic_spec: MakeSpec) -> None:
    assert "has 25 qubits, and basic_simulator takes 24" in refusal(ghz(25), basic_spec())
    assert "needs 512 MiB for 24 qubits; the job's memory limit is 500 MiB" in refusal(
        ghz(24), basic_spec(max_memory_mb=500)
    )
    BasicEngine().check(program(ghz(24)), basic_spec())
    toffoli = QuantumCircuit(24, 1, name="toffoli")
    toffoli.ccx(0, 1, 2)
    toffoli.measure(0, 0)
    assert "'ccx' on 3 of 24 qubits, and basic_simulator takes 26 of both" in refusal(toffoli, basic_spec())
    branch = QuantumCircuit(1, 1, name="branch")
    branch.measure(0, 0)
    with branch.if_test((0, 1)):
        branch.x(0)
    assert "contains 'if_else', which basic_simulator cannot run" in refusal(branch, basic_spec())
    silent = QuantumCircuit(1, name="silent")
    assert "'silent' measures nothing" in refusal(silent, basic_spec())
    lacking = QuantumCircuit(3, 1, name="lacking")
    lacking.append(UnitaryGate([[0, 1], [1, 0]]).control(1), [0, 1])
    lacking.measure(0, 0)
    assert "which basic_simulator does not run as it is" in refusal(lacking, basic_spec(options={"transpile": False}))


def test_the_widest_circuit_runs(basic_spec: MakeSpec) -> None:
    circuit = QuantumCircuit(23, 1)
    circuit.x(0)
    circuit.ccx(0, 1, 2)
    circuit.measure(0, 0)
    spec = basic_spec(shots=2)
    assert BasicEngine().check(program(circuit), spec) == Plan(1, 1)
    ((run,),) = BasicEngine().run(program(circuit), spec, [(0, 1)])
    assert run.result.data.counts == {"0x1": 2}


def test_the_registry_gives_one_engine_for_each_simulator() -> None:
    basic, aer = (engine_of(SIMULATORS[name]) for name in ("basic_simulator", "aer_simulator"))
    assert basic is engine_of(SIMULATORS["basic_simulator"])
    assert aer is engine_of(SIMULATORS["qasm_simulator"])
    assert basic.version.startswith("qiskit ")
    assert aer.version.startswith("qiskit-aer ")
    assert aer.target("automatic").num_qubits is None
    assert "measure" not in aer.target("unitary").operation_names
    assert "ccx" in basic.target("statevector").operation_names
