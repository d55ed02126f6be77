"""The seven states of a job, the moves between them, the reasons of a bad end, and how jobs depend on others.

The names are those of Qiskit's ``JobStatus``, so that the map to it is by name. This module knows no store and no
Qiskit.
"""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Where a job is in its life (names of ``qiskit.providers.JobStatus``)."""

    INITIALIZING = "INITIALIZING"
    VALIDATING = "VALIDATING"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    DONE = "DONE"
    ERROR = "ERROR"
    CANCELLED = "CANCELLED"

    @property
    def is_final(self) -> bool:
        """Tell whether a job in this state will never change again."""
        return self in FINAL


class Reason(StrEnum):
    """Why a job is in ERROR or CANCELLED; the list is closed."""

    INVALID_CIRCUIT = "INVALID_CIRCUIT"
    SIMULATION_FAILED = "SIMULATION_FAILED"
    TIMED_OUT = "TIMED_OUT"
    OUT_OF_MEMORY = "OUT_OF_MEMORY"
    EXECUTOR_CRASHED = "EXECUTOR_CRASHED"
    WORKER_LOST = "WORKER_LOST"
    DEPENDENCY_FAILED = "DEPENDENCY_FAILED"
    USER_CANCELLED = "USER_CANCELLED"

    @property
    def is_retried(self) -> bool:
        """Tell whether a job that met this is tried again, up to its ``max_attempts``."""
        return self in _RETRIED


class After(StrEnum):
    """How a job depends on another one: what that must have come to before it starts."""

    ENDED = "after"
    DONE = "after-ok"
    # Of all the jobs that it names so, one.
    ANY_DONE = "after-any"


class Part(StrEnum):
    """What may be removed of a job that is kept."""

    RESULTS = "results"
    CIRCUITS = "circuits"


FINAL = frozenset({Status.DONE, Status.ERROR, Status.CANCELLED})
PENDING = frozenset(Status) - FINAL
# No attempt at them is under way; in the order of a job's life.
UNBEGUN = (Status.INITIALIZING, Status.VALIDATING, Status.QUEUED)
# Validation has still to say whether they can run.
UNDECIDED = (Status.INITIALIZING, Status.VALIDATING)

_RETRIED = frozenset({Reason.EXECUTOR_CRASHED, Reason.WORKER_LOST})

MOVES: dict[Status, frozenset[Status]] = {
    Status.INITIALIZING: frozenset({Status.VALIDATING, Status.ERROR, Status.CANCELLED}),
    # Back to INITIALIZING when the worker or the validator died with the verdict open.
    Status.VALIDATING: frozenset({Status.INITIALIZING, Status.QUEUED, Status.ERROR, Status.CANCELLED}),
    Status.QUEUED: frozenset({Status.RUNNING, Status.ERROR, Status.CANCELLED}),
    # Back to QUEUED when an attempt was lost, crashed or drained.
    Status.RUNNING: frozenset({Status.QUEUED, Status.DONE, Status.ERROR, Status.CANCELLED}),
    Status.DONE: frozenset(),
    Status.ERROR: frozenset(),
    Status.CANCELLED: frozenset(),
}


def may_move(source: Status, target: Status) -> bool:
    """Tell whether a job in ``source`` may ever go to ``target`` in one step."""
    return target in MOVES[source]
