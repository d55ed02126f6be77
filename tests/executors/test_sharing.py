"""Which jobs share a call, and that each of them gets in it what it gets alone."""

from __future__ import annotations

from typing import Any

import pytest

from aerjob_cli.codec.seeds import DrawnSeeds, seed_after
from aerjob_cli.executors.messages import Message
from aerjob_cli.executors.sharing import JOBS_PER_CALL, sharing

SPEC = {"job_id": "j", "seed": 7, "shots": 100, "method": "automatic", "options": {}}


def run(number: int, *, kind: str = "run", shares: int = 1, **changes: Any) -> Message:
    spec = SPEC | {"job_id": str(number), "seed": seed_after(7, number)} | changes
    return Message({"kind": kind, "ticket": str(number), "job": spec, "shares": shares})


def test_jobs_whose_seeds_follow_each_other_share_a_call() -> None:
    assert sharing([run(0), run(1), run(2)]) == 3
    # Two experiments take two seeds.
    assert sharing([run(0, shares=2), run(2), run(3)]) == 3


def test_a_call_has_its_limit() -> None:
    assert sharing([run(number) for number in range(3 * JOBS_PER_CALL)]) == JOBS_PER_CALL


@pytest.mark.parametrize(
    "other",
    [
        run(2),  # a seed is left out
        run(1, seed=7),
        run(1, shots=101),
        run(1, options={"fusion_enable": False}),
        run(1, method="statevector"),
        run(1, shares=0),
        run(1, kind="validate"),
    ],
)
def test_any_difference_ends_a_call(other: Message) -> None:
    assert sharing([run(0), other]) == 1


def test_what_is_for_itself_shares_nothing() -> None:
    assert sharing([run(0, shares=0), run(1)]) == 1
    assert sharing([run(0, kind="validate"), run(1, kind="validate")]) == 1


def test_seeds_that_are_drawn_together_follow_each_other() -> None:
    seeds = DrawnSeeds()
    first, second, third = seeds.seed_for(3), seeds.seed_for(1), seeds.seed_for(5)
    assert (second - first) % 2113 == (third - second) % 2113 == 0
    if third > first:  # it may have begun just below the end of the range
        assert (second, third) == (seed_after(first, 3), seed_after(first, 4))


def test_no_drawn_seed_comes_twice_and_none_is_too_large() -> None:
    seeds = DrawnSeeds()
    drawn = [seeds.seed_for(100_000) for _ in range(20)]
    assert len(set(drawn)) == 20
    assert all(seed >= 0 and seed_after(seed, 99_999) < 2**32 for seed in drawn)
