"""QPY, Qiskit's binary form of circuits: checked before loading. What it loses is kept elsewhere (``circuit_bundle``).

Sources: Qiskit's documentation of the QPY format; CVE-2025-2000 (loading a version below 13 can run code).
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aerjob_cli.codec import strict_json
from aerjob_cli.errors import CircuitRefused, brief

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

_MAGIC = b"QISKIT"
_OLDEST_VERSION = 13


def read(data: bytes, name: str) -> list[QuantumCircuit]:
    """Load the circuits of a QPY file; they keep their names and metadata. Raises ``CircuitRefused``."""
    _check_header(data, name)
    try:
        return _load(data)
    except RecursionError:
        raise CircuitRefused(f"{name} is nested too deeply to be read; write it flatter") from None
    except Exception as error:
        # What the reader stumbles over is its own business: nobody mends a binary file by hand.
        raise _damaged(name) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise _damaged(name) from None


def write(circuits: Sequence[QuantumCircuit]) -> bytes:
    """Write circuits into one QPY file; raises ``CircuitRefused`` for what QPY cannot write."""
    from qiskit import qpy

    file = io.BytesIO()
    try:
        qpy.dump(list(circuits), file)
    except RecursionError:
        raise CircuitRefused("the circuits are nested too deeply to be stored; write them flatter") from None
    except Exception as error:
        raise CircuitRefused(
            f"the circuits cannot be stored as QPY: {error}; transpile them to standard gates first"
        ) from error
    return file.getvalue()


def _damaged(name: str) -> CircuitRefused:
    return CircuitRefused(f"{name} is damaged and cannot be read as QPY; write it again with qiskit.qpy.dump")


def _check_header(data: bytes, name: str) -> None:
    if not data:
        raise CircuitRefused(f"{name} is empty; write circuits into it with qiskit.qpy.dump")
    if len(data) <= len(_MAGIC) or not data.startswith(_MAGIC):
        raise CircuitRefused(f"{name} is not a QPY file; write it with qiskit.qpy.dump, or name its format")
    from qiskit.qpy import common

    version = data[len(_MAGIC)]
    if version < _OLDEST_VERSION:
        raise CircuitRefused(
            f"{name} is QPY version {version}, and loading versions below {_OLDEST_VERSION} is not safe "
            "(CVE-2025-2000); write it again with Qiskit 1.3 or later"
        )
    if version > common.QPY_VERSION:
        raise CircuitRefused(
            f"{name} is QPY version {version}, and the installed Qiskit reads up to {common.QPY_VERSION}; "
            "update Qiskit, or write the file with an older version="
        )


def _load(data: bytes) -> list[QuantumCircuit]:
    from qiskit import QuantumCircuit, qpy

    with warnings.catch_warnings():
        # That a later Qiskit wrote the file is no news: its QPY version has been checked.
        warnings.simplefilter("ignore", UserWarning)
        programs = qpy.load(io.BytesIO(data))
    if not all(isinstance(program, QuantumCircuit) for program in programs):
        raise TypeError("a program is not a circuit")
    return list(programs)


def check_metadata(circuit: QuantumCircuit) -> None:
    """Refuse metadata that JSON, as QPY writes it, would change; raises ``CircuitRefused``."""
    try:
        strict_json.check(circuit.metadata, "its metadata")
    except strict_json.NotJson as error:
        raise CircuitRefused(
            f"the metadata of circuit {brief(circuit.name)} cannot be stored: {error}; "
            "use texts, numbers, lists and dictionaries of them"
        ) from None
    except RecursionError:
        raise CircuitRefused(
            f"the metadata of circuit {brief(circuit.name)} is nested too deeply to be stored; write it flatter"
        ) from None
