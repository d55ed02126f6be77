"""Aer's simulators, one for each method."""

from __future__ import annotations

from functools import lru_cache

from qiskit_aer import AerSimulator


@lru_cache
def simulator_of(method: str) -> AerSimulator:
    """Give the simulator that runs all of a method's jobs in this process."""
    return AerSimulator(method=method)
