"""When a waiting caller wakes up: for each call back, and at the timeout exactly, never after it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aerjob_cli.api.wake_ups import is_over, next_wake_s

seconds = st.floats(min_value=0.0, max_value=1e6)
intervals = st.floats(min_value=0.01, max_value=1e4)


@given(timeout_s=st.floats(min_value=0.05, max_value=50), every_s=st.floats(min_value=0.05, max_value=1e4))
def test_a_sleeper_who_wakes_as_told_is_never_late(timeout_s: float, every_s: float) -> None:
    elapsed_s, moments = 0.0, []
    while not is_over(elapsed_s, timeout_s=timeout_s):
        wake_s = next_wake_s(elapsed_s, timeout_s=timeout_s, every_s=every_s)
        assert wake_s is not None
        assert elapsed_s < wake_s
        elapsed_s = wake_s
        moments.append(wake_s)
    assert moments[-1] == timeout_s
    assert moments[:-1] == pytest.approx([every_s * (index + 1) for index in range(len(moments) - 1)])


@given(elapsed_s=seconds, every_s=intervals)
def test_a_slow_callback_skips_moments_and_shifts_none(elapsed_s: float, every_s: float) -> None:
    wake_s = next_wake_s(elapsed_s, timeout_s=None, every_s=every_s)
    assert wake_s is not None
    assert elapsed_s < wake_s <= elapsed_s + every_s * (1 + 1e-9)
    assert wake_s / every_s == pytest.approx(round(wake_s / every_s))


def test_without_timeout_and_callback_only_the_end_matters() -> None:
    assert next_wake_s(3.0, timeout_s=None, every_s=None) is None


@pytest.mark.parametrize("every_s", [0.0, -1.0])
def test_an_interval_of_nothing_does_not_spin(every_s: float) -> None:
    assert next_wake_s(0.0, timeout_s=None, every_s=every_s) == pytest.approx(0.01)
