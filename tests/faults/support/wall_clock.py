"""A wall clock of one's own for real processes: it can jump while they run, and their monotonic clock does not.

With libfaketime (https://github.com/wolfcw/libfaketime), preloaded into the processes that get the environment.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

DAY_S = 86400


class WallClock:
    """The wall clock of the processes that are started with ``environment``."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "wall-clock"
        self.jump_by(0)

    @property
    def environment(self) -> Mapping[str, str]:
        """What has a process see this clock."""
        return {
            "LD_PRELOAD": str(_library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
            # What a file system has written down stays when the clock is set.
            "NO_FAKE_STAT": "1",
        }

    def jump_by(self, seconds: int) -> None:
        """Set the clock this far from the true time, at once for all that see it."""
        draft = self._file.with_suffix(".draft")
        draft.write_text(f"{seconds:+d}\n")
        os.replace(draft, self._file)

    def jump_to_1970(self) -> None:
        """Set the clock to where it is when a machine has forgotten the time."""
        self.jump_by(-int(time.time()) + 10)


def is_there() -> bool:
    """Tell whether clocks can be set here."""
    return sys.platform == "linux" and find_spec("libfaketime") is not None and _library().is_file()


def _library() -> Path:
    spec = find_spec("libfaketime")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "vendor/libfaketime/src/libfaketime.so.1"
