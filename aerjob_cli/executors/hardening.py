"""What a process gives up for good before it parses what strangers wrote. What it starts inherits all of it."""

from __future__ import annotations

import resource

from aerjob_cli.memory import MIB, usable_memory_mb
from aerjob_cli.processes import gain_no_privileges

# An executor has four open, OpenMP and a GPU's driver take some tens.
OPEN_FILES = 256


def harden() -> None:
    """Leave no core dump, open few files, write none larger than the memory is, and gain no privileges."""
    # A core dump would hold the user's circuits, in a place that the system chooses.
    lower(resource.RLIMIT_CORE, 0)
    lower(resource.RLIMIT_NOFILE, OPEN_FILES)
    # A result has been in memory, so that each fits.
    lower(resource.RLIMIT_FSIZE, usable_memory_mb() * MIB)
    gain_no_privileges()


def lower(kind: int, amount: int) -> None:
    """Set a limit for good, unless a lower one is set."""
    set_before = (limit for limit in resource.getrlimit(kind) if limit != resource.RLIM_INFINITY)
    amount = min([amount, *set_before])
    resource.setrlimit(kind, (amount, amount))
