"""The tool behind docs/compatibility.md works: it runs the tests of a release against aerjob, with a small shim."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.docs.markdown import ROOT, text_of

SHIM_LINES_AT_MOST = 150
# Of a release of our own, which asks for each name that Qiskit 2 has no more.
TESTS = """
import unittest

from qiskit import BasicAer, QuantumCircuit, execute, transpile
from qiskit.compiler import assemble
from qiskit.providers.basicaer import BasicAerError, BasicAerProvider, QasmSimulatorPy, StatevectorSimulatorPy
from qiskit.test import BASE


class ReleaseTest(BASE):
    def test_names(self):
        self.assertEqual(QasmSimulatorPy().name(), "qasm_simulator")
        self.assertEqual(BasicAerProvider().backends("qasm_simulator_py"), [BasicAer.get_backend("qasm_simulator")])

    def test_conditions(self):
        circuit = QuantumCircuit(2, 2, name="conditional")
        circuit.x(0)
        circuit.measure(0, 0)
        circuit.x(1).c_if(circuit.clbits[0], 1)
        circuit.measure(1, 1)
        with self.assertWarns(DeprecationWarning):
            job = execute(circuit, QasmSimulatorPy(), shots=5)
        self.assertEqual(job.result().get_counts("conditional"), {"11": 5})

    def test_headers(self):
        circuit = QuantumCircuit(1)
        backend = StatevectorSimulatorPy()
        qobj = assemble(transpile(circuit, backend), shots=1)
        qobj.header["x"] = 1
        qobj.experiments[0].header.some = "more"
        result = backend.run(qobj).result()
        self.assertEqual((result.header.to_dict(), result.results[0].header.some), ({"x": 1}, "more"))

    def test_width(self):
        with self.assertRaises(BasicAerError):
            QasmSimulatorPy().run(QuantumCircuit(50, 1))
"""


def release_in(folder: Path) -> Path:
    files = {
        "qiskit/VERSION.txt": "0.46.3",
        "qiskit/test/__init__.py": "import unittest\n\nBASE = unittest.TestCase\n",
        "test/python/basicaer/test_release.py": TESTS,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def run_on(release: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.upstream", str(release)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


def test_the_shim_is_as_small_as_is_said() -> None:
    shim = (ROOT / "benchmarks" / "upstream" / "shim.py").read_text(encoding="utf-8")
    assert len(shim.splitlines()) <= SHIM_LINES_AT_MOST
    assert f"shim of {SHIM_LINES_AT_MOST}\nlines" in text_of("docs/compatibility.md")


def test_the_tests_of_a_release_are_run_and_counted(tmp_path: Path) -> None:
    release = release_in(tmp_path / "release")
    passed = run_on(release)
    assert passed.returncode == 0, passed.stdout + passed.stderr
    assert "4 passed" in passed.stdout
