"""PUBs run one by one give what Aer's own primitives give, whatever was run before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Clbit, Parameter
from qiskit.circuit.library import QFTGate
from qiskit.primitives import PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.primitives.containers.sampler_pub import SamplerPub
from qiskit.quantum_info import SparseObservable, SparsePauliOp
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, depolarizing_error
from qiskit_aer.primitives import EstimatorV2, SamplerV2

from aerjob_cli.catalog import SIMULATORS
from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.noise_models import Surroundings
from aerjob_cli.codec.observables import Estimation
from aerjob_cli.codec.program import Program, program_of_pubs
from aerjob_cli.codec.sweeps import NO_PARAMETERS, Sweep, Table
from aerjob_cli.engines.base import ExperimentRun, SimulationFailed
from aerjob_cli.engines.primitives import EstimatorEngine, SamplerEngine
from aerjob_cli.errors import CircuitRefused
from aerjob_cli.states import Reason
from tests.engines.conftest import MakeSpec
from tests.support.values import same

SEED = 11
ESTIMATION = Estimation((("ZZ", 1.0),))
HAMILTONIAN = SparsePauliOp(["ZZ", "XX", "IY"], [1.0, 0.5, 0.1 + 0.2])


def ansatz() -> QuantumCircuit:
    circuit = QuantumCircuit(2, name="ansatz")
    circuit.ry(Parameter("a"), 0)
    circuit.cx(0, 1)
    circuit.rx(Parameter("b"), 1)
    return circuit


def fed_forward() -> QuantumCircuit:
    """Two registers, a measurement in the middle, and gates that depend on it."""
    early, late = ClassicalRegister(1, "early"), ClassicalRegister(2, "late")
    circuit = QuantumCircuit(QuantumRegister(2), early, late, name="fed forward", metadata={"k": 1})
    angle = Parameter("a")
    circuit.ry(angle, 0)
    circuit.measure(0, early[0])
    with circuit.if_test((early, 1)):
        circuit.rx(angle, 1)
    circuit.h(0)
    circuit.measure([0, 1], late)
    return circuit


def values(*shape: int) -> Any:
    return np.random.default_rng(1).uniform(0, 3, shape)


@pytest.fixture
def sampling(make_spec: MakeSpec) -> JobSpec:
    return make_spec(backend="sampler", shots=60, seed=SEED, counts_required=False)


@pytest.fixture
def estimating(make_spec: MakeSpec) -> JobSpec:
    return make_spec(backend="estimator", shots=1024, seed=SEED, counts_required=False)


def run(
    engine: SamplerEngine | EstimatorEngine,
    program: Program,
    spec: JobSpec,
    missing: Sequence[tuple[int, int]] | None = None,
) -> list[ExperimentRun]:
    parts = [(0, program.experiments_total)] if missing is None else missing
    return [result for chunk in engine.run(program, spec, parts) for result in chunk]


def data(result: PubResult) -> dict[str, Any]:
    return dict(result.data.items())


def contents(result: PubResult) -> bytes:
    return b"".join(getattr(value, "array", value).tobytes() for value in result.data.values())


def test_a_sampler_gives_what_aers_gives(sampling: JobSpec) -> None:
    pubs = [(fed_forward(), values(3, 2, 1)), (fed_forward(), [0.4]), (fed_forward(), values(4, 1))]
    program = program_of_pubs([SamplerPub.coerce(pub, 60) for pub in pubs])
    assert SamplerEngine().check(program, sampling).experiments_total == 3
    runs = run(SamplerEngine(), program, sampling)
    expected = SamplerV2(seed=SEED).run(pubs, shots=60).result()
    assert [same(data(found.result), data(wanted)) for found, wanted in zip(runs, expected, strict=True)] == [True] * 3
    assert [(item.seed, item.shots) for item in runs] == [(SEED, 60), (SEED + 6 * 2113, 60), (SEED + 7 * 2113, 60)]
    assert runs[0].result.data.shape == (3, 2)
    assert runs[0].result.metadata["circuit_metadata"] == {"k": 1}


def test_what_is_missing_gives_what_it_gives_in_the_whole(sampling: JobSpec, estimating: JobSpec) -> None:
    pubs = [SamplerPub.coerce((fed_forward(), values(2, 1)), shots) for shots in (5, 60, 7, 60)]
    estimates = [EstimatorPub.coerce((ansatz(), "ZZ", values(3, 2)), 0.1) for _ in range(4)]
    jobs: list[tuple[SamplerEngine | EstimatorEngine, Program, JobSpec]] = [
        (SamplerEngine(), program_of_pubs(pubs), sampling),
        (EstimatorEngine(), program_of_pubs(estimates), estimating),
    ]
    for engine, program, spec in jobs:
        whole = run(engine, program, spec)
        some = run(engine, program, spec, [(1, 2), (3, 4)])
        assert [item.index for item in some] == [1, 3]
        for item in some:
            assert same(data(item.result), data(whole[item.index].result))
            assert item.seed == whole[item.index].seed
        # The seed goes on from PUB to PUB: no two have the same noise or samples.
        assert len({contents(item.result) for item in whole}) == len(whole)


def test_an_estimator_gives_what_aers_gives(estimating: JobSpec) -> None:
    grid = (ansatz(), [["ZZ"], [HAMILTONIAN], [{"XI": -2.0}]], values(5, 2))
    pubs = [EstimatorPub.coerce(grid, 0.05), EstimatorPub.coerce((ansatz(), HAMILTONIAN, values(2)), 0.0)]
    runs = run(EstimatorEngine(), program_of_pubs(pubs), estimating)
    aers = [
        EstimatorV2(options={"run_options": {"seed_simulator": item.seed}}).run([pub]).result()[0]
        for item, pub in zip(runs, pubs, strict=True)
    ]
    assert [same(data(item.result), data(aer)) for item, aer in zip(runs, aers, strict=True)] == [True, True]
    assert runs[0].seed == SEED
    assert runs[0].result.data.evs.shape == (3, 5)
    assert runs[0].result.metadata["target_precision"] == 0.05


def test_gates_that_aer_does_not_have_are_translated(estimating: JobSpec) -> None:
    circuit = ansatz()
    circuit.append(QFTGate(2), [0, 1])
    program = program_of_pubs([EstimatorPub.coerce((circuit, HAMILTONIAN, values(2)))])
    EstimatorEngine().check(program, estimating)
    (found,) = run(EstimatorEngine(), program, estimating)
    (wanted,) = EstimatorV2().run([(circuit.decompose("qft"), HAMILTONIAN, values(2))]).result()
    assert found.result.data.evs == pytest.approx(wanted.data.evs, abs=1e-12)


def noise(gate: str = "cx") -> NoiseModel:
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(0.1, 2 if gate == "cx" else 1), [gate])
    return model


def test_the_executed_circuits_are_those_that_aer_gets(estimating: JobSpec) -> None:
    circuit = ansatz()
    circuit.append(QFTGate(2), [0, 1])
    pubs = [EstimatorPub.coerce((circuit, "ZZ", [0.1, 0.2])), EstimatorPub.coerce((circuit, "ZZ", values(3, 2)))]
    bound, swept = EstimatorEngine().executed(program_of_pubs(pubs), estimating, range(2))
    assert (bound.num_parameters, swept.num_parameters) == (0, 2)
    assert "qft" not in {*bound.count_ops(), *swept.count_ops()}


def test_noise_is_that_of_aers_primitives(sampling: JobSpec, estimating: JobSpec) -> None:
    pub = (ansatz(), HAMILTONIAN, values(3, 2))
    program = program_of_pubs([EstimatorPub.coerce(pub)], Surroundings(noise()))
    EstimatorEngine().check(program, estimating)
    (found,) = run(EstimatorEngine(), program, estimating)
    options = {"backend_options": {"noise_model": noise()}, "run_options": {"seed_simulator": SEED}}
    assert same(data(found.result), data(EstimatorV2(options=options).run([pub]).result()[0]))
    assert not same(data(found.result), data(EstimatorV2().run([pub]).result()[0]))
    circuit = ansatz().measure_all(inplace=False)
    program = program_of_pubs([SamplerPub.coerce((circuit, values(3, 2)), 60)], Surroundings(noise()))
    (found,) = run(SamplerEngine(), program, sampling)
    aers = SamplerV2(seed=SEED, options={"backend_options": {"noise_model": noise()}})
    assert same(data(found.result), data(aers.run([(circuit, values(3, 2))], shots=60).result()[0]))
    with pytest.raises(CircuitRefused, match="the noise model is for 'h'"):
        EstimatorEngine().check(program_of_pubs([EstimatorPub.coerce(pub)], Surroundings(noise("h"))), estimating)


def test_observables_follow_their_qubits_onto_a_device(estimating: JobSpec) -> None:
    # Not next to one another on the line, so that qubits are swapped on the way.
    circuit = QuantumCircuit(3, name="far")
    circuit.h(0)
    circuit.cx(0, 2)
    circuit.ry(0.3, 1)
    circuit.cx(0, 1)
    circuit.x(2)
    observables = ["ZIZ", "IZZ", "ZII", SparsePauliOp(["XXX", "ZIZ"], [1.0, 0.5])]
    line = tuple((one, other) for one in range(4) for other in range(4) if abs(one - other) == 1)
    next_to_none = NoiseModel()
    next_to_none.add_all_qubit_quantum_error(depolarizing_error(1e-9, 1), ["x"])
    device = Surroundings(next_to_none, basis_gates=("cx", "rz", "sx", "x"), coupling=line, num_qubits=4)
    program = program_of_pubs([EstimatorPub.coerce((circuit, observables))], device)
    EstimatorEngine().check(program, estimating)
    (found,) = run(EstimatorEngine(), program, estimating)
    (exact,) = EstimatorV2().run([(circuit, observables)]).result()
    assert found.result.data.evs == pytest.approx(exact.data.evs, abs=1e-6)
    assert set(np.round(exact.data.evs, 2)) == {-1.0, 0.96, 0.0, 0.5}


def test_a_sweep_gives_a_value_for_each_point(estimating: JobSpec) -> None:
    plain = QuantumCircuit(2, name="plain")
    table = Table(("a", "b"), ((0.1, 0.2), (0.3, 0.4), (0.5, 0.6)))
    program = Program([ansatz(), plain, ansatz()], None, Sweep((table, NO_PARAMETERS, table)), estimation=ESTIMATION)
    assert EstimatorEngine().check(program, estimating).experiments_total == 7
    runs = run(EstimatorEngine(), program, estimating)
    (wanted,) = EstimatorV2().run([(ansatz(), "ZZ", np.array(table.points))]).result()
    found = [float(item.result.data.evs) for item in runs]
    assert found[:3] == found[4:] == pytest.approx(wanted.data.evs.tolist(), abs=1e-12)
    assert [item.seed for item in runs] == [SEED + 2113 * index for index in range(7)]
    (last,) = run(EstimatorEngine(), program, estimating, [(6, 7)])
    assert same(data(last.result), data(runs[6].result))
    for tables, fact in (((Table(("c",), ((0.1,),)),), "no circuit has a parameter 'c'"), ((NO_PARAMETERS,), "a, b")):
        with pytest.raises(CircuitRefused, match=fact):
            EstimatorEngine().check(Program([ansatz()], None, Sweep(tables), estimation=ESTIMATION), estimating)


def test_circuits_of_files_are_estimated_without_their_last_measurements(make_spec: MakeSpec) -> None:
    measured = QuantumCircuit(2, name="bell", metadata={"of": "a file"})
    measured.h(0)
    measured.cx(0, 1)
    measured.measure_all()
    program = Program([measured, measured], estimation=Estimation((("ZZ", 1.0), ("XX", 0.5)), 0.0))
    spec = make_spec(backend="estimator", counts_required=True)
    assert EstimatorEngine().check(program, spec).experiments_total == 2
    runs = run(EstimatorEngine(), program, spec)
    assert [float(item.result.data.evs) for item in runs] == pytest.approx([1.5, 1.5])
    assert (runs[0].name, runs[0].result.metadata["circuit_metadata"]) == ("bell", {"of": "a file"})


def test_the_methods_of_the_estimator_are_those_that_can_estimate() -> None:
    able = set()
    for method in SIMULATORS["aer_simulator"].methods:
        circuit = QuantumCircuit(1)
        circuit.save_expectation_value(SparsePauliOp("Z"), [0])
        if AerSimulator(method=method).run(circuit).result().success:
            able.add(method)
    assert set(SIMULATORS["estimator"].methods) == able


def non_consecutive() -> QuantumCircuit:
    bits = [Clbit() for _ in range(3)]
    circuit = QuantumCircuit(1)
    circuit.add_bits(bits)
    circuit.add_register(ClassicalRegister(name="apart", bits=[bits[0], bits[2]]))
    circuit.measure(0, 0)
    return circuit


def measured(register: str = "c", qubits: int = 1) -> QuantumCircuit:
    circuit = QuantumCircuit(QuantumRegister(qubits), ClassicalRegister(1, register))
    circuit.measure(0, 0)
    return circuit


def wide(qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits)
    for qubit in range(qubits):
        circuit.ry(0.1, qubit)
    return circuit


NAN = float("nan")
REFUSED: list[tuple[Any, str]] = [
    (SamplerPub.coerce(non_consecutive(), 1), "not next to one another"),
    (SamplerPub.coerce(measured("shape"), 1), "'shape'"),
    (SamplerPub.coerce(measured("size"), 1), "'size'"),
    (SamplerPub.coerce((fed_forward(), np.zeros((0, 1))), 1), "nothing to run"),
    (SamplerPub.coerce((fed_forward(), [NAN]), 1), "not a finite number"),
    (SamplerPub.coerce(measured(), 2**31), "are the most"),
    (EstimatorPub.coerce((measured(), "Z")), "measures at its end"),
    (EstimatorPub.coerce((ansatz(), "ZZ", np.zeros((0, 2)))), "nothing to run"),
    (EstimatorPub.coerce((ansatz(), "ZZ", [NAN, 0])), "not a finite number"),
    (EstimatorPub.coerce((ansatz(), {"ZZ": NAN}, [0, 0])), "not a finite number"),
    (EstimatorPub.coerce((ansatz(), "ZZ", [0, 0]), NAN), "precision nan"),
    (EstimatorPub.coerce((ansatz(), SparseObservable("Z0"), [0, 0])), "Paulis only"),
    (EstimatorPub.coerce((wide(50), "Z" * 50)), "needs 16 PiB"),
]


@pytest.mark.parametrize(("pub", "fact"), REFUSED, ids=[fact for _, fact in REFUSED])
def test_what_cannot_run_is_refused(make_spec: MakeSpec, pub: SamplerPub | EstimatorPub, fact: str) -> None:
    is_sampler = isinstance(pub, SamplerPub)
    spec = make_spec(backend="sampler" if is_sampler else "estimator", counts_required=False)
    engine = SamplerEngine() if is_sampler else EstimatorEngine()
    with pytest.raises(CircuitRefused, match=fact):
        engine.check(program_of_pubs([pub]), spec)


def test_gates_that_are_not_clifford_are_refused_for_a_stabilizer(make_spec: MakeSpec) -> None:
    spec = make_spec(backend="estimator", method="stabilizer", counts_required=False)
    for angles, is_fine in (([0.0, 0.0], True), ([0.1, 0.0], False)):
        circuit = QuantumCircuit(1)
        circuit.rz(Parameter("a"), 0)
        circuit.rz(Parameter("b"), 0)
        program = program_of_pubs([EstimatorPub.coerce((circuit, "Z", angles))])
        if is_fine:
            EstimatorEngine().check(program, spec)
            continue
        with pytest.raises(CircuitRefused, match="'rz', which the method 'stabilizer' cannot run"):
            EstimatorEngine().check(program, spec)


def test_pubs_of_the_other_primitive_are_refused(sampling: JobSpec, estimating: JobSpec) -> None:
    estimates = program_of_pubs([EstimatorPub.coerce((ansatz(), "ZZ", [0, 0]))])
    samples = program_of_pubs([SamplerPub.coerce(measured(), 1)])
    for program in (estimates, Program([measured()], estimation=Estimation((("Z", 1.0),)))):
        with pytest.raises(CircuitRefused, match="sampler"):
            SamplerEngine().check(program, sampling)
    for program in (samples, Program([measured()])):
        with pytest.raises(CircuitRefused, match="no observables"):
            EstimatorEngine().check(program, estimating)


def test_a_failure_has_its_reason_and_those_before_it_are_given(make_spec: MakeSpec) -> None:
    spec = make_spec(backend="sampler", method="stabilizer", counts_required=False)
    bad = QuantumCircuit(1, 1)
    bad.t(0)
    bad.measure(0, 0)
    program = program_of_pubs([SamplerPub.coerce(circuit, 3) for circuit in (measured(), bad)])
    chunks = SamplerEngine().run(program, spec, [(0, 2)])
    assert [item.index for item in next(chunks)] == [0]
    with pytest.raises(SimulationFailed, match="contains invalid") as failure:
        next(chunks)
    assert failure.value.reason is Reason.SIMULATION_FAILED


def test_a_lack_of_memory_is_called_one(make_spec: MakeSpec) -> None:
    spec = make_spec(method="statevector", max_memory_mb=1, counts_required=False)
    circuit = wide(20)
    engines: list[tuple[SamplerEngine | EstimatorEngine, Program]] = [
        (SamplerEngine(), program_of_pubs([SamplerPub.coerce(circuit.measure_all(inplace=False), 3)])),
        (EstimatorEngine(), program_of_pubs([EstimatorPub.coerce((circuit, "Z" * 20))])),
    ]
    for engine, program in engines:
        with pytest.raises(SimulationFailed, match="Insufficient memory") as failure:
            run(engine, program, spec)
        assert failure.value.reason is Reason.OUT_OF_MEMORY
