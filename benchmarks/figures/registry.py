"""All figures, in the order in which they are measured."""

from __future__ import annotations

from benchmarks.figures.big_circuit import BIG_CIRCUIT
from benchmarks.figures.big_result import BIG_RESULT
from benchmarks.figures.cancelling import CANCELLING
from benchmarks.figures.figure import Figure
from benchmarks.figures.idle import IDLE
from benchmarks.figures.latency import LATENCY
from benchmarks.figures.recovery import RECOVERY
from benchmarks.figures.start_up import START_UP
from benchmarks.figures.store_scale import STORE_SCALE
from benchmarks.figures.throughput import THROUGHPUT

FIGURES: dict[str, Figure] = {
    figure.name: figure
    for figure in (THROUGHPUT, LATENCY, START_UP, BIG_CIRCUIT, BIG_RESULT, CANCELLING, RECOVERY, IDLE, STORE_SCALE)
}
