"""From the hexadecimal outcomes that a simulator gives to the bit strings that people read.

The rules are those of ``Result.get_counts()`` and ``Result.get_memory()`` (``qiskit.result.postprocess``):
the first classical bit is the rightmost, registers are separated by a space, the last register first.
Written without Qiskit and NumPy, so that a light command can show a result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def bit_counts(counts: Mapping[str, int], header: Mapping[str, Any]) -> dict[str, int]:
    """Rewrite ``{"0x3": 512}`` as ``{"11": 512}``, spaced as the header's ``creg_sizes`` says."""
    layout = _Layout(header)
    return {layout.bits(outcome): count for outcome, count in counts.items()}


def bit_memory(memory: Iterable[str], header: Mapping[str, Any]) -> list[str]:
    """Rewrite the outcome of each shot, in the order of the shots."""
    layout = _Layout(header)
    known: dict[str, str] = {}
    texts = []
    for outcome in memory:
        text = known.get(outcome)
        if text is None:
            text = known[outcome] = layout.bits(outcome)
        texts.append(text)
    return texts


class _Layout:
    """Where the spaces of one experiment's bit strings are."""

    def __init__(self, header: Mapping[str, Any]) -> None:
        self._slots = int(header.get("memory_slots") or 0)
        sizes = header.get("creg_sizes") or ()
        self._widths = [int(size) for _, size in reversed(list(sizes))] if self._slots else []

    def bits(self, outcome: str) -> str:
        value = int(outcome, 16) if outcome.startswith("0x") else int(outcome, 2)
        text = format(value, f"0{self._slots}b")
        if not self._widths:
            return text
        parts, start = [], 0
        for width in self._widths:
            parts.append(text[start : start + width])
            start += width
        return " ".join(parts)
