"""Results on a terminal."""

from __future__ import annotations

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.results import JobResult, RunResults
from aerjob_cli.cli.cleaning import clean

# More outcomes than this are for a file, not for a screen.
_OUTCOMES_SHOWN = 64


def parts(answer: Answer) -> list[RenderableType]:
    """Give what to print, one below the other."""
    match answer:
        case JobResult():
            return _result_tables(answer)
        case RunResults():
            return [table for result in answer.results for table in _result_tables(result)]
        case _:
            raise TypeError(f"{type(answer).__name__} has no screen of results")


def _result_tables(result: JobResult) -> list[RenderableType]:
    parts: list[RenderableType] = []
    for experiment in result.experiments:
        total = sum(experiment.counts.values()) or 1
        heading = f"{clean(experiment.name)}: {experiment.shots} shots, seed {experiment.seed}"
        table = Table(title=Text(heading), title_justify="left", box=None, pad_edge=False)
        table.add_column("OUTCOME", no_wrap=True)
        table.add_column("COUNT", justify="right")
        table.add_column("%", justify="right")
        for bits, count in list(experiment.counts.items())[:_OUTCOMES_SHOWN]:
            table.add_row(Text(bits), str(count), f"{100 * count / total:.1f}")
        parts.append(table)
        left_out = len(experiment.counts) - _OUTCOMES_SHOWN
        if left_out > 0:
            parts.append(Text(f"… and {left_out} rarer outcomes; `aerjob result --format json` gives them all"))
    return parts
