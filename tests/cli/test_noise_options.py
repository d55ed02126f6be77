"""`--noise`, `--noise-model` and `--like`: what they do to counts, and what they refuse."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from qiskit import QuantumCircuit, qasm2
from qiskit.providers.fake_provider import GenericBackendV2
from qiskit.transpiler import CouplingMap
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, ReadoutError, amplitude_damping_error, depolarizing_error

from aerjob_cli.codec import noise_models
from aerjob_cli.codec.noise_texts import parse_noise
from tests.cli.conftest import Quick
from tests.support.circuits import BELL
from tests.support.command_line import CommandLine

SEED = ("--seed", "7")
IS_FAKE_INSTALLED = find_spec("qiskit_ibm_runtime") is not None


def noisy() -> NoiseModel:
    model = NoiseModel()
    model.add_all_qubit_quantum_error(depolarizing_error(0.2, 1), ["h", "x"])
    model.add_quantum_error(amplitude_damping_error(0.3), ["h"], [1], warnings=False)
    model.add_quantum_error(depolarizing_error(0.1, 2), ["cx"], [0, 1])
    model.add_readout_error(ReadoutError([[0.9, 0.1], [0.2, 0.8]]), [1])
    return model


def counts(aerjob: CommandLine, *arguments: str) -> dict[str, int]:
    (aerjob.folder / "bell.qasm").write_text(BELL)
    (job,) = aerjob.json("run", "bell.qasm", *SEED, *arguments)["jobs"]
    (experiment,) = job["experiments"]
    return dict(experiment["counts"])


def expected(circuit: QuantumCircuit, simulator: AerSimulator, **options: object) -> dict[str, int]:
    result = simulator.run(circuit, shots=1024, seed_simulator=7, max_parallel_threads=1, **options).result()
    return dict(result.get_counts())


def test_noise_in_words_and_in_a_file_is_aers(working: CommandLine) -> None:
    bell = qasm2.loads(BELL)
    text = "depolarizing:p1=0.1,p2=0.2,readout=0.05"
    model = noise_models.depolarizing(parse_noise(text)).noise_model
    assert counts(working, "--noise", text) == expected(bell, AerSimulator(), noise_model=model)
    (working.folder / "noise.json").write_text(json.dumps(noisy().to_dict(serializable=True)))
    from_file = counts(working, "--noise-model", "noise.json")
    assert from_file == expected(bell, AerSimulator(), noise_model=noisy())
    (first,) = working.json("list", "-n", "1")["jobs"]
    (again,) = working.json("retry", first["job_id"])["jobs"]
    assert working("wait", again["job_id"], "--timeout", "2m").returncode == 0
    (experiment,) = working.json("result", again["job_id"])["experiments"]
    assert experiment["counts"] == from_file, "a retry has the noise"


def test_a_generic_device_has_noise_gates_and_couplings(working: CommandLine) -> None:
    device = GenericBackendV2(3, coupling_map=CouplingMap.from_line(3), seed=42)
    model = NoiseModel.from_backend(device)
    far = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[3];\ncreg c[3];\nx q[0];\ncx q[0],q[1];\nmeasure q -> c;\n'
    (working.folder / "native.qasm").write_text(far)
    (job,) = working.json("run", "native.qasm", *SEED, "--like", "generic-3")["jobs"]
    assert job["experiments"][0]["counts"] == expected(qasm2.loads(far), AerSimulator(), noise_model=model)
    (working.folder / "far.qasm").write_text(far.replace("q[0],q[1]", "q[0],q[2]"))
    error = working.json("run", "far.qasm", *SEED, "--like", "generic-3", "--no-transpile", exit_code=6)
    assert "contains 'cx', which the device does not run as it is" in str(error)


@pytest.mark.skipif(not IS_FAKE_INSTALLED, reason="the extra `fake` is not installed")
def test_a_fake_device(working: CommandLine) -> None:
    found = counts(working, "--like", "FakeManilaV2")
    assert set(found) == {"00", "01", "10", "11"}
    assert found["00"] + found["11"] > 900


@pytest.mark.parametrize("method", ["density_matrix", "stabilizer"])
def test_every_method_that_takes_noise_has_it(working: CommandLine, method: str) -> None:
    found = counts(working, "--noise", "depolarizing:readout=0.5", "--backend", "aer_simulator", "--method", method)
    assert min(found.get(bits, 0) for bits in ("00", "01", "10", "11")) > 180


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (("--noise", "thermal"), 2, "'thermal' is no noise that is known; write for example depolarizing:p1="),
        (("--noise", "depolarizing"), 2, "is no noise that is known"),
        (("--noise", "depolarizing:"), 2, "is no noise that is known"),
        (("--noise", "depolarizing:p3=1"), 2, "'p3=1' in 'depolarizing:p3=1' is no p1=, p2= or readout="),
        (("--noise", "depolarizing:p1=x"), 2, "p1 is 'x', which is not a number"),
        (("--noise", "depolarizing:p1=0.1,p1=0.1"), 2, "'p1' is given twice"),
        (("--noise", "depolarizing:p1=0"), 6, "is without any noise; leave it out"),
        (("--noise", "depolarizing:p1=1.4"), 6, "it must be a number from 0 to 1.333"),
        (("--noise", "depolarizing:p2=-0.1"), 6, "it must be a number from 0 to 1.067"),
        (("--noise", "depolarizing:readout=nan"), 6, "it must be a number from 0 to 1"),
        (("--noise", "x" * 5000), 2, "…"),
        (("--noise", "depolarizing:p1=0.1", "--like", "generic-5"), 2, "--noise and --like each say"),
        (("--noise-model", "missing.json"), 6, "missing.json cannot be read"),
        (("--noise-model", "empty.json"), 6, "empty.json is empty; write a noise model in JSON into it"),
        (("--noise-model", "latin.json"), 6, "latin.json is not UTF-8 text"),
        (("--like", "generic-1"), 6, "'generic-1' has 1 qubits; a generic device has 2 to 127"),
        (("--like", "generic-128"), 6, "a generic device has 2 to 127"),
    ],
)
def test_refused_before_anything_is_stored(
    quick: Quick, bell: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], exit_code: int, words: str
) -> None:
    monkeypatch.chdir(bell.parent)
    Path("empty.json").write_text("")
    Path("latin.json").write_bytes(b"\xff")
    error = quick.json("submit", "bell.qasm", *arguments, exit_code=exit_code)["error"]
    assert words in error["message"]
    assert len(error["message"]) < 400
    assert quick.json("list")["jobs"] == []


def test_a_device_without_the_package_that_describes_it(idle: CommandLine, bell: Path) -> None:
    (bell.parent / "sitecustomize.py").write_text("import sys\nsys.modules['qiskit_ibm_runtime'] = None\n")
    done = idle("submit", bell, "--like", "manila", env={"PYTHONPATH": str(bell.parent)})
    assert (done.returncode, done.stdout) == (6, "")
    (line,) = done.stderr.splitlines()
    assert "pip install 'aerjob-cli[fake]' installs it, and generic-5 is there without it" in line


@pytest.mark.skipif(not IS_FAKE_INSTALLED, reason="the extra `fake` is not installed")
def test_an_unknown_device_is_told_what_is_near(quick: Quick, bell: Path) -> None:
    error = quick.json("submit", str(bell), "--like", "manilla", exit_code=6)["error"]
    assert "no device is called 'manilla'; did you mean manila?" in error["message"]


def test_what_validation_refuses(working: CommandLine) -> None:
    (working.folder / "bell.qasm").write_text(BELL)
    for name, operations in (("cnot", ["cnot"]), ("ecr", ["ecr"])):
        model = NoiseModel()
        model.add_all_qubit_quantum_error(depolarizing_error(0.1, 2), operations)
        (working.folder / f"{name}.json").write_text(json.dumps(model.to_dict(serializable=True)))
    for arguments, words in (
        (("--noise-model", "cnot.json"), "the noise model is for 'cnot', and the circuits have 'cx', 'rz', 'sx'"),
        (("--noise-model", "ecr.json"), "the noise model is for 'ecr'"),
        (("--like", "generic-2", "--backend", "basic_simulator"), "basic_simulator runs without noise"),
        (("--noise", "depolarizing:p1=0.1", "--backend", "unitary_simulator"), "runs without noise"),
    ):
        (job,) = working.json("submit", "--wait", "bell.qasm", *arguments, exit_code=6)["jobs"]
        assert words in job["message"]
    (working.folder / "wide.qasm").write_text(BELL.replace("[2]", "[3]"))
    (job,) = working.json("submit", "--wait", "wide.qasm", "--like", "generic-2", exit_code=6)["jobs"]
    assert "has 3 qubits, and the device has 2" in job["message"]
