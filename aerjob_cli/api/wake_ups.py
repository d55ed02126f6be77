"""When someone who waits for a job must wake up: for the next call back, or because the time is over.

``JobV1.wait_for_final_state`` looks at the timeout only between two sleeps, and so may be late by a whole one. Here
the timeout is itself a moment to wake up at. Pure arithmetic, no clock.
"""

from __future__ import annotations

import math

# Callbacks more often than this would keep a core busy with nothing else.
_SHORTEST_INTERVAL_S = 0.01


def next_wake_s(elapsed_s: float, *, timeout_s: float | None, every_s: float | None) -> float | None:
    """Say at how many seconds since the beginning to wake up next; None when only the end of the job matters.

    The moments are the multiples of ``every_s`` and, exactly, ``timeout_s``; none of them is after ``timeout_s``.
    """
    moments = []
    if every_s is not None:
        interval_s = max(every_s, _SHORTEST_INTERVAL_S)
        multiple = math.floor(elapsed_s / interval_s) + 1
        if interval_s * multiple <= elapsed_s:  # the division was rounded down, at a multiple itself
            multiple += 1
        moments.append(interval_s * multiple)
    if timeout_s is not None:
        moments.append(timeout_s)
    return min(moments, default=None)


def is_over(elapsed_s: float, *, timeout_s: float | None) -> bool:
    """Tell whether the time to wait has passed."""
    return timeout_s is not None and elapsed_s >= timeout_s
