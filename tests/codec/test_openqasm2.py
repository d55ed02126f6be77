"""OpenQASM 2: what is read, and every refusal with its place and its remedy."""

from __future__ import annotations

import gzip

import pytest

from aerjob_cli.codec.circuits import decode_circuits
from aerjob_cli.codec.envelope import OPENQASM2
from aerjob_cli.errors import CircuitRefused

HEAD = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
BELL = HEAD + "qreg q[2];\ncreg c[2];\nh q[0];\ncx q[0],q[1];\nmeasure q->c;\n"


def refusal(text: str | bytes, name: str = "bell.qasm") -> CircuitRefused:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(CircuitRefused) as caught:
        decode_circuits(OPENQASM2, data, name)
    assert name in caught.value.message
    assert "\n" not in caught.value.message
    return caught.value


def test_a_circuit_is_called_by_the_stem_of_its_file() -> None:
    (circuit,) = decode_circuits(OPENQASM2, BELL.encode(), "some/folder/my.bell.qasm")
    assert circuit.name == "my.bell"
    assert dict(circuit.count_ops()) == {"h": 1, "cx": 1, "measure": 2}


def test_a_byte_order_mark_is_no_fault() -> None:
    (circuit,) = decode_circuits(OPENQASM2, b"\xef\xbb\xbf" + BELL.encode(), "bell.qasm")
    assert circuit.num_qubits == 2


@pytest.mark.parametrize(
    "statement",
    [
        "cswap q[0],q[1],q[2];",
        "rzz(0.1) q[0],q[1];",
        "sx q[0];",
        "sxdg q[0];",
        "rxx(0.1) q[0],q[1];",
        "cu(0.1,0.2,0.3,0.4) q[0],q[1];",
        "cu3(0.1,0.2,0.3) q[0],q[1];",
        "rccx q[0],q[1],q[2];",
        "p(0.1) q[0];",
        "u(0.1,0.2,0.3) q[0];",
    ],
)
def test_the_legacy_gates_are_known(statement: str) -> None:
    (circuit,) = decode_circuits(OPENQASM2, f"{HEAD}qreg q[4];\n{statement}".encode(), "legacy.qasm")
    assert list(circuit.count_ops()) == [statement.split("(")[0].split(" ")[0]]


@pytest.mark.parametrize(
    ("text", "line", "column", "fact"),
    [
        ("OPENQASM 2.0;\nqreg q[1];\n  foo q[0];", 3, 3, "'foo' is not defined"),
        (HEAD + "qreg q[3];\n x q[5];", 4, 6, "out-of-range"),
        (HEAD + "qreg q[2];\ncx q[0],q[0];", 4, 1, "duplicate qubits"),
        (HEAD + "qreg q[2];\nrx(1/0) q[0];", 4, 5, "divide by zero"),
        # At the end of the file Qiskit's parser names the start of the last line.
        (HEAD + "qreg q[2]\n", 3, 1, "unexpected end-of-file"),
        ('OPENQASM 2.0;\ninclude "other.inc";', 2, 9, "only 'qelib1.inc' can be included"),
        ('OPENQASM 2.0;\ninclude "/etc/passwd";', 2, 9, "only 'qelib1.inc' can be included"),
        ("hello world", 1, 1, "is not OpenQASM 2"),
        ('{"qubits": 2}', 1, 1, "is not OpenQASM 2"),
        ("OPENQASM 3.0;\nqubit q;", 1, 10, "is OpenQASM 3.0"),
        ("// OPENQASM 2.0;\nOPENQASM 3.0;", 2, 10, "is OpenQASM 3.0"),
    ],
)
def test_a_parse_error_names_line_and_column_from_one(text: str, line: int, column: int, fact: str) -> None:
    error = refusal(text)
    assert fact in error.message
    assert (error.line, error.column) == (line, column)
    assert f"line {line}, column {column}" in error.message or "OpenQASM 3" in error.message


def test_the_place_is_that_of_the_text_itself() -> None:
    text = "OPENQASM 2.0;\nqreg q[1];\n  foo q[0];"
    error = refusal(text)
    assert error.line is not None
    assert error.column is not None
    assert text.split("\n")[error.line - 1][error.column - 1 :].startswith("foo")


def test_bytes_that_are_not_utf8_are_refused_with_their_place() -> None:
    error = refusal(b"OPENQASM 2.0;\n// \xff\n")
    assert "UTF-8" in error.message
    assert (error.line, error.column) == (2, 4)


def test_a_compressed_file_is_called_one() -> None:
    assert "is compressed by gzip; unpack it first" in refusal(gzip.compress(b"OPENQASM 2.0;")).message


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("", "is empty"),
        (" \n\t", "is empty"),
        ("OPENQASM 2.0;", "no qubits"),
        (HEAD + "creg c[2];", "no qubits"),
        ("OPENQASM 2.0;\nqreg q[18446744073709551616];", "too large"),  # a panic of the parser
        ("OPENQASM 2.0;\nqreg q[4294967296];", "too large"),  # a CircuitError
        ("OPENQASM 2.0;\nqreg // of\n q // and\n [ // with\n 1000001];", "registers of 1000001 bits, and"),
    ],
)
def test_what_holds_no_circuit_is_refused(text: str, fact: str) -> None:
    assert fact in refusal(text).message


def test_other_formats_are_refused_by_name() -> None:
    with pytest.raises(CircuitRefused, match="'quil'"):
        decode_circuits("quil", b"H 0", "other.quil")
