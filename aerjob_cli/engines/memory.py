"""How much memory a simulation needs, in bytes, by method and width.

The sizes are those of the states that Aer's methods keep: 2^n amplitudes, 4^n matrix elements, or a tableau.
"""

from __future__ import annotations

import math
from functools import lru_cache

from aerjob_cli.catalog import AER_ENGINE
from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.memory import in_words, usable_memory_mb
from aerjob_cli.plugins.discovery import simulator_named

MEBIBYTE = 2**20
_AMPLITUDE_BYTES = {"double": 16, "single": 8}
# Aer 0.18 announces 122 MiB for 2,000 qubits and 3,053 MiB for 10,000: 32 bytes times n².
_TABLEAU_BYTES = 32


def needed_bytes(method: str, qubits: int, precision: str = "double") -> int | None:
    """Compute what ``method`` needs for ``qubits``, or None where it depends on the circuit."""
    if method in ("automatic", "statevector"):
        return _AMPLITUDE_BYTES[precision] << qubits
    if method in ("density_matrix", "unitary"):
        return _AMPLITUDE_BYTES[precision] << 2 * qubits
    if method == "superop":
        return _AMPLITUDE_BYTES[precision] << 4 * qubits
    if method == "stabilizer":
        return _TABLEAU_BYTES * qubits * qubits
    return None


def precision_of(spec: JobSpec) -> str:
    """Name the precision that a job asks for."""
    return str(spec.options.get("precision", "double"))


def fits(size_bytes: int, limit_mb: int) -> bool:
    """Tell whether Aer allocates ``size_bytes`` under ``max_memory_mb=limit_mb``: it counts whole MiB."""
    return size_bytes // MEBIBYTE <= limit_mb


def fits_job(size_bytes: int, spec: JobSpec) -> bool:
    """Tell whether ``size_bytes`` fit into the job's limit and into the machine."""
    return fits(size_bytes, min(spec.max_memory_mb, machine_mb()))


def why_not(size_bytes: int, spec: JobSpec) -> str:
    """Say which limit does not allow ``size_bytes``, and what helps: the end of a sentence."""
    all_mb = machine_mb()
    remedies = ["use fewer qubits"]
    if precision_of(spec) == "double" and fits_job(size_bytes // 2, spec) and _has_precisions(spec):
        remedies.append("set the option precision to single, which halves it")
    if _may_compress(spec):
        remedies.append("take the method 'matrix_product_state' if they are weakly entangled")
    if _may_sample(size_bytes, spec):
        remedies.append("take the method 'statevector', which draws the noise anew for each shot")
    if spec.max_memory_mb >= all_mb:
        fact = f"this machine has {in_words(all_mb * MEBIBYTE)}"
    else:
        fact = f"the job's memory limit is {in_words(spec.max_memory_mb * MEBIBYTE)}"
        if fits(size_bytes, all_mb):
            remedies.append("raise the limit")
    *first, last = remedies
    return f"{fact}; {', '.join(first)}{', or ' if first else ''}{last}"


def _has_precisions(spec: JobSpec) -> bool:
    return simulator_named(spec.backend).engine == AER_ENGINE


def _may_compress(spec: JobSpec) -> bool:
    is_usual = spec.method in ("automatic", "statevector") and not spec.gives_state
    return is_usual and "matrix_product_state" in simulator_named(spec.backend).methods


def _may_sample(size_bytes: int, spec: JobSpec) -> bool:
    """Tell whether a state, of which a density matrix is as large as the square, would fit in its place."""
    is_usual = spec.method == "density_matrix" and not spec.gives_state
    is_there = is_usual and "statevector" in simulator_named(spec.backend).methods
    return is_there and fits_job(math.isqrt(size_bytes * _AMPLITUDE_BYTES[precision_of(spec)]), spec)


@lru_cache
def machine_mb() -> int:
    """Give the memory of this machine, or of the control group, in MiB, as it was when it was first asked for."""
    return usable_memory_mb()
