"""How much memory a simulation needs, in bytes, by method and width.

The sizes are those of the states that Aer's methods keep: 2^n amplitudes, 4^n matrix elements, or a tableau.
"""

from __future__ import annotations

MEBIBYTE = 2**20
_AMPLITUDE_BYTES = {"double": 16, "single": 8}
# Aer 0.18 announces 122 MiB for 2,000 qubits and 3,053 MiB for 10,000: 32 bytes times n².
_TABLEAU_BYTES = 32
_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


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


def fits(size_bytes: int, limit_mb: int) -> bool:
    """Tell whether Aer allocates ``size_bytes`` under ``max_memory_mb=limit_mb``: it counts whole MiB."""
    return size_bytes // MEBIBYTE <= limit_mb


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
