"""Noise in a line of text, as it is typed: ``depolarizing:p1=0.001,p2=0.01,readout=0.02``.

    p1        depolarizing error after each gate on one qubit, as ``qiskit_aer.noise.depolarizing_error`` takes it
    p2        the same after each gate on two qubits
    readout   the probability that a measurement gives the other bit

What is not named is without noise. Read without Qiskit, so that a command can refuse it at once.
"""

from __future__ import annotations

import math

from aerjob_cli.errors import InputRefused, UsageError, brief
from aerjob_cli.frozen import dataclass

DEPOLARIZING = "depolarizing"
_EXAMPLE = "depolarizing:p1=0.001,p2=0.01,readout=0.02"
# Beyond these the channel is no channel: 4^n / (4^n − 1).
_LIMITS = {"p1": 4 / 3, "p2": 16 / 15, "readout": 1.0}


@dataclass(frozen=True)
class Depolarizing:
    """The strengths of depolarizing noise; see the module for what they mean."""

    p1: float = 0.0
    p2: float = 0.0
    readout: float = 0.0


def parse_noise(text: str) -> Depolarizing:
    """Read the text; raises ``UsageError`` for what is not written so, ``InputRefused`` for a strength out of range."""
    kind, _, rest = text.partition(":")
    if kind != DEPOLARIZING or not rest:
        raise UsageError(f"{brief(text)} is no noise that is known; write for example {_EXAMPLE}")
    strengths: dict[str, float] = {}
    for part in rest.split(","):
        name, separator, word = part.strip().partition("=")
        if not separator or name not in _LIMITS:
            raise UsageError(
                f"{brief(part.strip())} in {brief(text)} is no p1=, p2= or readout=; write for example {_EXAMPLE}"
            )
        if name in strengths:
            raise UsageError(f"{name!r} is given twice in {brief(text)}; decide on one value")
        strengths[name] = _strength(name, word)
    if not any(strengths.values()):
        raise InputRefused(f"{brief(text)} is without any noise; leave it out, or give p1, p2 or readout")
    return Depolarizing(**strengths)


def _strength(name: str, word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        raise UsageError(f"{name} is {brief(word)}, which is not a number; write for example {_EXAMPLE}") from None
    if not (math.isfinite(value) and 0.0 <= value <= _LIMITS[name]):
        raise InputRefused(f"{name} is {brief(word)}; it must be a number from 0 to {_LIMITS[name]:.4g}")
    return value
