"""Executors that wait for their next job, and how many each has served."""

from __future__ import annotations

from aerjob_cli.executors.pool import Executor


class Idlers:
    """The warm executors of a worker; those for validation are apart, so that busy slots delay no verdict."""

    def __init__(self, *, jobs_per_executor: int) -> None:
        self._jobs_per_executor = jobs_per_executor
        self._runners: list[Executor] = []
        self._validators: list[Executor] = []
        self._served: dict[int, int] = {}

    def take(self, *, for_validation: bool) -> Executor | None:
        """Give the one that has worked last, whose memory is the warmest; None where none waits."""
        idle = self._validators if for_validation else self._runners
        return idle.pop() if idle else None

    def add(self, executor: Executor, *, for_validation: bool) -> bool:
        """Keep one that has ended a job cleanly; return False for one that has served its time."""
        served = self._served[executor.serial] = self._served.get(executor.serial, 0) + 1
        if served >= self._jobs_per_executor:
            return False
        (self._validators if for_validation else self._runners).append(executor)
        return True

    def forget(self, executor: Executor) -> None:
        """Count on this one no more."""
        self._served.pop(executor.serial, None)
        self._runners = [idle for idle in self._runners if idle.serial != executor.serial]
        self._validators = [idle for idle in self._validators if idle.serial != executor.serial]
