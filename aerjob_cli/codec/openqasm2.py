"""OpenQASM 2 text to a circuit, with Qiskit's legacy gate set, and every failure as one sentence.

``include_path=()``: a text from a stranger may include ``qelib1.inc``, which Qiskit brings itself, and no
file of this machine. The specification is arXiv:1707.03429; the legacy gates are those that Qiskit's old
parser knew and half of the files in the world rely on.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING

from aerjob_cli.codec.program_text import REGISTER_LIMIT, as_clause, decoded_text, too_large
from aerjob_cli.errors import CircuitRefused

if TYPE_CHECKING:
    from qiskit import QuantumCircuit
    from qiskit.qasm2 import QASM2ParseError

_PLACE = re.compile(r"<input>:(\d+),(\d+): (.*)", re.DOTALL)
_COMMENT = re.compile(r"//[^\n]*")
_VERSION = re.compile(r"OPENQASM\s+([0-9.]+)")
_GAP = r"(?:\s|//[^\n]*\n)"  # comments may stand wherever spaces may
_REGISTER = re.compile(rf"\b[qc]reg{_GAP}+\w+{_GAP}*\[{_GAP}*(\d+)", re.ASCII)
# Python does not read numbers of thousands of digits, and nobody reads those of more than these.
_DIGITS_READ = 20
_INCLUDE = re.compile(r"unable to find '(.*)' in the include search path", re.DOTALL)


def read(data: bytes, name: str) -> QuantumCircuit:
    """Parse ``data`` as OpenQASM 2; called as the stem of ``name``. Raises ``CircuitRefused``."""
    from qiskit import qasm2
    from qiskit.exceptions import QiskitError

    text = decoded_text(data, name, language="OpenQASM 2")
    _check_registers(text, name)
    try:
        circuit = qasm2.loads(text, include_path=(), custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)
    except qasm2.QASM2ParseError as error:
        raise _refusal(error, text, name) from None
    except RecursionError:
        raise CircuitRefused(f"{name} is nested too deeply to be read; write it flatter") from None
    except (ArithmeticError, MemoryError) as error:
        # Python's own words, about a register or a number of the program.
        raise _given_up(name) from error
    except (QiskitError, ValueError) as error:
        fact = as_clause(getattr(error, "message", None) or str(error)) or "the parser gives no cause"
        raise CircuitRefused(f"{name} cannot be read: {fact}; correct it and submit again") from error
    except BaseException as error:
        # A panic in Qiskit's Rust parser is a BaseException only; a register of 2^64 qubits makes one.
        if type(error).__name__ != "PanicException":
            raise
        raise _given_up(name) from None
    circuit.name = PurePath(name).stem or name
    return circuit


def _check_registers(text: str, name: str) -> None:
    """Refuse registers that would only exhaust the memory; the parser makes each bit as it reads them."""
    # Few texts have so many, and in some of these it is in a comment.
    if _bits_of(text) > REGISTER_LIMIT and (bits := _bits_of(_COMMENT.sub("", text))) > REGISTER_LIMIT:
        raise CircuitRefused(f"{name} declares registers of {bits} bits{too_large('bits')}")


def _bits_of(text: str) -> int:
    return sum(int(digits[:_DIGITS_READ]) for digits in _REGISTER.findall(text))


def _given_up(name: str) -> CircuitRefused:
    return CircuitRefused(f"{name} cannot be read: the parser gave up; look for a number that is too large")


def _refusal(error: QASM2ParseError, text: str, name: str) -> CircuitRefused:
    """Word a parse error; the parser counts lines from 1 and columns from 0, we count both from 1."""
    message = str(error.message)
    place = _PLACE.match(message)
    line, column = (int(place[1]), int(place[2]) + 1) if place else (None, None)
    fact = as_clause(place[3] if place else message)
    where = f" at line {line}, column {column}" if place else ""
    version = _VERSION.match(_COMMENT.sub("", text).lstrip())
    if version is None:
        sentence = f"{name} is not OpenQASM 2{where}: {fact}; a program begins with 'OPENQASM 2.0;'"
    elif not version[1].startswith("2"):
        sentence = f"{name} is OpenQASM {version[1]}, not OpenQASM 2; give no format, or the right one"
    elif included := _INCLUDE.match(fact):
        sentence = (
            f"{name} includes {included[1]!r}{where}, and only 'qelib1.inc' can be included; "
            "copy the definitions into the file"
        )
    elif fact.endswith("is not defined in this scope"):
        sentence = f"{name} cannot be read{where}: {fact}; define it, or correct its name"
    else:
        sentence = f"{name} cannot be read{where}: {fact}; correct it and submit again"
    return CircuitRefused(sentence, line=line, column=column)
