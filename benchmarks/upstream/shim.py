"""What the tests of Qiskit's BasicAer use and Qiskit 2 no longer has, in terms of aerjob and of Qiskit 2.

Names and calling conventions only: whatever runs, refuses, formats or remembers is aerjob's or Qiskit's.
"""

from __future__ import annotations

import importlib.util
import logging
import sys
import time
import warnings
from functools import partial
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import qiskit
from qiskit import QuantumCircuit, compiler, qasm2, transpile
from qiskit.circuit import CircuitInstruction, IfElseOp
from qiskit.circuit.instructionset import InstructionSet
from qiskit.utils import parallel

import aerjob_cli
from aerjob_cli.api.backend import BasicAerBackend
from aerjob_cli.api.former_names import FORMER_NAMES

BASIC_AER_QUBITS = 24  # the most that BasicAer took; here the memory is the limit, unless one is set


class CallableName(str):
    """A name that is an attribute, as now, and a method, as in Qiskit's first backends."""

    __slots__ = ()

    def __call__(self) -> str:
        return str(self)


class QobjHeader(dict[str, Any]):
    """A dictionary whose keys are attributes, too."""

    __setattr__, to_dict, from_dict = dict.__setitem__, dict.copy, classmethod(lambda cls, data: cls(data))

    def __getattr__(self, name: str) -> Any:
        return self[name]


class Job(aerjob_cli.BasicAerJob):
    """A job of a Qobj: its result has headers of that kind."""

    def result(self, timeout: Any = None) -> Any:
        result = super().result(timeout)
        result.header = QobjHeader(result.header or {})
        for experiment in result.results:
            experiment.header = QobjHeader({**experiment.header["metadata"], **experiment.header})
        return result


class Backend(BasicAerBackend):
    """A backend that also runs a Qobj: the circuits, options and headers in it."""

    def run(self, run_input: Any, **options: Any) -> Any:
        if not isinstance(run_input, SimpleNamespace):
            return super().run(run_input, **options)
        for item in run_input.experiments:
            item.circuit.metadata = item.header.to_dict()
        circuits = [item.circuit for item in run_input.experiments]
        job = super().run(circuits, metadata=run_input.header.to_dict(), **vars(run_input.config))
        job.__class__ = Job
        return job


class BasicAerProvider(aerjob_cli.BasicAerProvider):
    """The provider, and what only the tests ask of it."""

    def backends(self, *arguments: Any, **options: Any) -> Any:
        return [_as_before(backend) for backend in super().backends(*arguments, **options)]

    def get_backend(self, *arguments: Any, **options: Any) -> Any:
        return _as_before(super().get_backend(*arguments, **options))

    def _deprecated_backend_names(self) -> dict[str, str]:
        return dict(FORMER_NAMES)

    def _verify_backends(self) -> None:
        pass  # simulators are not kept


def _as_before(backend: Any) -> Any:
    backend.__class__ = Backend
    backend.name = CallableName(backend.name)
    backend.set_max_qubits(BASIC_AER_QUBITS)
    return backend


def c_if(self: Any, classical: Any, value: Any) -> Any:
    for data, index in self._instructions:
        old = data[index]
        body = QuantumCircuit(list(old.qubits), list(old.clbits))
        body.append(old)
        data[index] = CircuitInstruction(IfElseOp((classical, value), body), old.qubits, old.clbits)
    return self


def assemble(circuits: Any, **config: Any) -> Any:
    listed = [circuits] if isinstance(circuits, QuantumCircuit) else circuits
    experiments = [SimpleNamespace(circuit=item, header=QobjHeader(item.metadata or {})) for item in listed]
    return SimpleNamespace(config=SimpleNamespace(**config), header=QobjHeader(), experiments=experiments)


def _module(name: str, **content: Any) -> None:
    sys.modules[name] = ModuleType(name)
    vars(sys.modules[name]).update(content)
    parent, _, child = name.rpartition(".")
    setattr(sys.modules[parent], child, sys.modules[name])


def install(release: Path) -> None:
    """Supply what is gone; ``release`` is an unpacked source of qiskit-terra, whose own ``qiskit.test`` is used."""
    is_deprecated = not (release / "qiskit" / "VERSION.txt").read_text().startswith("0.25")

    def warn(name: str) -> None:
        if is_deprecated:
            warnings.warn(f"{name} is deprecated", DeprecationWarning, stacklevel=3)

    def execute(experiments: Any, backend: Any, seed_transpiler: int | None = None, **options: Any) -> Any:
        warn("execute")
        began = time.time()
        job = backend.run(transpile(experiments, backend, seed_transpiler=seed_transpiler), **options)
        logging.getLogger("qiskit").info("Total Job Submission Time - %.5f (ms)", (time.time() - began) * 1000)
        return job

    def qasm(self: QuantumCircuit) -> str:
        warn("qasm")
        return str(qasm2.dumps(self))

    provider = BasicAerProvider()
    content: dict[str, Any] = {"BasicAer": provider, "BasicAerProvider": BasicAerProvider}
    for name in ("qasm", "statevector", "unitary"):
        content[f"{name.title()}SimulatorPy"] = partial(provider.get_backend, f"{name}_simulator")
    _module("qiskit.providers.basicaer", BasicAerError=aerjob_cli.BasicAerError, **content)
    _module("qiskit.qobj", QobjHeader=QobjHeader)
    parallel.get_platform_parallel_default = lambda: True
    sys.modules.update({"qiskit.tools": qiskit.utils, "qiskit.tools.parallel": parallel})
    qiskit.BasicAer, qiskit.execute, compiler.assemble = provider, execute, assemble
    InstructionSet.c_if, QuantumCircuit.qasm = c_if, qasm
    spec: Any = importlib.util.spec_from_file_location("qiskit.test", release / "qiskit" / "test" / "__init__.py")
    sys.modules["qiskit.test"] = qiskit.test = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(qiskit.test)
