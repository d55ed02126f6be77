"""What the kernel tells of processes: CPU, memory, wake-ups. Linux only."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from aerjob_cli.store.records import WorkerRecord

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Family:
    """A worker, its template and its executors, by their pids."""

    worker: int
    template: int
    executors: tuple[int, ...]

    @classmethod
    def of(cls, worker: WorkerRecord) -> Family:
        """Tell the processes of a worker apart: the template is the first that it starts."""
        template, *executors = (child.pid for child in worker.children)
        return cls(worker.pid, template, tuple(executors))

    @property
    def pids(self) -> tuple[int, ...]:
        return (self.worker, self.template, *self.executors)


def is_stopped(pid: int) -> bool:
    """Tell whether a SIGSTOP holds a process."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def cpu_s(pid: int) -> float:
    """Give the CPU seconds of a process and of the children that it has reaped, in ticks of 10 ms; 0 if it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return 0.0
    # proc(5): fields 14 to 17, counted from 1, are utime, stime, cutime and cstime.
    return sum(int(field) for field in stat.rpartition(")")[2].split()[11:15]) / _TICKS_PER_S


def cpu_of(pids: Iterable[int]) -> float:
    """Give the CPU seconds of several processes together."""
    return sum(cpu_s(pid) for pid in pids)


def scheduled_s(pid: int) -> float:
    """Give the CPU seconds of all threads of a process, to the nanosecond."""
    return sum(int(path.read_text().split()[0]) for path in _threads(pid, "schedstat")) / 1e9


def wake_ups(pid: int) -> int:
    """Count how often the threads of a process have gone to sleep by themselves, which is how often they were woken."""
    return sum(_field(path, "voluntary_ctxt_switches") for path in _threads(pid, "status"))


def rss_mb(pid: int) -> float:
    """Give the resident memory of a process in MB, shared pages in full."""
    return _field(Path(f"/proc/{pid}/status"), "VmRSS") * 1024 / 1e6


def peak_rss_mb(pid: int) -> float:
    """Give the most resident memory that a process has had, in MB."""
    return _field(Path(f"/proc/{pid}/status"), "VmHWM") * 1024 / 1e6


def pss_mb(pid: int) -> float:
    """Give the memory of a process in MB, each shared page by its share."""
    return _field(Path(f"/proc/{pid}/smaps_rollup"), "Pss") * 1024 / 1e6


def _threads(pid: int, file: str) -> list[Path]:
    return list(Path(f"/proc/{pid}/task").glob(f"*/{file}"))


def _field(path: Path, name: str) -> int:
    for line in path.read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise LookupError(f"{path} has no field {name}")
