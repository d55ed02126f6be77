"""Results on a terminal: tables with bars, the most frequent outcome and the largest element first."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from aerjob_cli.cli.answers.arrays import ArrayContent, LargestElements
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.expectations import Expectations
from aerjob_cli.cli.answers.results import ExperimentOutcome, JobResult, RunResults
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.cli.screens.bars import BlockBar

# More outcomes than this are for a file, not for a screen.
_OUTCOMES_SHOWN = 32
_VALUES_SHOWN = 32
_DECIMALS = 6


def parts(answer: Answer) -> list[RenderableType]:
    """Give what to print, one below the other."""
    match answer:
        case JobResult():
            results: tuple[JobResult, ...] = (answer,)
        case RunResults():
            results = answer.results
        case _:
            raise TypeError(f"{type(answer).__name__} has no screen of results")
    found: list[RenderableType] = []
    for result in results:
        for experiment in result.experiments:
            # A line between experiments.
            found += [Text()] if found else []
            found += _experiment(experiment, result.top)
    return found


def _experiment(experiment: ExperimentOutcome, top: int | None) -> Iterator[RenderableType]:
    yield Text(experiment.title, style="bold")
    shown = _OUTCOMES_SHOWN if top is None else top
    if experiment.counts:
        yield _counts(experiment, shown)
    left_out = list(experiment.left_out(shown))
    if experiment.counts and experiment.counts_left_out(shown)[0]:
        yield _dim(f"{left_out.pop(0)}; `aerjob result` shows more with --top")
    for array in experiment.shown_arrays:
        assert array.largest is not None
        yield Text(f"{array.title}, norm {array.largest.norm:.6g}")
        yield _statevector(array, array.largest) if array.is_statevector else _elements(array, array.largest)
        if array.left_out() is not None:
            yield _dim(f"{array.left_out()}; `aerjob result` shows more with --top")
    if experiment.expectations is not None:
        yield _expectations(experiment.expectations)
        if len(experiment.expectations.values) > _VALUES_SHOWN:
            left = len(experiment.expectations.values) - _VALUES_SHOWN
            yield _dim(f"and {left} more; `aerjob result` gives all of them with --format csv")
    if experiment.summaries:
        yield _data(experiment)
    if not (experiment.counts or experiment.expectations or experiment.shown_arrays or experiment.summaries):
        yield _dim("nothing was measured")


def _counts(experiment: ExperimentOutcome, shown: int) -> Table:
    counts = experiment.counts or {}
    total = sum(counts.values()) or 1
    longest = max(counts.values(), default=1) or 1
    table = _table()
    table.add_column("OUTCOME", no_wrap=True)
    table.add_column("COUNT", justify="right", no_wrap=True)
    table.add_column("%", justify="right", no_wrap=True)
    table.add_column()
    for bits, count in islice(counts.items(), shown):
        table.add_row(Text(clean(bits)), str(count), f"{100 * count / total:.1f}", BlockBar(count / longest))
    return table


def _expectations(found: Expectations) -> Table:
    table = _table()
    for axis in range(found.axes):
        table.add_column("INDEX" if found.axes == 1 else f"INDEX {axis}", justify="right", no_wrap=True)
    table.add_column("VALUE", justify="right", no_wrap=True)
    table.add_column("STD", justify="right", no_wrap=True)
    for item in islice(found.values, _VALUES_SHOWN):
        # A sum with 0 turns -0.0 into 0.0.
        value = round(item.value, _DECIMALS) + 0.0
        table.add_row(*map(str, item.index), f"{value:.{_DECIMALS}f}", f"{item.std:.6g}")
    return table


def _statevector(array: ArrayContent, largest: LargestElements) -> Table:
    table = _table()
    table.add_column("STATE", no_wrap=True)
    table.add_column("AMPLITUDE", justify="right", no_wrap=True)
    table.add_column("PROBABILITY", justify="right", no_wrap=True)
    table.add_column()
    longest = max((element.weight for element in largest.elements), default=1.0)
    for element in largest.elements:
        (bits,) = array.labels(element)
        table.add_row(
            Text(bits), _number(element.value), f"{element.weight:.6f}", BlockBar(_share(element.weight, longest))
        )
    return table


def _elements(array: ArrayContent, largest: LargestElements) -> Table:
    table = _table()
    axes = ("ROW", "COLUMN") if len(array.shape) == 2 else tuple(f"INDEX {axis}" for axis in range(len(array.shape)))
    for axis in ("INDEX",) if len(array.shape) == 1 else axes:
        table.add_column(axis, justify="right", no_wrap=True)
    table.add_column("ELEMENT", justify="right", no_wrap=True)
    table.add_column()
    longest = max((abs(element.value) for element in largest.elements), default=1.0)
    for element in largest.elements:
        labels = map(Text, array.labels(element))
        table.add_row(*labels, _number(element.value), BlockBar(_share(abs(element.value), longest)))
    return table


def _data(experiment: ExperimentOutcome) -> Table:
    table = _table()
    table.add_column("NAME", no_wrap=True)
    table.add_column("VALUE", overflow="fold")
    for key, text in experiment.summaries.items():
        table.add_row(Text(clean(key)), Text(clean(text)))
    return table


def _table() -> Table:
    return Table(box=None, pad_edge=False, header_style="dim")


def _dim(text: str) -> Text:
    return Text(text, style="dim")


def _share(part: float, longest: float) -> float:
    # A result with elements that are not finite is shown, too.
    share = part / longest if longest else 0.0
    return share if 0 <= share <= 1 else 0.0


def _number(value: complex | float) -> str:
    if not isinstance(value, complex):
        return f"{value:.6g}"
    # A sum with 0 turns -0.0 into 0.0.
    real, imaginary = (round(part, _DECIMALS) + 0.0 for part in (value.real, value.imag))
    return f"{real:+.{_DECIMALS}f}{imaginary:+.{_DECIMALS}f}j"
