"""The time, as aerjob stores and compares it; replaceable in tests.

Wall-clock times are whole microseconds since 1970 in UTC and are only ever shown. Decisions (leases, limits, waits)
are made on the monotonic clock, which all processes of one boot share and which stands still while a laptop sleeps.
"""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """What the parts of aerjob ask the time of."""

    def now_us(self) -> int:
        """Give the wall-clock time in microseconds since 1970-01-01T00:00:00Z."""
        ...

    def monotonic_s(self) -> float:
        """Give seconds that never run backwards, comparable between processes of one boot."""
        ...


@dataclass(frozen=True)
class SystemClock:
    """The clocks of this machine."""

    def now_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic_s(self) -> float:
        return time.monotonic()


SYSTEM_CLOCK = SystemClock()


def to_datetime(time_us: int) -> datetime:
    """Turn stored microseconds into an aware ``datetime`` in UTC."""
    return datetime.fromtimestamp(time_us / 1_000_000, tz=UTC)


def boot_id() -> str:
    """Name the current boot of this host: monotonic times and pids mean nothing in another one."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return _boot_session()


@cache
def _boot_session() -> str:
    command = ["/usr/sbin/sysctl", "-n", "kern.bootsessionuuid"]  # macOS
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
