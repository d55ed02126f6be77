"""Curves over a parameter, and a map over two, of what ``sweeps`` has found; called where matplotlib is set up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aerjob_cli.cli.pictures.bars import shortened
from aerjob_cli.cli.pictures.sweeps import Panel, SweepSubject

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours, which also the colour-blind tell apart; further curves have them again, in dashes.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#f0e442")
_STYLES = ("-", "--", ":", "-.")
_GREY = "#909090"
# Inches.
_WIDTH, _PANEL_HEIGHT, _TITLE_HEIGHT = 7.0, 3.4, 0.6
_MAP_HEIGHT = 5.0
_BESIDE_TITLE, _AXIS_NAME = 1.0, 5.0
# With more points the marks would touch each other.
_MARKED_POINTS = 60
# With more cells a vector picture would be larger than one of dots.
_DRAWN_CELLS = 10_000


def sweep_figure(subject: SweepSubject) -> Figure:
    """Draw the subject: a map where it has two axes, else its curves, a panel below the other."""
    return _curves(subject) if len(subject.axes) == 1 else _map(subject)


def _curves(subject: SweepSubject) -> Figure:
    from matplotlib.figure import Figure

    count = len(subject.panels)
    figure = Figure(figsize=(_WIDTH, _TITLE_HEIGHT + count * _PANEL_HEIGHT))
    grid = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
    grid[0].set_title(_title(subject))
    (axis,) = subject.axes
    order = sorted(range(len(axis.values)), key=lambda point: axis.values[point])
    for axes, panel in zip(grid, subject.panels, strict=True):
        _draw_panel(axes, panel, [axis.values[point] for point in order], order)
    grid[-1].set_xlabel(shortened(axis.name, width_inches=_AXIS_NAME))
    return figure


def _draw_panel(axes: Axes, panel: Panel, places: list[float], order: list[int]) -> None:
    for index, series in enumerate(panel.series):
        axes.plot(
            places,
            [series.values[point] for point in order],
            label=series.label,
            color=_GREY if series.is_rest else _COLOURS[index % len(_COLOURS)],
            linestyle=":" if series.is_rest else _STYLES[index // len(_COLOURS) % len(_STYLES)],
            marker="." if len(places) <= _MARKED_POINTS else None,
        )
    axes.set_ylabel(panel.quantity)
    axes.margins(x=0.02)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=8, frameon=False, borderaxespad=0.0)


def _map(subject: SweepSubject) -> Figure:
    import numpy as np
    from matplotlib.figure import Figure

    across, upwards = subject.axes
    (panel,) = subject.panels
    (series,) = panel.series
    # Lists of each value once, and where in them each point is.
    columns, column = np.unique(across.values, return_inverse=True)
    rows, row = np.unique(upwards.values, return_inverse=True)
    cells = np.full((rows.size, columns.size), np.nan)
    cells[row, column] = series.values
    figure = Figure(figsize=(_WIDTH, _MAP_HEIGHT))
    axes = figure.add_subplot()
    axes.set_title(_title(subject))
    mesh = axes.pcolormesh(
        columns, rows, cells, shading="nearest", cmap="viridis", rasterized=cells.size > _DRAWN_CELLS
    )
    axes.grid(visible=False)
    axes.set_xlabel(shortened(across.name, width_inches=_AXIS_NAME))
    axes.set_ylabel(shortened(upwards.name, width_inches=_MAP_HEIGHT - _BESIDE_TITLE))
    quantity = f"{panel.quantity} of {series.label}"
    figure.colorbar(mesh, ax=axes, label=shortened(quantity, width_inches=_MAP_HEIGHT - _BESIDE_TITLE))
    return figure


def _title(subject: SweepSubject) -> str:
    width = _WIDTH - _BESIDE_TITLE
    return f"{shortened(subject.title, width_inches=width)}\n{shortened(subject.subtitle, width_inches=width)}"
