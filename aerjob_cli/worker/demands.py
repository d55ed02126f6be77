"""What a job needs to begin, as those see it who decide which one does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Demand:
    """What a job needs to begin: threads, None where nobody has said, and memory; 0 bytes are next to nothing."""

    threads: int | None
    size_bytes: int = 0
