"""The process that draws circuits. It parses what strangers wrote, so it has limits, and nothing to lose.

stdin: one line of JSON, {"files": [{"name", "format", "size_bytes"}…], "width", "experiment"}, then the files' bytes.
stdout: one JSON value, {"drawings": […], "total"} or {"refused", "line", "column"}. Its argument is its parent's pid.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO

from aerjob_cli.codec.circuits import decode_circuits, operations_of
from aerjob_cli.errors import CircuitRefused
from aerjob_cli.executors.hardening import harden, lower
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


def main() -> None:
    """Draw the circuits that stdin brings."""
    die_with_parent(int(sys.argv[1]))
    harden()
    # Before it can write no file any more, what Python compiles included.
    import_module("qiskit.visualization")
    lower(resource.RLIMIT_FSIZE, 0)
    lower(resource.RLIMIT_CPU, _CPU_S)
    lower(resource.RLIMIT_AS, _ADDRESS_SPACE_BYTES)
    # Whatever a parser prints is no part of the answer.
    answer = os.dup(1)
    os.dup2(2, 1)
    try:
        content = _drawn(sys.stdin.buffer)
    except CircuitRefused as error:
        content = {"refused": error.message, "line": error.line, "column": error.column}
    with os.fdopen(answer, "w", encoding="ascii") as stdout:
        json.dump(content, stdout)


def _drawn(stdin: BinaryIO) -> dict[str, Any]:
    header = json.loads(stdin.readline())
    drawings: list[dict[str, Any]] = []
    total, characters = 0, 0
    for position, circuit in enumerate(_circuits(stdin, header["files"])):
        total = position + 1
        if header["experiment"] not in (None, position) or len(drawings) >= CIRCUITS_SHOWN:
            continue
        drawing = _drawing(position, circuit, header["width"], fits=characters < _CHARACTERS_DRAWN)
        characters += len(drawing["text"] or "")
        drawings.append(drawing)
    return {"drawings": drawings, "total": total}


def _circuits(stdin: BinaryIO, files: list[dict[str, Any]]) -> Iterator[QuantumCircuit]:
    for file in files:
        yield from decode_circuits(file["format"], stdin.read(file["size_bytes"]), file["name"])


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
