"""The process that draws circuits. It parses what strangers wrote, so it has limits, and nothing to lose.

stdin: one line of JSON, {"files": [{"name", "format", "size_bytes"}…], "width", "experiment", "executed_as"}, then the
files' bytes; "executed_as" is a ``JobSpec``, or null for circuits as they were submitted.
stdout: one JSON value, {"drawings": […], "total", "versions"} or {"refused", "line", "column"}; "versions" of what
translated them. Its argument is its parent's pid.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO

from aerjob_cli.codec.circuits import operations_of
from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.program import decode_program
from aerjob_cli.engines.registry import engine_of
from aerjob_cli.errors import BackendUnusable, CircuitRefused
from aerjob_cli.executors.hardening import harden, lower
from aerjob_cli.executors.runtime import runtime_facts
from aerjob_cli.frozen import dataclass
from aerjob_cli.plugins.discovery import simulator_of_job
from aerjob_cli.processes import die_with_parent

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

# Beyond these a drawing is looked at by nobody, and takes seconds.
OPERATIONS_DRAWN = 2000
QUBITS_DRAWN = 100
CIRCUITS_SHOWN = 20
_CHARACTERS_DRAWN = 4_000_000
# Importing Qiskit alone maps more than 1 GiB; the wall clock is the parent's business.
_ADDRESS_SPACE_BYTES = 4 * 2**30
_CPU_S = 30
# What decides how a circuit is translated.
_TRANSLATORS = ("qiskit", "qiskit_aer")


def main() -> None:
    """Draw the circuits that stdin brings."""
    die_with_parent(int(sys.argv[1]))
    harden()
    stdin = sys.stdin.buffer
    header = json.loads(stdin.readline())
    # Before it can write no file any more, what Python compiles included.
    import_module("qiskit.visualization")
    versions = {} if header["executed_as"] is None else {name: runtime_facts()[name] for name in _TRANSLATORS}
    lower(resource.RLIMIT_FSIZE, 0)
    lower(resource.RLIMIT_CPU, _CPU_S)
    lower(resource.RLIMIT_AS, _ADDRESS_SPACE_BYTES)
    # Whatever a parser prints is no part of the answer.
    answer = os.dup(1)
    os.dup2(2, 1)
    try:
        content = _drawn(stdin, header) | {"versions": versions}
    except CircuitRefused as error:
        content = {"refused": error.message, "line": error.line, "column": error.column}
    except BackendUnusable as error:
        content = {"refused": error.message, "line": None, "column": None}
    with os.fdopen(answer, "w", encoding="ascii") as stdout:
        json.dump(content, stdout)


def _drawn(stdin: BinaryIO, header: dict[str, Any]) -> dict[str, Any]:
    files = ((file["format"], stdin.read(file["size_bytes"]), file["name"]) for file in header["files"])
    spec = header["executed_as"]
    chosen = _submitted(files, header) if spec is None else _executed(files, header, JobSpec(**spec))
    drawings: list[dict[str, Any]] = []
    characters = 0
    for position, circuit in zip(chosen.positions, chosen.circuits, strict=True):
        drawing = _drawing(position, circuit, header["width"], fits=characters < _CHARACTERS_DRAWN)
        characters += len(drawing["text"] or "")
        drawings.append(drawing)
    return {"drawings": drawings, "total": chosen.total}


@dataclass(frozen=True)
class _Chosen:
    """The circuits that are to be drawn, and how many there are in all."""

    positions: Sequence[int]
    circuits: Iterable[QuantumCircuit]
    total: int


def _submitted(files: Iterable[tuple[str, bytes, str]], header: dict[str, Any]) -> _Chosen:
    circuits = decode_program(files).circuits
    positions = _positions(header["experiment"], len(circuits))
    return _Chosen(positions, [circuits[position] for position in positions], len(circuits))


def _executed(files: Iterable[tuple[str, bytes, str]], header: dict[str, Any], spec: JobSpec) -> _Chosen:
    """Choose circuits as the simulator gets them; one that is not wanted is not translated."""
    program = decode_program(files)
    engine = engine_of(simulator_of_job(spec.backend))
    positions = _positions(header["experiment"], program.experiments_total)
    return _Chosen(positions, engine.executed(program, spec, positions), program.experiments_total)


def _positions(experiment: int | None, total: int) -> Sequence[int]:
    if experiment is None:
        return range(min(total, CIRCUITS_SHOWN))
    return [experiment] if experiment < total else []


def _drawing(position: int, circuit: QuantumCircuit, width: int, *, fits: bool) -> dict[str, Any]:
    is_small = circuit.num_qubits <= QUBITS_DRAWN and operations_of(circuit) <= OPERATIONS_DRAWN
    return {
        "position": position,
        "name": str(circuit.name),
        "qubits": circuit.num_qubits,
        "clbits": circuit.num_clbits,
        "depth": circuit.depth(),
        "operations": {str(name): count for name, count in circuit.count_ops().items()},
        "text": circuit.draw("text", fold=width).single_string() if is_small and fits else None,
    }


if __name__ == "__main__":
    main()
