"""How much memory this machine gives to jobs, and whether its kernel has been killing for want of it."""

from __future__ import annotations

import os
import re

_CGROUP = "/sys/fs/cgroup"
MIB = 2**20
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
# What takes no more than this is one of many.
LITTLE_BYTES = 64 * MIB


def usable_memory_mb() -> int:
    """Give the memory in MiB that processes here may have in all: the machine's, or less in a control group."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [physical]
    # cgroup v2 (memory.max) and v1; "max" and v1's huge default mean none.
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        text = _read(f"{_CGROUP}/{name}")
        if text.isdigit():
            limits.append(int(text))
    return min(limits) // MIB


def available_bytes() -> int | None:
    """Give the memory that new processes here may still take, or None where the system does not tell (not Linux)."""
    of_machine = re.search(r"^MemAvailable: +(\d+) kB$", _read("/proc/meminfo"), re.MULTILINE)
    if of_machine is None:
        return None
    available = int(of_machine[1]) * 1024
    limit, current = _read(f"{_CGROUP}/memory.max"), _read(f"{_CGROUP}/memory.current")
    if limit.isdigit() and current.isdigit():
        # The kernel drops what it has only read from files before it kills anybody.
        cached = re.search(r"^inactive_file (\d+)$", _read(f"{_CGROUP}/memory.stat"), re.MULTILINE)
        used = int(current) - (0 if cached is None else int(cached[1]))
        available = min(available, max(0, int(limit) - used))
    return available


def counted_bytes(estimated_bytes: int | None) -> int:
    """Give what a job is counted with; 0 for one that takes little, or of which nobody can tell."""
    return estimated_bytes if estimated_bytes is not None and estimated_bytes > LITTLE_BYTES else 0


def largest_job_bytes(usable_bytes: int, *, slots: int) -> int:
    """Say how much one job may take of memory that so many run in; room for those that take little is kept.

    Where there is little altogether there is room for one that is larger than usual all the same.
    """
    return usable_bytes - min(slots * LITTLE_BYTES, usable_bytes // 4)


def oom_kills() -> int:
    """Count the processes that the kernel has killed for want of memory since boot, here and in this control group."""
    count = 0
    for path in ("/proc/vmstat", f"{_CGROUP}/memory.events"):
        for line in _read(path).splitlines():
            name, _, number = line.partition(" ")
            if name == "oom_kill" and number.isdigit():
                count += int(number)
    return count


def in_words(size_bytes: int) -> str:
    """Write a size for a person: ``16 PiB``, ``1.5 GiB``; a power of two where no unit is enough."""
    unit = 0
    size = float(min(size_bytes, 1 << 100))
    while size >= 1024 and unit + 1 < len(_UNITS):
        size /= 1024
        unit += 1
    if size >= 1024:
        return f"2^{size_bytes.bit_length() - 1} bytes"
    return f"{size:.3g} {_UNITS[unit]}"


def _read(path: str) -> str:
    try:
        # Without a buffer: the worker reads this before each job that it sends to an executor that has none.
        with open(path, "rb", buffering=0) as file:
            return file.read().decode("ascii", errors="replace").strip()
    except OSError:
        return ""
