"""The simulators on a terminal."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from aerjob_cli.cli.answers.backends import Backends, Reach
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.sizes import show_size
from aerjob_cli.memory import MIB


def parts(answer: Answer) -> list[RenderableType]:
    """Give what to print, one below the other."""
    if not isinstance(answer, Backends):
        raise TypeError(f"{type(answer).__name__} has no screen of simulators")
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("SIMULATOR", no_wrap=True)
    table.add_column("RETURNS")
    table.add_column("METHODS (QUBITS HERE)")
    for reach in answer.reaches:
        mark = " *" if reach.simulator.name == answer.default else ""
        table.add_row(Text(reach.simulator.name + mark), Text(reach.simulator.returns), Text(_methods(reach)))
    note = (
        f"* is used when none is named. The number of qubits is what {show_size(answer.memory_mb * MIB)} of memory "
        "can hold; where there is none, it depends on the circuit."
    )
    return [table, Text(""), Text(note)]


def _methods(reach: Reach) -> str:
    return ", ".join(name if limit is None else f"{name} ({limit})" for name, limit in reach.max_qubits.items())
