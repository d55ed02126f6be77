"""What a worker and the processes it has started spend from one moment on."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.meters import Family, cpu_of, cpu_s
from benchmarks.site import Site


@dataclass(frozen=True)
class FamilySpent:
    """CPU seconds: the worker's, and those of the template and all executors together."""

    worker_s: float
    executors_s: float

    @property
    def all_s(self) -> float:
        return self.worker_s + self.executors_s


class FamilyMeter:
    """Counts from when it is made. Executors may come and go: those that ended are in the template's time."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._family = Family.of(site.worker())
        self._began = self._counted(self._family.pids)

    def read(self) -> FamilySpent:
        """Give what was spent until now."""
        now = self._counted({*self._family.pids, *Family.of(self._site.worker()).pids})
        return FamilySpent(now.worker_s - self._began.worker_s, now.executors_s - self._began.executors_s)

    def _counted(self, pids: set[int] | tuple[int, ...]) -> FamilySpent:
        return FamilySpent(cpu_s(self._family.worker), cpu_of({*pids} - {self._family.worker}))
