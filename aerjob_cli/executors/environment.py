"""What of an environment a process gets that parses what strangers wrote: what it needs to run, and no secret.

The worker has the environment of whoever submitted first, tokens and agents included. An executor has no use for them.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_KEPT = re.compile(
    "|".join(
        (
            # the system and its language
            "PATH|HOME|TZ|LANG|LANGUAGE|LC_[A-Z]+|XDG_CACHE_HOME",
            # where Python finds its modules, and how it runs; its variables are letters only
            "PYTHON[A-Z]+|VIRTUAL_ENV|CONDA_PREFIX",
            # where the loader finds libraries, and how they allocate
            "LD_LIBRARY_PATH|LD_PRELOAD|DYLD_LIBRARY_PATH|DYLD_FALLBACK_LIBRARY_PATH|GLIBC_TUNABLES|MALLOC_[A-Z_]+",
            # threads of numerical libraries
            "(OMP|GOMP|KMP|OPENBLAS|MKL|BLIS|VECLIB)_[A-Z_]+",
            # which GPU, and its libraries
            "(CUDA|NVIDIA)_[A-Z_]+|ROCR_VISIBLE_DEVICES|HIP_VISIBLE_DEVICES",
            "QISKIT_SETTINGS|AERJOB_DEBUG",
        )
    )
)
_SET = {
    # A second thread in the template would make its forks unsafe, and takes address space that drawing does not have.
    "OPENBLAS_NUM_THREADS": "1",
    "RAYON_NUM_THREADS": "1",
    "QISKIT_PARALLEL": "FALSE",
}
# From how many bytes on GNU's malloc asks the system, and gives back when it is freed. Left alone it raises that to the
# size of each state that is freed, and with a state for each shot keeps many times what one takes.
_GIVES_BACK = {"MALLOC_MMAP_THRESHOLD_": str(2**20)}
_SAYS_HOW_TO_ALLOCATE = re.compile("GLIBC_TUNABLES|MALLOC_[A-Z_]+|LD_PRELOAD")


def executor_environment(*, temporary: Path | None = None) -> dict[str, str]:
    """Make the environment of an executor from that of this process; ``temporary`` is its place for files, if any."""
    kept = {name: value for name, value in os.environ.items() if _KEPT.fullmatch(name)}
    allocates = {} if any(map(_SAYS_HOW_TO_ALLOCATE.fullmatch, kept)) else _GIVES_BACK
    return kept | allocates | _SET | ({} if temporary is None else {"TMPDIR": str(temporary)})
