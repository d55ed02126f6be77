"""Who has a number that was granted: the executor that takes it, or the worker that withdraws it; never both."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerjob_cli.executors.grants import Grants, Permits


@pytest.fixture
def grants() -> Iterator[Grants]:
    made = Grants()
    yield made
    made.close()


def test_what_is_taken_cannot_be_withdrawn(grants: Grants) -> None:
    permits = Permits(grants.reading)
    numbers = [grants.grant(ticket) for ticket in ("a", "b", "c")]
    assert permits.take(numbers[:1]) == [True]
    assert grants.withdraw() == {"b", "c"}
    assert permits.take(numbers[1:]) == [False, False]
    assert grants.withdraw() == frozenset()


def test_a_later_number_is_not_lost_where_earlier_ones_were_withdrawn(grants: Grants) -> None:
    permits = Permits(grants.reading)
    first = grants.grant("a")
    assert grants.withdraw() == {"a"}
    second = grants.grant("b")
    assert permits.take([first]) == [False]
    assert permits.take([second]) == [True]


def test_what_has_ended_is_forgotten(grants: Grants) -> None:
    number = grants.grant("a")
    assert Permits(grants.reading).take([number]) == [True]
    grants.forget("a")
    grants.forget("never heard of")
    assert grants.withdraw() == frozenset()


@given(st.lists(st.sampled_from(["grant", "take", "take three", "withdraw"]), max_size=60))
def test_each_number_goes_to_exactly_one(moves: list[str]) -> None:
    grants = Grants()
    try:
        permits = Permits(grants.reading)
        sent: list[tuple[int, str]] = []
        granted = 0
        taken: set[str] = set()
        withdrawn: set[str] = set()
        for move in moves:
            if move == "grant":
                granted += 1
                ticket = f"t-{granted}"
                sent.append((grants.grant(ticket), ticket))
            elif move == "withdraw":
                withdrawn |= grants.withdraw()
            else:
                part, sent = (sent[:3], sent[3:]) if move == "take three" else (sent[:1], sent[1:])
                if part:
                    allowed = permits.take([number for number, _ in part])
                    taken |= {ticket for (_, ticket), is_allowed in zip(part, allowed, strict=True) if is_allowed}
        withdrawn |= grants.withdraw()
        rest = permits.take([number for number, _ in sent]) if sent else []
        taken |= {ticket for (_, ticket), is_allowed in zip(sent, rest, strict=True) if is_allowed}
        everything = {f"t-{number}" for number in range(1, granted + 1)}
        assert taken | withdrawn == everything
        assert not taken & withdrawn
    finally:
        grants.close()
