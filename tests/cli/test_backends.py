"""`backends` and `version`: what there is, in words and in JSON."""

from __future__ import annotations

from importlib.metadata import version

from aerjob_cli.memory import usable_memory_mb
from aerjob_cli.plugins.discovery import usable_simulators
from tests.support.command_line import CommandLine


def test_every_simulator_is_listed_with_its_reach(aerjob: CommandLine) -> None:
    value = aerjob.json("backends")
    assert value["memory_mb"] == usable_memory_mb()
    listed = {backend["name"]: backend for backend in value["backends"]}
    assert list(listed) == [simulator.name for simulator in usable_simulators()]
    assert [name for name, backend in listed.items() if backend["default"]] == ["qasm_simulator"]
    (qubits,) = (
        method["max_qubits"] for method in listed["aer_simulator"]["methods"] if method["name"] == "statevector"
    )
    # One more qubit would not fit: a state has 16 bytes for each of 2^n amplitudes.
    assert 16 << qubits <= (value["memory_mb"] + 1) * 2**20 <= 32 << qubits
    reach = {method["name"]: method["max_qubits"] for method in listed["aer_simulator"]["methods"]}
    assert reach["matrix_product_state"] is None
    assert reach["extended_stabilizer"] == 63
    assert qubits // 2 == reach["unitary"] == reach["density_matrix"]


def test_the_default_follows_the_environment(aerjob: CommandLine) -> None:
    done = aerjob("backends", "--json", env={"AERJOB_BACKEND": "basic_simulator"})
    assert '"name": "basic_simulator"' in done.stdout.split('"default": true')[0].rsplit("{", 1)[1]


def test_backends_as_text_have_a_line_each(aerjob: CommandLine) -> None:
    rows = [line.split("\t") for line in aerjob("backends").stdout.splitlines()]
    assert [row[0] for row in rows] == [simulator.name for simulator in usable_simulators()]
    assert {len(row) for row in rows} == {4}


def test_neither_makes_a_store(aerjob: CommandLine) -> None:
    assert aerjob("backends").returncode == 0
    assert aerjob("version").returncode == 0
    assert not aerjob.home.exists()


def test_versions(aerjob: CommandLine) -> None:
    value = aerjob.json("version")
    assert value["packages"]["qiskit-aer"] == version("qiskit-aer")
    assert aerjob("version").stdout.splitlines()[0] == f"aerjob {value['version']}"
