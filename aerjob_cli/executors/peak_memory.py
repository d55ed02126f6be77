"""The most memory that this process had during a call.

The system counts the peak of a whole life. Linux lets a process begin to count anew; elsewhere a call's own peak is
only known where it went above all before it.
"""

from __future__ import annotations

import resource
import sys

# What the count may be off by: the kernel adds up pages in groups, for each CPU.
_SLACK_BYTES = 2**20
_UNIT_BYTES = 1 if sys.platform == "darwin" else 1024  # getrusage(2)
# proc(5): writing 5 resets the peak of the resident memory to what is resident now.
_RESET = ("/proc/self/clear_refs", b"5")


class PeakMemory:
    """Measures one call after the other."""

    def __init__(self) -> None:
        self._before_bytes = 0
        self._counts_anew = False

    def begin(self) -> None:
        """Count from here on."""
        so_far_bytes = _peak_bytes()
        # Resetting costs as much as a small circuit takes, and changes nothing where the peak has not risen since.
        if not self._counts_anew or so_far_bytes > self._before_bytes + _SLACK_BYTES:
            self._counts_anew = _reset()
            so_far_bytes = _peak_bytes()
        self._before_bytes = so_far_bytes

    def end(self) -> int | None:
        """Give the most resident memory since ``begin``, in bytes; None where the system does not tell."""
        peak_bytes = _peak_bytes()
        return peak_bytes if self._counts_anew or peak_bytes > self._before_bytes else None


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT_BYTES


def _reset() -> bool:
    place, word = _RESET
    try:
        with open(place, "wb", buffering=0) as file:
            file.write(word)
    except OSError:
        return False
    return True
