"""What circuits would take, on a terminal."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.estimate import EstimatedCircuit, Estimates
from aerjob_cli.cli.cleaning import clean


def parts(answer: Answer) -> list[RenderableType]:
    """Give what to print, one below the other."""
    if not isinstance(answer, Estimates):
        raise TypeError(f"{type(answer).__name__} has no screen of estimates")
    shown: list[RenderableType] = []
    for circuit in answer.circuits:
        shown += [Text("")] * bool(shown) + [_title(circuit), _table(circuit)]
    return shown


def _title(circuit: EstimatedCircuit) -> Text:
    facts = f"{circuit.qubits} qubits, depth {circuit.depth}, {circuit.gates} gates"
    return Text.assemble((clean(circuit.name), "bold"), f": {facts}")


def _table(circuit: EstimatedCircuit) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in ("SIMULATOR", "METHOD", "MEMORY", "THREADS", "TIME"):
        table.add_column(heading, no_wrap=True)
    table.add_column("CANNOT RUN, SINCE")
    for estimate in circuit.estimates:
        table.add_row(*map(Text, estimate.row()))
    return table
