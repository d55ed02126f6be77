"""What was measured, as a table for people and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from benchmarks.figures.figure import Figure, Line, Sample

_BUSY_FROM = 0.25  # processes for each core
_WIDTHS = (66, 12, 21, 9)


@dataclass(frozen=True)
class Measured:
    """One figure with the samples of its rounds."""

    figure: Figure
    samples: list[Sample]
    left_out: Mapping[str, str] = field(default_factory=dict)
    load: tuple[float, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Give all samples, and what the lines make of them."""
        return {
            "about": self.figure.about,
            "lines": [_line_json(line, line.values(self.samples)) for line in self.figure.lines],
            "left_out": dict(self.left_out),
            "load": list(self.load),
            "samples": [dict(sample) for sample in self.samples],
        }


def rows_of(measured: Measured) -> Iterator[str]:
    """Give the table of one figure, line by line: median, least and most of the rounds, bound, verdict."""
    yield f"{measured.figure.name}: {measured.figure.about} ({len(measured.samples)} rounds)"
    for line in measured.figure.lines:
        values = line.values(measured.samples)
        if not values:
            yield _row(line.what, "left out", "", _bound(line), "")
            continue
        middle = median(values)
        spread = f"{_number(min(values))} … {_number(max(values))}"
        verdict = {None: "", True: "meets", False: "MISSES"}[line.is_met(middle)]
        source = f" {line.source}" if verdict else ""
        yield _row(line.what, f"{_number(middle)} {line.unit}".strip(), spread, _bound(line), verdict + source)
    for name, why in measured.left_out.items():
        yield f"  {name} was left out: {why}"


def machine_row(facts: Mapping[str, Any], load: Sequence[float]) -> str:
    """Say what all of it was measured on."""
    versions = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
    return (
        f"{facts['cores']} cores ({facts['machine']}, {facts['system']}), Python {facts['python']}, "
        f"SQLite {facts['sqlite']}, {versions}; load average {' → '.join(f'{value:g}' for value in load)}"
    )


def load_row(facts: Mapping[str, Any], load: Sequence[float]) -> str | None:
    """Say that the machine was busy before anything was measured; None where it was not."""
    if load[0] < facts["cores"] * _BUSY_FROM:
        return None
    return f"the machine was busy with something else at the start (load average {load[0]:g}); measure when it is not"


def _row(what: str, value: str, spread: str, bound: str, verdict: str) -> str:
    cells = (f"  {what}".ljust(_WIDTHS[0]), value.rjust(_WIDTHS[1]), spread.center(_WIDTHS[2]), bound.ljust(_WIDTHS[3]))
    return " ".join((*cells, verdict)).rstrip()


def _bound(line: Line) -> str:
    if line.at_least is not None:
        return f"≥ {line.at_least:g}"
    return "" if line.at_most is None else f"≤ {line.at_most:g}"


def _number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.2f}" if abs(value) >= 0.1 or value == 0 else f"{value:.3f}"


def _line_json(line: Line, values: list[float]) -> dict[str, Any]:
    middle = median(values) if values else None
    return {
        "what": line.what,
        "unit": line.unit,
        "median": middle,
        "least": min(values, default=None),
        "most": max(values, default=None),
        "at_most": line.at_most,
        "at_least": line.at_least,
        "source": line.source,
        "is_met": None if middle is None else line.is_met(middle),
    }
