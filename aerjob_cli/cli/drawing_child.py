"""The process that draws circuits, a `parsing_child`.

Its wish is {"width", "experiment", "executed_as"}; "executed_as" is a ``JobSpec``, or null for circuits as they were
submitted. Its answer is {"drawings": […], "total", "versions"}; "versions" of what translated them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from aerjob_cli.cli.parsing_child import answer, files_in
from aerjob_cli.codec.circuits import operations_of
from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.program import decode_program
from aerjob_cli.engines.registry import engine_of
from aerjob_cli.executors.runtime import runtime_facts
from aerjob_cli.frozen import dataclass
from aerjob_cli.plugins.discovery import simulator_of_job

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

# Beyond these a drawing is looked at by nobody, and takes seconds.
OPERATIONS_DRAWN = 2000
QUBITS_DRAWN = 100
CIRCUITS_SHOWN = 20
_CHARACTERS_DRAWN = 4_000_000
# What decides how a circuit is translated.
_TRANSLATORS = ("qiskit", "qiskit_aer")


def main() -> None:
    """Draw the circuits that stdin brings."""
    # Before no file can be written any more, what Python compiles included.
    answer(_drawn, imports=("qiskit.visualization",))


def _drawn(stdin: BinaryIO, header: dict[str, Any]) -> dict[str, Any]:
    files = files_in(stdin, header)
    spec = header["executed_as"]
    chosen = _submitted(files, header) if spec is None else _executed(files, header, JobSpec(**spec))
    drawings: list[dict[str, Any]] = []
    characters = 0
    for position, circuit in zip(chosen.positions, chosen.circuits, strict=True):
        drawing = _drawing(position, circuit, header["width"], fits=characters < _CHARACTERS_DRAWN)
        characters += len(drawing["text"] or "")
        drawings.append(drawing)
    versions = {} if spec is None else {name: runtime_facts()[name] for name in _TRANSLATORS}
    return {"drawings": drawings, "total": chosen.total, "versions": versions}


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
