"""The process that estimates what circuits take, a `parsing_child`.

Its wish is {"specs": [``JobSpec``…]}, one for each simulator and method; its answer is {"circuits": [{"name", "qubits",
"clbits", "depth", "operations", "estimates": [{"runs_as", "threads", "memory_bytes", "seconds", "refused"}…]}…]}, with
the estimates in the order of the specs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, BinaryIO

from aerjob_cli.cli.parsing_child import answer, files_in
from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.program import Program, decode_program
from aerjob_cli.engines.base import Estimating
from aerjob_cli.engines.registry import engine_of
from aerjob_cli.errors import BackendUnusable, CircuitRefused
from aerjob_cli.plugins.discovery import simulator_of_job

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_NOTHING = {"runs_as": None, "threads": None, "memory_bytes": None, "seconds": None}


def main() -> None:
    """Estimate what the circuits take that stdin brings."""
    answer(_estimated, imports=("aerjob_cli.engines.aer", "aerjob_cli.engines.basic"))


def _estimated(stdin: BinaryIO, header: dict[str, Any]) -> dict[str, Any]:
    program = decode_program(files_in(stdin, header))
    specs = [JobSpec(**spec) for spec in header["specs"]]
    return {"circuits": [_of_circuit(circuit, program, specs) for circuit in program.circuits]}


def _of_circuit(circuit: QuantumCircuit, program: Program, specs: list[JobSpec]) -> dict[str, Any]:
    alone = replace(program, circuits=[circuit])
    return {
        "name": str(circuit.name),
        "qubits": circuit.num_qubits,
        "clbits": circuit.num_clbits,
        "depth": circuit.depth(),
        "operations": {str(name): count for name, count in circuit.count_ops().items()},
        "estimates": [_estimate(alone, spec) for spec in specs],
    }


def _estimate(program: Program, spec: JobSpec) -> dict[str, Any]:
    try:
        engine = engine_of(simulator_of_job(spec.backend))
        if isinstance(engine, Estimating):
            (found,) = engine.estimates(program, spec)
            known = {"runs_as": found.method, "memory_bytes": found.estimated_bytes, "seconds": found.seconds}
            return _NOTHING | known | {"threads": found.threads, "refused": None}
        plan = engine.check(program, spec)
    except (CircuitRefused, BackendUnusable) as error:
        return _NOTHING | {"refused": error.message}
    return _NOTHING | {"memory_bytes": plan.estimated_bytes, "threads": plan.threads, "refused": None}


if __name__ == "__main__":
    main()
