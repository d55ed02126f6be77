"""What the benchmark says of samples: ratios, their spread, whether a bound is met, what was left out."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import pytest

from benchmarks.figures.figure import Bench, Figure, Line, Sample, in_turn, interleaved
from benchmarks.figures.registry import FIGURES
from benchmarks.figures.report import Measured, rows_of

_FIGURE = Figure(
    "speed",
    "jobs/s",
    (
        Line("ours against theirs", lambda s: s["theirs"] / s["ours"], at_least=1.5, source="aim"),
        Line("ours", lambda s: s["ours"], unit="s", at_most=1, source="bound"),
        Line("against another", lambda s: s["another"] / s["ours"], at_least=1),
    ),
    lambda _: nullcontext(Bench(lambda number: {})),
)
_MEASURED = Measured(
    _FIGURE,
    [{"ours": 2.0, "theirs": 6.0}, {"ours": 1.0, "theirs": 2.0}, {"ours": 4.0, "theirs": 4.0}],
    {"another": "it is not installed"},
)


def test_a_table_has_medians_of_ratios_with_their_spread_and_verdict() -> None:
    _, ratio, seconds, missing, why = (" ".join(row.split()) for row in rows_of(_MEASURED))
    assert ratio == "ours against theirs 2.00 × 1.00 … 3.00 ≥ 1.5 meets aim"
    assert seconds == "ours 2.00 s 1.00 … 4.00 ≤ 1 MISSES bound"
    assert missing == "against another left out ≥ 1"
    assert why == "another was left out: it is not installed"


def test_json_has_the_same_and_every_sample() -> None:
    told = _MEASURED.as_json()
    assert [line["median"] for line in told["lines"]] == [2.0, 2.0, None]
    assert [line["is_met"] for line in told["lines"]] == [True, False, None]
    assert told["samples"] == _MEASURED.samples


@pytest.mark.parametrize(("number", "order"), [(0, "ab"), (1, "ba"), (2, "ab")])
def test_contenders_take_turns_in_being_first(number: int, order: str) -> None:
    asked: list[str] = []

    def contender(name: str) -> Callable[[], Sample]:
        def measure() -> Sample:
            asked.append(name)
            return {"": 1.0}

        return measure

    assert in_turn({name: contender(name) for name in "ab"}, number) == {"a": 1.0, "b": 1.0}
    assert asked == list(order)


def test_repeats_are_interleaved_and_give_medians() -> None:
    asked: list[str] = []

    def contender(name: str, values: list[float]) -> Callable[[], float]:
        def measure() -> float:
            asked.append(name)
            return values.pop()

        return measure

    contenders = {"a": contender("a", [1.0, 9.0, 2.0]), "b": contender("b", [5.0, 5.0, 5.0])}
    assert interleaved(contenders, repeats=3, number=0) == {"a": 2.0, "b": 5.0}
    assert asked == ["a", "b", "b", "a", "a", "b"]


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_a_bound_that_says_where_it_comes_from(name: str) -> None:
    bounded = [line for line in FIGURES[name].lines if line.is_met(1.0) is not None]
    assert bounded
    assert all(line.source for line in bounded)
