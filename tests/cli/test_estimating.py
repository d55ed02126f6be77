"""`submit --observable`: expectation values in every format, and what is refused."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp

from aerjob_cli import BasicAerProvider, DurableEstimator, DurableSampler, PrimitiveAerJob
from tests.cli.conftest import Quick
from tests.support.circuits import BELL
from tests.support.command_line import CommandLine

NAMES = ("bell", "ansatz")
TERMS = ("--observable", "ZZ=1.0", "--observable", "XX=0.5")


@pytest.fixture
def ansatz(tmp_path: Path) -> Path:
    circuit = QuantumCircuit(2, name="ansatz")
    circuit.ry(0.3, 0)
    circuit.cx(0, 1)
    path = tmp_path / "ansatz.qpy"
    with path.open("wb") as file:
        qpy.dump(circuit, file)
    return path


def test_values_in_every_format(quick_working: Quick, working: CommandLine, bell: Path) -> None:
    submitted = quick_working.json("submit", str(bell), *TERMS, "--wait")
    job_id = submitted["jobs"][0]["job_id"]
    value = quick_working.json("result", job_id)
    assert value["observables"] == [{"pauli": "ZZ", "coefficient": 1.0}, {"pauli": "XX", "coefficient": 0.5}]
    (experiment,) = value["experiments"]
    assert (experiment["name"], experiment["counts"]) == ("bell", None)
    assert experiment["expectation_values"] == [{"index": [], "value": pytest.approx(1.5), "std": 0.0}]
    _, text, _ = quick_working("result", job_id)
    assert [float(word) for word in text.split()] == pytest.approx([1.5, 0.0])
    head, row = csv.reader(quick_working("result", job_id, "--format", "csv")[1].splitlines())
    assert head == ["job_id", "experiment", "name", "value", "std"]
    assert row[:3] == [job_id, "0", "bell"]
    assert float(row[3]) == pytest.approx(1.5)
    array = bell.parent / "value.npy"
    assert quick_working("result", job_id, "--format", "npy", "-o", str(array))[0] == 0
    assert np.load(array).shape == ()
    assert "no JSON for" in quick_working("result", job_id, "--format", "qiskit")[2]
    assert "cannot be drawn" in quick_working("plot", job_id, "-o", str(bell.parent / "values.png"))[2]
    screen = working.on_a_terminal("result", job_id)
    assert "bell: value of ZZ + 0.5 XX" in screen
    assert "1.500000" in screen


def test_the_shell_and_python_give_the_same(quick_working: Quick, working_home: Path, ansatz: Path) -> None:
    (noisy,) = quick_working.json("run", str(ansatz), *TERMS, "--precision", "0.01", "--seed", "4")["jobs"]
    (found,) = noisy["experiments"][0]["expectation_values"]
    assert found["std"] == 0.01
    provider = BasicAerProvider(working_home)
    job = provider.retrieve_job(noisy["job_id"])
    assert isinstance(job, PrimitiveAerJob)
    assert float(job.result()[0].data.evs) == found["value"]
    pub = (job.circuits()[0], SparsePauliOp(["ZZ", "XX"], [1.0, 0.5]))
    again = DurableEstimator(provider, seed=4).run([pub], precision=0.01)
    assert float(again.result(timeout=60)[0].data.evs) == found["value"]


def test_several_files_are_several_values(quick_working: Quick, bell: Path, ansatz: Path) -> None:
    terms = ("--observable", "ZZ", "--wait")
    job_id = quick_working("submit", "--one-job", str(bell), str(ansatz), *terms)[1].strip()
    lines = quick_working("result", job_id)[1].splitlines()
    assert [line.split()[2:6] for line in lines[::2]] == [[f"{name}:", "value", "of", "ZZ,"] for name in NAMES]
    assert float(lines[1].split()[0]) == pytest.approx(1.0)
    again = quick_working("retry", job_id)[1].strip()
    assert quick_working("wait", again, "--timeout", "60")[0] == 0
    assert quick_working("result", again)[1].replace(again, job_id).splitlines() == lines


def test_noise_and_a_sweep_go_with_observables(quick_working: Quick, tmp_path: Path) -> None:
    circuit = QuantumCircuit(1, name="turned")
    circuit.ry(Parameter("theta"), 0)
    path = tmp_path / "turned.qpy"
    with path.open("wb") as file:
        qpy.dump(circuit, file)
    terms = ("--observable", "Z", "--sweep", "theta=0:pi:3")
    job_id = quick_working("submit", str(path), *terms, "--wait")[1].strip()
    rows = list(csv.reader(quick_working("result", job_id, "--format", "csv")[1].splitlines()))
    assert rows[0] == ["job_id", "experiment", "name", "theta", "value", "std"]
    assert [float(row[4]) for row in rows[1:]] == pytest.approx([1.0, 0.0, -1.0], abs=1e-9)
    experiments = quick_working.json("result", job_id)["experiments"]
    assert [item["parameters"]["theta"] for item in experiments] == pytest.approx([0.0, np.pi / 2, np.pi])
    noise = ("--noise", "depolarizing:p1=0.3")
    (noisy,) = quick_working.json("run", str(path), "--observable", "Z", "--bind", "theta=0", *noise)["jobs"]
    (found,) = noisy["experiments"][0]["expectation_values"]
    assert 0.5 < found["value"] < 0.9


def test_results_of_python_are_told(quick_working: Quick, working_home: Path) -> None:
    provider = BasicAerProvider(working_home)
    circuit = QuantumCircuit(1, name="turned")
    circuit.ry(Parameter("a"), 0)
    values = DurableEstimator(provider).run([(circuit, [["Z"], ["X"]], [[0.0], [0.5]])])
    circuit = circuit.copy()
    circuit.measure_all()
    samples = DurableSampler(provider).run([(circuit, [[0.0], [0.5]], 10), (circuit, [0.0], 10)])
    assert quick_working("wait", values.job_id(), samples.job_id(), "--timeout", "60")[0] == 0
    rows = [line.split("\t") for line in quick_working("result", values.job_id())[1].splitlines()]
    assert [row[:2] for row in rows] == [["0", "0"], ["0", "1"], ["1", "0"], ["1", "1"]]
    assert [float(row[2]) for row in rows] == pytest.approx([1.0, np.cos(0.5), 0.0, np.sin(0.5)])
    _, document, _ = quick_working("result", values.job_id(), "--format", "csv")
    assert document.splitlines()[0] == "job_id,experiment,name,index_0,index_1,value,std"
    shaped, plain = quick_working.json("result", samples.job_id())["experiments"]
    assert (shaped["counts"], plain["counts"]) == (None, {"0": 10})
    assert shaped["data"] == {"meas": {"object": "BitArray", "data": {"array": "meas"}, "num_bits": 1}}
    code, drawn, _ = quick_working("show", samples.job_id(), "--circuit")
    assert (code, drawn.count("turned:")) == (0, 2)


@pytest.mark.parametrize(
    ("arguments", "exit_code", "fact"),
    [
        ("--observable ZQ", 6, "the letter 'Q'"),
        ("--observable ZZ --observable X", 6, "not of one length"),
        ("--observable ZZ=much", 6, "'much'"),
        ("--observable ZZ=0", 6, "'0'"),
        ("--observable ZZ --precision -0.1", 6, "--precision is -0.1"),
        ("--observable ZZ --precision nan", 6, "--precision is nan"),
        ("--observable ZZ --precision much", 2, "--precision"),
        ("--observable =1", 2, "PAULI=COEFFICIENT"),
        ("--observable ZZ --observable ZZ", 2, "given twice"),
        ("--precision 0.1", 2, "give --observable with it"),
        ("--observable ZZ --backend qasm_simulator", 2, "leave out --backend"),
        ("--observable ZZ --memory", 2, "--memory"),
        ("--observable ZZ --measure-all", 6, "measure_all"),
        ("--observable ZZ --method extended_stabilizer", 6, "method"),
        ("--backend estimator", 2, "give --observable"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_queued(
    quick: Quick, bell: Path, arguments: str, exit_code: int, fact: str
) -> None:
    code, stdout, stderr = quick("submit", str(bell), *arguments.split())
    assert (code, stdout) == (exit_code, "")
    assert fact in stderr
    assert len(stderr.splitlines()) == 1
    assert quick.json("list", "--all")["jobs"] == []


def test_an_observable_of_another_width_is_refused_by_validation(quick_working: Quick, bell: Path) -> None:
    code, stdout, stderr = quick_working("submit", str(bell), "--observable", "ZZZ")
    assert (code, stdout) == (6, "")
    assert "circuit 'bell' has 2 qubits, and the observable 'ZZZ' has not as many letters" in stderr
    (job,) = quick_working.json("status", "last")["jobs"]
    assert (job["status"], job["reason"], job["attempt"]) == ("ERROR", "INVALID_CIRCUIT", 0)


def test_parameters_without_values_are_refused(quick_working: Quick, tmp_path: Path) -> None:
    circuit = QuantumCircuit(2, name="open")
    circuit.ry(Parameter("theta"), 0)
    path = tmp_path / "open.qpy"
    with path.open("wb") as file:
        qpy.dump(circuit, file)
    code, _, stderr = quick_working("submit", str(path), "--observable", "ZZ")
    assert code == 6
    assert "circuit 'open' has parameters without a value: theta" in stderr


def test_a_circuit_that_measures_in_its_middle_is_averaged(quick_working: Quick, tmp_path: Path) -> None:
    path = tmp_path / "middle.qasm"
    path.write_text(BELL + "h q[0];\nmeasure q[0] -> c[0];\ncx q[0],q[1];\n")
    terms = ("--observable", "IZ", "--shots", "4000", "--seed", "1")
    (job,) = quick_working.json("run", str(path), *terms)["jobs"]
    (value,) = job["experiments"][0]["expectation_values"]
    assert 0 < abs(value["value"]) < 0.1
