"""Bit strings, compared with those of Qiskit's ``Result``."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from qiskit.result import Result

from aerjob_cli.codec.counts import bit_counts, bit_memory


def qiskits_view(counts: dict[str, int], memory: list[str], header: dict[str, Any]) -> Result:
    experiment = {
        "shots": sum(counts.values()),
        "success": True,
        "data": {"counts": counts, "memory": memory},
        "meas_level": 2,
        "header": header,
    }
    return Result.from_dict({"backend_name": "x", "success": True, "results": [experiment]})


@st.composite
def experiments(draw: st.DrawFn) -> tuple[dict[str, int], list[str], dict[str, Any]]:
    sizes = draw(st.lists(st.integers(1, 40), min_size=1, max_size=4))
    loose_bits = draw(st.integers(0, 3))
    slots = sum(sizes) + loose_bits
    outcomes = st.integers(0, 2**slots - 1).map(hex)
    counts = draw(st.dictionaries(outcomes, st.integers(1, 1000), min_size=1, max_size=8))
    memory = draw(st.lists(outcomes, min_size=1, max_size=8))
    # Loose bits have no register; Qiskit's strings leave them out on the right, and so do ours.
    header = {"creg_sizes": [[f"c{i}", size] for i, size in enumerate(sizes)], "memory_slots": slots}
    if draw(st.booleans()):
        del header["creg_sizes"]
    return counts, memory, header


@given(experiments())
def test_counts_and_memory_are_written_as_qiskit_writes_them(
    experiment: tuple[dict[str, int], list[str], dict[str, Any]],
) -> None:
    counts, memory, header = experiment
    result = qiskits_view(counts, memory, header)
    assert bit_memory(memory, header) == result.get_memory()
    assert bit_counts(counts, header) == dict(result.get_counts())


def test_registers_are_separated_and_the_first_bit_is_on_the_right() -> None:
    header = {"creg_sizes": [["a", 2], ["b", 1]], "memory_slots": 3}
    assert bit_counts({"0x1": 5, "0x4": 7}, header) == {"0 01": 5, "1 00": 7}
    assert bit_memory(["0x4", "0x1", "0x4"], header) == ["1 00", "0 01", "1 00"]
