"""OpenQASM 3 text to a circuit, and every failure as one sentence.

What can be read is what ``qiskit-qasm3-import`` converts (https://qiskit.github.io/qiskit-qasm3-import/); the
specification is https://openqasm.com. It opens no file: ``include`` finds ``stdgates.inc``, which it knows by heart.
The experimental reader of Qiskit is not used: it opens files, prints them, and crashes on deep nesting.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from aerjob_cli.codec.program_text import REGISTER_LIMIT, as_clause, decoded_text, too_large
from aerjob_cli.errors import CircuitRefused

if TYPE_CHECKING:
    from openqasm3 import ast
    from qiskit import QuantumCircuit

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_VERSION = re.compile(r"OPENQASM\s+([0-9]+(?:\.[0-9]+)?)")
_PHYSICAL_QUBIT = re.compile(r"\$([0-9]+)")
# The parser's messages and the converter's; both count lines from 1 and columns from 0.
_PLACED = re.compile(r"L?(\d+)(?:,|:C)(\d+): (.*)", re.DOTALL)
_UNSUPPORTED = re.compile(r"node of type '?(\w+)'? is not supported")
_UNDEFINED_GATE = re.compile(r"gate '.*' is not defined", re.DOTALL)
_UNDEFINED_SYMBOL = re.compile(r"Undefined symbol '(.*)'", re.DOTALL)
_OWN_PROGRAM = 'OPENQASM 3.0;\ninclude "stdgates.inc";\nqubit[2] q;\nbit[2] c;\nrx(pi / 2) q[0];\nc = measure q;\n'

Place = tuple[int | None, int | None]


def preload() -> None:
    """Import the parser and have it build its tables, on a program of our own."""
    read(_OWN_PROGRAM.encode(), "preload")


def read(data: bytes, name: str) -> QuantumCircuit:
    """Parse ``data`` as OpenQASM 3; called as the stem of ``name``. Raises ``CircuitRefused``."""
    import openqasm3
    import qiskit_qasm3_import

    text = decoded_text(data, name, language="OpenQASM 3")
    _check_version(text, name)
    try:
        with _silenced_parser():
            program = openqasm3.parse(text)
        _check_statements(program, text, name)
        circuit = qiskit_qasm3_import.convert(program)
    except CircuitRefused:
        raise
    except RecursionError:
        raise CircuitRefused(f"{name} is nested too deeply to be read; write it flatter") from None
    except Exception as error:
        raise _refusal(error, name, text) from error
    except BaseException as error:
        # A panic in Qiskit's Rust code is a BaseException only.
        if type(error).__name__ != "PanicException":
            raise
        raise _refusal(error, name, text) from None
    circuit.name = PurePath(name).stem or name
    return circuit


def _check_version(text: str, name: str) -> None:
    version = _VERSION.match(_COMMENT.sub("", text).lstrip())
    # The version may be left out; the reader takes any.
    if version is not None and version[1].partition(".")[0] != "3":
        raise CircuitRefused(f"{name} is OpenQASM {version[1]}, not OpenQASM 3; give no format, or the right one")


def _check_statements(program: ast.Program, text: str, name: str) -> None:
    """Refuse what the converter would refuse without saying what to do, or take and then fail."""
    from openqasm3 import ast

    for statement in program.statements:
        place = _place_of(statement)
        if isinstance(statement, ast.Include) and statement.filename != "stdgates.inc":
            raise _refused(
                f"{name} includes {statement.filename!r}",
                place,
                ", and only 'stdgates.inc' can be included; copy the definitions into the file",
            )
        if (
            isinstance(statement, ast.IODeclaration)
            and statement.io_identifier is ast.IOKeyword.input
            and not isinstance(statement.type, (ast.FloatType, ast.AngleType))
        ):
            raise _refused(
                f"{name} has the input {statement.identifier.name!r}",
                place,
                ", which is neither a float nor an angle; write its value into the file",
            )
        size = getattr(statement, "size", None) or getattr(getattr(statement, "type", None), "size", None)
        if isinstance(size, ast.IntegerLiteral):
            if size.value > REGISTER_LIMIT:
                raise _refused(f"{name} declares a register of {size.value}", place, too_large("bits"))
        elif isinstance(size, ast.Expression) and _is_register(statement):
            raise _refused(
                f"{name} declares a register",
                place,
                " whose size is to be computed, and only a plain number can be read there; write the number",
            )
    # Few texts have such a number, and in most of these it is in a comment.
    if any(map(_is_too_large, _PHYSICAL_QUBIT.findall(text))) and any(map(_is_too_large, _physical_qubits(program))):
        raise CircuitRefused(f"{name} names a physical qubit{too_large('qubits')}")


def _is_register(statement: ast.QASMNode) -> bool:
    from openqasm3 import ast

    return isinstance(statement, ast.QubitDeclaration) or (
        isinstance(statement, ast.ClassicalDeclaration) and isinstance(statement.type, ast.BitType)
    )


def _physical_qubits(program: ast.Program) -> Iterator[str]:
    """Give the numbers of the physical qubits that a program names anywhere."""
    from openqasm3 import ast

    rest: list[Any] = [program]
    while rest:
        part = rest.pop()
        if isinstance(part, ast.Identifier) and (found := _PHYSICAL_QUBIT.fullmatch(part.name)) is not None:
            yield found[1]
        if isinstance(part, ast.QASMNode):
            rest += vars(part).values()
        elif isinstance(part, (list, tuple)):
            rest += part


def _is_too_large(digits: str) -> bool:
    return len(digits) > len(str(REGISTER_LIMIT)) or int(digits) > REGISTER_LIMIT


def _refusal(error: BaseException, name: str, text: str) -> CircuitRefused:
    """Word what the parser or the converter raised."""
    from qiskit.exceptions import QiskitError

    message = str(getattr(error, "message", "") or error)
    placed = _PLACED.match(message)
    if placed is not None:
        place: Place = (int(placed[1]), int(placed[2]) + 1)
        fact = placed[3]
    elif (token := _offending_token(error)) is not None:
        place = (token.line, token.column + 1)
        fact = "unexpected end of the file" if token.type == token.EOF else f"unexpected {token.text!r}"
    else:
        place = _place_in_program(error)
        # Any other error than these talks of Python's functions and types.
        is_about_values = isinstance(error, (QiskitError, IndexError, ValueError, ZeroDivisionError))
        fact = message if is_about_values and message else "this cannot be converted to a circuit"
    unsupported = _UNSUPPORTED.search(fact)
    if unsupported is not None:
        tail = f": statements of the kind {unsupported[1]} are not supported; write it without them"
    elif _UNDEFINED_GATE.match(fact):
        tail = f": {as_clause(fact)}; define it, or include 'stdgates.inc'"
    else:
        tail = f": {as_clause(fact)}; correct it and submit again"
    return _refused(f"{name} cannot be read", _mended(place, fact, text), tail)


def _mended(place: Place, fact: str, text: str) -> Place:
    """Mend the column, or leave it out where it is beyond the line.

    Of a name with an index, as in ``h r[0];``, the parser gives the offset in the text as the column.
    """
    line, column = place
    lines = text.split("\n")
    if line is None or column is None or line > len(lines):
        return place
    start = sum(len(earlier) + 1 for earlier in lines[: line - 1])
    undefined = _UNDEFINED_SYMBOL.match(fact)
    if undefined is not None:
        word = re.compile(rf"(?<!\w){re.escape(undefined[1])}(?!\w)")
        if not word.match(text, start + column - 1) and word.match(text, column - 1):
            column -= start
    return line, column if 1 <= column <= len(lines[line - 1]) + 1 else None


def _refused(head: str, place: Place, tail: str) -> CircuitRefused:
    line, column = place
    where = "" if line is None else f" at line {line}"
    if column is not None:
        where += f", column {column}"
    return CircuitRefused(f"{head}{where}{tail}", line=line, column=column)


def _place_of(node: ast.QASMNode | None) -> Place:
    span = getattr(node, "span", None)
    return (None, None) if span is None else (span.start_line, span.start_column + 1)


def _offending_token(error: BaseException) -> Any:
    """Give the token at which ANTLR gave up, which it says in the cause of its error's cause."""
    cancellation = error.__cause__
    recognition = cancellation.args[0] if cancellation is not None and cancellation.args else None
    return getattr(recognition, "offendingToken", None)


def _place_in_program(error: BaseException) -> Place:
    """Give the place of the innermost part of the program that was being converted when ``error`` was raised."""
    place: Place = (None, None)
    trace = error.__traceback__
    while trace is not None:
        found = _place_of(trace.tb_frame.f_locals.get("node"))
        place = place if found[0] is None else found
        trace = trace.tb_next
    return place


_parser_lock = threading.Lock()


@contextmanager
def _silenced_parser() -> Iterator[None]:
    """Keep ANTLR from writing to stderr what it also raises, raw control characters included."""
    from antlr4.error.ErrorListener import ConsoleErrorListener, ErrorListener

    # Each new lexer and parser takes this listener; there is no other way to one that makes them itself.
    with _parser_lock:
        console = ConsoleErrorListener.INSTANCE
        ConsoleErrorListener.INSTANCE = ErrorListener()
        try:
            yield
        finally:
            ConsoleErrorListener.INSTANCE = console
