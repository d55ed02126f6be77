"""What a call takes at most: measured for each call, also after a larger one."""

from __future__ import annotations

import sys

import pytest

from aerjob_cli.executors import peak_memory
from aerjob_cli.executors.peak_memory import PeakMemory

LARGE_BYTES = 100 * 2**20


def peak_of(memory: PeakMemory, size_bytes: int) -> int | None:
    memory.begin()
    # Written to, or it would not be resident.
    data = bytearray(b"x") * size_bytes
    del data
    return memory.end()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts anew")
def test_a_call_does_not_count_what_an_earlier_one_took() -> None:
    memory = PeakMemory()
    small, large, small_again = (peak_of(memory, size) for size in (2**20, LARGE_BYTES, 2**20))
    assert small is not None
    assert large is not None
    assert small_again is not None
    assert large - small > 0.9 * LARGE_BYTES
    assert large - small_again > 0.9 * LARGE_BYTES


def test_where_nobody_counts_anew_only_a_higher_peak_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peak_memory, "_RESET", ("/no/such/file", b"5"))
    memory = PeakMemory()
    # More than this process has ever had, whatever tests came before.
    so_far = peak_memory._peak_bytes()
    assert (peak_of(memory, so_far + LARGE_BYTES) or 0) > so_far
    assert peak_of(memory, 2**20) is None
