"""What an engine and an executor must know of a job, and nothing that only the store or the worker needs."""

from __future__ import annotations

from typing import Any

from aerjob_cli.codec.option_tables import SAVE_STATE
from aerjob_cli.frozen import dataclass
from aerjob_cli.plugins.discovery import simulator_named


@dataclass(frozen=True)
class JobSpec:
    """What an executor must know of a job. ``max_memory_mb`` in MiB, ``seed`` from 0 to 2^63 − 1."""

    job_id: str
    backend: str
    method: str
    shots: int
    seed: int
    memory: bool
    threads: int
    max_memory_mb: int
    options: dict[str, Any]
    # Texts come from people who have not measured yet: for them a missing measurement is refused.
    counts_required: bool

    @property
    def gives_state(self) -> bool:
        """Tell whether the final state of each circuit is part of its result."""
        return simulator_named(self.backend).gives_state(self.method) or bool(self.options.get(SAVE_STATE))

    @property
    def optimization_level(self) -> int:
        """From 0 to 3, for circuits that are translated."""
        return int(self.options.get("optimization_level", 0))

    @property
    def may_translate(self) -> bool:
        """Tell whether a circuit that the simulator cannot run as it is may be translated."""
        return bool(self.options.get("transpile", True))
