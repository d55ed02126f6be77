"""What of a sweep is drawn: curves over one parameter, or a map over the grid of two."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from aerjob_cli.cli.cleaning import clean
from aerjob_cli.cli.outcomes import StoredOutcome
from aerjob_cli.cli.pictures.measured import Measured
from aerjob_cli.errors import NoArray, UsageError
from aerjob_cli.frozen import dataclass
from aerjob_cli.store.records import JobRecord

# As many colours can be told apart.
CURVES = 8
# Cells of a grid for each of its points; where a job is not complete, the last row of a grid is not.
_CELLS_A_POINT = 2
_PROBABILITY = "probability"
_SHOWN_NAMES = 6


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A parameter and its value at each point; ``name`` is what is written at it."""

    parameter: str
    name: str
    values: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Series:
    """One quantity at each point, NaN where it is not known; ``is_rest`` for the sum of what has no curve."""

    label: str
    values: tuple[float, ...]
    is_rest: bool = False


@dataclass(frozen=True, kw_only=True)
class Panel:
    """Curves with one scale."""

    quantity: str
    series: tuple[Series, ...]


@dataclass(frozen=True, kw_only=True)
class SweepSubject:
    """What a picture of a sweep shows: with one axis curves in panels, with two a map of the only series there is."""

    drawn: str
    title: str
    subtitle: str
    axes: tuple[Axis, ...]
    panels: tuple[Panel, ...]
    remarks: tuple[str, ...] = ()


def is_sweep(outcomes: Sequence[StoredOutcome]) -> bool:
    """Tell whether several experiments differ in the values of their parameters."""
    return len(outcomes) > 1 and any(outcome.parameters for outcome in outcomes)


def sweep_subject(
    job: JobRecord, outcomes: Sequence[StoredOutcome], measured: Measured, *, outcome: str | None, top: int
) -> SweepSubject:
    """Find out what the axes are and what is drawn over them; raises ``UsageError`` or ``NoArray``."""
    if len({item.circuit for item in outcomes}) > 1:
        raise UsageError(
            f"job {job.job_id} has a sweep of several circuits, and a picture shows one; submit them as jobs of their "
            "own, or draw one point with --experiment"
        )
    axes = _axes(job, outcomes)
    if outcome is not None:
        _check_known(job, measured, outcome)
    panels = _panels(measured, outcome, top)
    if not panels:
        raise NoArray(
            job.job_id,
            "cannot be drawn, its points have no counts, statevectors or numbers",
            "`aerjob plot` draws these",
        )
    remarks: tuple[str, ...] = ()
    if len(axes) == 2:
        panel, series = _one_series(panels)
        if outcome is None and panel.quantity == _PROBABILITY:
            remarks = (f"drawn is the outcome {series.label}, the most frequent one; --outcome draws another",)
        panels = (Panel(quantity=panel.quantity, series=(series,)),)
    first = outcomes[0]
    fixed = [f"{name} = {value:.6g}" for name, value in first.parameters.items() if _is_fixed(outcomes, name)]
    shots = "1 shot" if first.shots == 1 else f"{first.shots} shots"
    return SweepSubject(
        drawn=measured.drawn,
        title=clean(first.name),
        subtitle=clean(", ".join([f"{len(outcomes)} points, {shots} each", *fixed])),
        axes=axes,
        panels=panels,
        remarks=remarks,
    )


