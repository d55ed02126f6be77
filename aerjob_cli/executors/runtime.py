"""What experiments run with in this process: the versions of what computes, and the machine.

Asked for before a process parses anything of anybody's, so that a worker may believe it. The versions are those that
were imported: what is installed may have been replaced since.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from functools import lru_cache
from importlib import import_module
from pathlib import Path

from aerjob_cli.version import __version__

_PACKAGES = ("qiskit", "qiskit_aer", "numpy")


@lru_cache
def runtime_facts() -> dict[str, str]:
    """Name what there is by its version: aerjob, Python, Qiskit, Aer and NumPy; the system and the CPU by their names.

    Imports Qiskit, Aer and NumPy.
    """
    return {
        "aerjob": __version__,
        "python": platform.python_version(),
        **{package: str(import_module(package).__version__) for package in _PACKAGES},
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cpu": _cpu_model(),
        "cpus": str(os.cpu_count() or 1),
    }


def _cpu_model() -> str:
    """Give what the maker calls the CPU, or its architecture where the system does not tell."""
    if sys.platform == "darwin":
        asked = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
        answer = subprocess.run(asked, capture_output=True, text=True, check=False)
        return answer.stdout.strip() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.machine()
    named = (line.partition(":") for line in lines)
    return next((value.strip() for key, _, value in named if key.strip() == "model name"), platform.machine())
