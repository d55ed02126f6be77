"""Bars over outcomes or basis states: a histogram of counts, and probabilities with the phase as colour."""

from __future__ import annotations

import cmath
import colorsys
import math
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from aerjob_cli.cli.answers.arrays import ArrayContent
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.frozen import dataclass

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BLUE = "#648fff"
_GREY = "#b0b0b0"
# Inches: what one bar with a readable label needs, what stands beside all bars, and the limits of the picture.
_BAR_WIDTH, _BESIDE_BARS, _NARROWEST, _WIDEST = 0.34, 1.4, 5.0, 40.0
_HEIGHT, _CHARACTER_HEIGHT, _HIGHEST = 4.0, 0.075, 12.0
# And for the title: a character of its size, and what is left and right of it.
_CHARACTER_WIDTH, _BESIDE_TITLE = 0.1, 1.0
# Labels with more bits are written smaller.
_LARGE_CHARACTERS, _LARGE_POINTS, _SMALL_POINTS = 16, 9, 7
# With more bars, or longer labels, the texts at them stand upright.
_BARS_WITH_LEVEL_TEXTS, _LEVEL_CHARACTERS = 8, 6
_WHEEL_PARTS = 180
# In the colours of Qiskit's phases a positive real amplitude is blue.
_HUE_OF_ZERO, _LIGHTNESS, _SATURATION = 0.625, 0.55, 0.75


@dataclass(frozen=True)
class Bar:
    """One bar: its label below, its height, the text on it, its colour."""

    label: str
    height: float
    text: str
    colour: str | tuple[float, float, float]


@dataclass(frozen=True)
class Labelling:
    """What is written around bars: two lines above, what their heights are, a wheel where their colours are phases."""

    name: str
    subtitle: str
    quantity: str
    has_phases: bool


def count_bars(counts: Mapping[str, int], *, top: int) -> list[Bar]:
    """Make a bar for each of the ``top`` most frequent outcomes, in the order of their bits, and one for the rest.

    ``counts`` come with the most frequent first.
    """
    bars = [Bar(clean(bits), count, str(count), _BLUE) for bits, count in sorted(islice(counts.items(), top))]
    rest = list(islice(counts.values(), top, None))
    return [*bars, Bar(f"rest ({len(rest)})", sum(rest), str(sum(rest)), _GREY)] if rest else bars


def amplitude_bars(array: ArrayContent) -> list[Bar]:
    """Make a bar of the probability of each listed basis state, coloured by its phase, and one for the rest."""
    if array.largest is None:
        return []
    bars = [
        Bar(array.labels(element)[0], element.weight, _probability(element.weight), phase_colour(element.value))
        for element in sorted(array.largest.elements, key=lambda element: element.index)
    ]
    rest, weight = array.largest.left_out, array.largest.weight_left_out
    return [*bars, Bar(f"rest ({rest})", weight, _probability(weight), _GREY)] if rest else bars


def phase_colour(amplitude: complex) -> tuple[float, float, float]:
    """Give the colour of an amplitude's phase as red, green and blue from 0 to 1."""
    return colorsys.hls_to_rgb((cmath.phase(amplitude) / math.tau + _HUE_OF_ZERO) % 1, _LIGHTNESS, _SATURATION)


def bar_figure(bars: Sequence[Bar], labelling: Labelling) -> Figure:
    """Draw bars side by side; to be called where matplotlib is set up (``canvas.drawn``)."""
    from matplotlib.figure import Figure

    longest = max((len(bar.label) for bar in bars), default=1)
    width = min(max(_BAR_WIDTH * len(bars) + _BESIDE_BARS, _NARROWEST), _WIDEST)
    figure = Figure(figsize=(width + labelling.has_phases, min(_HEIGHT + _CHARACTER_HEIGHT * longest, _HIGHEST)))
    if labelling.has_phases:
        grid = figure.add_gridspec(1, 2, width_ratios=(width, 1))
        axes = figure.add_subplot(grid[0, 0])
        _draw_wheel(figure.add_subplot(grid[0, 1], projection="polar"))
    else:
        axes = figure.add_subplot()
    room = width - _BESIDE_TITLE
    axes.set_title(
        f"{shortened(labelling.name, width_inches=room)}\n{shortened(labelling.subtitle, width_inches=room)}"
    )
    axes.set_ylabel(labelling.quantity)
    _draw_bars(axes, bars, is_level=len(bars) <= _BARS_WITH_LEVEL_TEXTS and longest <= _LEVEL_CHARACTERS)
    return figure


def _draw_bars(axes: Axes, bars: Sequence[Bar], *, is_level: bool) -> None:
    places = range(len(bars))
    drawn = axes.bar(places, [bar.height for bar in bars], width=0.75, color=[bar.colour for bar in bars])
    angle = 0 if is_level else 90
    texts = [bar.text for bar in bars]
    for note in axes.bar_label(drawn, labels=texts, padding=3, fontsize=8, rotation=angle, color="#444444"):
        # A line of the grid does not run through them.
        note.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.6})
    axes.set_xticks(places, labels=[bar.label for bar in bars], rotation=angle)
    for text in axes.get_xticklabels():
        # Bits below each other are compared at a glance.
        text.set_fontfamily("DejaVu Sans Mono")
        text.set_fontsize(_LARGE_POINTS if len(bars[0].label) <= _LARGE_CHARACTERS else _SMALL_POINTS)
    axes.tick_params(axis="x", length=0)
    axes.set_xlim(-0.75, max(len(bars), 1) - 0.25)
    # Room for the texts on the bars.
    axes.margins(y=0.08 if is_level else 0.18)


def _draw_wheel(axes: Axes) -> None:
    step = math.tau / _WHEEL_PARTS
    angles = [part * step for part in range(_WHEEL_PARTS)]
    colours = [phase_colour(cmath.rect(1, angle)) for angle in angles]
    axes.bar(angles, 0.45, width=1.02 * step, bottom=0.55, color=colours, linewidth=0)
    axes.set_xticks([0, math.pi / 2, math.pi, 3 * math.pi / 2], labels=["0", "π/2", "π", "3π/2"])
    axes.tick_params(axis="x", labelsize=8, pad=-1)
    axes.set_yticks([])
    axes.set_ylim(0, 1)
    axes.grid(visible=False)
    axes.spines["polar"].set_visible(False)
    axes.set_title("phase", fontsize=9, loc="center")


def shortened(text: str, *, width_inches: float) -> str:
    """Cut a text of a title's size off where it would be wider."""
    left = width_inches
    for place, character in enumerate(text):
        left -= _CHARACTER_WIDTH * (2 if east_asian_width(character) in "WF" else 1)
        if left < 0:
            return f"{text[:place]}…"
    return text


def _probability(weight: float) -> str:
    return f"{weight:.3f}"