def _axes(job: JobRecord, outcomes: Sequence[StoredOutcome]) -> tuple[Axis, ...]:
    """Give the parameter that the points go through, or the two of a grid.

    Where parameters go together, the first one stands for all of them.
    """
    varied = [
        Axis(parameter=name, name=clean(name), values=tuple(item.parameters.get(name, math.nan) for item in outcomes))
        for name in dict.fromkeys(name for item in outcomes for name in item.parameters)
        if not _is_fixed(outcomes, name)
    ]
    if not varied:
        raise UsageError(
            f"job {job.job_id} has {len(outcomes)} experiments with the same values, and a picture shows one; choose "
            "it with --experiment"
        )
    if len(varied) == 1:
        return (varied[0],)
    for axis in varied:
        if len(set(axis.values)) == len(outcomes):
            others = ", ".join(other.name for other in varied if other is not axis)
            return (replace(axis, name=f"{axis.name} (with {others})"),)
    if len(varied) > 2:
        raise UsageError(
            f"job {job.job_id} has a grid of {len(varied)} parameters, and a picture shows one or two; draw one point "
            "with --experiment, or take all as `aerjob result --format csv`"
        )
    one, other = varied
    cells = len(set(one.values)) * len(set(other.values))
    if cells > _CELLS_A_POINT * len(outcomes) or len(set(zip(one.values, other.values, strict=True))) < len(outcomes):
        raise UsageError(
            f"job {job.job_id} has points that make neither a curve nor a grid; draw one with --experiment, or take "
            "all as `aerjob result --format csv`"
        )
    return one, other


def _is_fixed(outcomes: Sequence[StoredOutcome], name: str) -> bool:
    return len({item.parameters.get(name) for item in outcomes}) == 1


def _check_known(job: JobRecord, measured: Measured, outcome: str) -> None:
    known = _by_weight(measured.probabilities)
    if outcome not in known:
        some = ", ".join(known[:_SHOWN_NAMES]) + (", …" if len(known) > _SHOWN_NAMES else "")
        there_is = f"there is {some}" if known else "its points have no outcomes"
        raise UsageError(f"no experiment of job {job.job_id} has the outcome {outcome!r}; {there_is}")


def _panels(measured: Measured, outcome: str | None, top: int) -> tuple[Panel, ...]:
    panels = []
    if any(measured.probabilities):
        series = _of_outcomes(measured.probabilities, outcome, top)
        panels.append(Panel(quantity=_PROBABILITY, series=series))
    names = list(dict.fromkeys(name for numbers in measured.numbers for name in numbers))[:top]
    if names and outcome is None:
        curves = [Series(label=clean(name), values=_values(measured.numbers, name, math.nan)) for name in names]
        panels.append(Panel(quantity="value", series=tuple(curves)))
    return tuple(panels)


def _of_outcomes(probabilities: Sequence[Mapping[str, float]], outcome: str | None, top: int) -> tuple[Series, ...]:
    """Make a curve for each of the most frequent outcomes, in the order of their bits, and one for the rest."""
    ranked = [outcome] if outcome is not None else _by_weight(probabilities)
    shown = sorted(ranked[:top])
    series = [Series(label=clean(bits), values=_values(probabilities, bits, 0.0)) for bits in shown]
    if ranked[top:]:
        known = [sum(point.get(bits, 0.0) for bits in shown) for point in probabilities]
        rest = tuple(
            math.nan if not point else max(0.0, 1.0 - part) for point, part in zip(probabilities, known, strict=True)
        )
        series.append(Series(label=f"rest ({len(ranked) - top})", values=rest, is_rest=True))
    return tuple(series)


def _by_weight(probabilities: Sequence[Mapping[str, float]]) -> list[str]:
    total: Counter[str] = Counter()
    for point in probabilities:
        for bits, probability in point.items():
            total[bits] += probability  # type: ignore[assignment]  # a Counter of floats
    return sorted(total, key=lambda bits: (-total[bits], bits))


def _values(points: Sequence[Mapping[str, float]], name: str, absent: float) -> tuple[float, ...]:
    return tuple(point.get(name, absent) if point else math.nan for point in points)


def _one_series(panels: Sequence[Panel]) -> tuple[Panel, Series]:
    """Give what a map shows: the quantity that is the largest in sum."""
    panel = panels[0]
    series = [item for item in panel.series if not item.is_rest]
    return panel, max(series, key=lambda item: sum(value for value in item.values if not math.isnan(value)))
