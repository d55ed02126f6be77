"""Which queued jobs may begin beside those that run: the sharing of the machine's cores among jobs.

A job's number of threads is fixed when it is validated, so that a resumed part runs as the first did: one, or for a big
job all cores. What is decided here is only when it begins:

* One big job at a time. Two would each wait for the threads of the other at every gate.
* Small jobs go on beside it, on half of the cores at most. They take what they use from the big job, which keeps the
  other half even where the system shares time among processes and not among threads (sched(7), autogroup).
* A job that needs memory begins when there is as much (`memory_room`). Until then smaller ones pass it, but not for
  ever: see `patience`.
* In the order of the queue. A big job that waits for another one is passed by small jobs, not by big ones. One that
  waits for an executor only is passed by nobody: else small jobs would fill each executor before it has nothing to do.

No executor, store or clock is known here: jobs are their numbers of threads, executors are counted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from aerjob_cli.worker.demands import Demand


def is_big(threads: int | None) -> bool:
    """Tell whether a job runs on several threads; None stands for a job of which nobody has said."""
    return (threads or 1) > 1


def executors_at_most(running: Sequence[int | None], *, cores: int, slots: int) -> int:
    """Say how many executors may be at work at a time, when ``running`` are the threads of the jobs that run."""
    if not any(map(is_big, running)):
        return slots
    return min(slots, 1 + _small_beside_a_big(cores))


def only_small_may_begin(running: Sequence[int | None]) -> bool:
    """Tell whether big jobs need not be looked for in the queue, of which any number may be ahead of small ones."""
    return any(map(is_big, running))


@dataclass(frozen=True)
class Choice:
    """Which of the first jobs of the queue begin, by their places in it, and which lack memory."""

    places: list[int]
    short: list[int] = field(default_factory=list)


def startable(
    waiting: Sequence[Demand],
    running: Sequence[int | None],
    *,
    cores: int,
    slots: int,
    room_behind: int = 0,
    free_bytes: int = 0,
    firm: Collection[int] = (),
) -> Choice:
    """Choose from the first jobs of the queue those that are to begin.

    ``waiting`` are the first jobs in the queue, ``running`` the threads of the job at which each busy executor is,
    ``slots`` the most executors there may be. ``room_behind`` says how many small jobs could wait in busy executors
    for their turn: they get no executor of their own, and are only sent ahead. ``free_bytes`` may be given to those
    that need more than next to nothing; a job that needs more is passed, but for those at the places ``firm``.

    A job that is chosen and is big, or needs memory, needs an executor that has nothing to do.
    """
    chosen: list[int] = []
    short: list[int] = []
    small = sum(not is_big(threads) for threads in running)
    has_big = len(running) > small
    for place, demand in enumerate(waiting):
        free = slots - small - has_big
        if demand.size_bytes > free_bytes:
            short.append(place)
            if place in firm:
                break
            continue
        if is_big(demand.threads):
            if has_big:
                continue
            if free < 1:
                break
            has_big = True
        elif free > 0 and (not has_big or small < _small_beside_a_big(cores)):
            small += 1
        elif room_behind > 0 and not demand.size_bytes:
            room_behind -= 1
        else:
            break
        free_bytes -= demand.size_bytes
        chosen.append(place)
    return Choice(chosen, short)


def _small_beside_a_big(cores: int) -> int:
    return max(1, cores // 2)
