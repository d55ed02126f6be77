"""OpenQASM 3: what is read, every refusal with its place and its remedy, and no file and no terminal touched."""

from __future__ import annotations

import pytest
from qiskit import QuantumCircuit, qasm3
from qiskit.quantum_info import Operator

from aerjob_cli.codec.circuits import decode_circuits
from aerjob_cli.codec.envelope import OPENQASM3
from aerjob_cli.codec.formats import sniff_format
from aerjob_cli.errors import CircuitRefused

HEAD = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
BELL = HEAD + "qubit[2] q;\nbit[2] c;\nh q[0];\ncx q[0], q[1];\nc = measure q;\n"


def read(text: str, name: str = "bell.qasm") -> QuantumCircuit:
    (circuit,) = decode_circuits(OPENQASM3, text.encode(), name)
    return circuit


def refusal(text: str | bytes, name: str = "bell.qasm") -> CircuitRefused:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(CircuitRefused) as caught:
        decode_circuits(OPENQASM3, data, name)
    assert name in caught.value.message
    assert caught.value.message.isprintable(), "one line, and nothing that moves a cursor"
    return caught.value


def test_a_circuit_is_called_by_the_stem_of_its_file() -> None:
    circuit = read(BELL, "some/folder/my.bell.qasm")
    assert circuit.name == "my.bell"
    assert dict(circuit.count_ops()) == {"h": 1, "cx": 1, "measure": 2}


def test_the_program_is_told_by_its_first_words() -> None:
    assert sniff_format(BELL.encode()) == OPENQASM3
    assert sniff_format(b"\xef\xbb\xbf// OPENQASM 2.0;\n/* x */ OPENQASM 3;") == OPENQASM3


def test_it_is_read_as_qiskit_reads_it() -> None:
    text = HEAD + (
        "gate twice(t) a, b { rx(t) a; ctrl @ ry(2 * t) a, b; }\n"
        "qubit[3] q;\nbit[2] c;\ntwice(pi / 8) q[0], q[1];\ninv @ s q[2];\npow(2) @ t q[0];\n"
        "c[0] = measure q[0];\nif (c[0]) { x q[1]; } else { z q[2]; }\nfor int i in [0:2] { h q[0]; }\nreset q[1];\n"
    )
    circuit = read(text)
    theirs = qasm3.loads(text)
    theirs.name = circuit.name
    assert circuit == theirs


def test_a_byte_order_mark_and_a_missing_version_are_no_faults() -> None:
    assert read("\ufeff" + BELL).num_qubits == 2
    assert read(BELL.partition("\n")[2]).num_qubits == 2


def test_physical_qubits_are_qubits() -> None:
    circuit = read(HEAD + "h $2;\n")
    assert circuit.num_qubits == 3
    assert Operator(circuit).equiv(Operator.from_label("HII"))


def test_a_price_in_a_comment_is_no_physical_qubit() -> None:
    assert read(HEAD + "h $2; // it cost $99999999\n/* $99999999 */").num_qubits == 3


def test_inputs_that_are_floats_or_angles_are_parameters() -> None:
    circuit = read(HEAD + "input float[64] theta;\ninput angle phi;\nqubit q;\nrx(2 * theta) q;\nrz(phi) q;")
    assert sorted(parameter.name for parameter in circuit.parameters) == ["phi", "theta"]


@pytest.mark.parametrize(
    ("text", "line", "column", "fact"),
    [
        ("OPENQASM 3.0;\nqubit q;\n  foo q;", 3, 3, "gate 'foo' is not defined; define it, or include"),
        (HEAD + "qubit q;\n x r;", 4, 4, "Undefined symbol 'r'"),
        (HEAD + "x r[0];", 3, 3, "Undefined symbol 'r'"),
        (HEAD + "qubit q;\n  cx q, r[0];" + " " * 60, 4, 9, "Undefined symbol 'r'"),
        (HEAD + "qubit q;\n x q q;", 4, 6, "unexpected 'q'"),
        (HEAD + "qubit q", 3, 8, "unexpected end of the file"),
        (HEAD + "qubit[2] q;\n x q[5];", 4, 4, "index out of range"),
        (HEAD + "qubit[2] q;\ncx q[0],q[0];", 4, 1, "duplicate bit arguments"),
        (HEAD + "qubit[2] q;\nrx(1/0) q[0];", 4, 4, "division"),
        (HEAD + "qubit[2] q;\n x \x1b[31m q[0];", 4, 4, "token recognition error at: '\\x1b'"),
        ('OPENQASM 3.0;\ninclude "other.inc";', 2, 1, "only 'stdgates.inc' can be included"),
        ('OPENQASM 3.0;\ninclude "/etc/passwd";', 2, 1, "includes '/etc/passwd' at"),
        (HEAD + "qubit q;\ninput int t;\nrx(t) q;", 4, 1, "has the input 't' at line 4, column 1, which is neither a"),
        (HEAD + "int[32] n = 3;", 3, 1, "declarations of type 'int' are not supported"),
        (HEAD + "def f(qubit q) { }\nqubit q;", 3, 1, "statements of the kind SubroutineDefinition are not supported"),
        (HEAD + "qubit[4294967296] q;", 3, 1, "declares a register of 4294967296"),
        (HEAD + "bit[99999999999999999999] c;", 3, 1, "declares a register of 99999999999999999999"),
        (HEAD + "qubit[1000*1000*3] q;", 3, 1, "at line 3, column 1 whose size is to be computed"),
        (HEAD + "bit[2*3] c;", 3, 1, "write the number"),
        ('{"qubits": 2}', 1, 2, "token recognition error"),
    ],
)
def test_a_refusal_names_line_and_column_from_one(text: str, line: int, column: int, fact: str) -> None:
    error = refusal(text)
    assert fact in error.message
    assert (error.line, error.column) == (line, column)
    assert f"line {line}, column {column}" in error.message


def test_the_place_is_that_of_the_text_itself() -> None:
    text = HEAD + "qubit q;\n\t  foo q;"
    error = refusal(text)
    assert error.line is not None
    assert error.column is not None
    assert text.split("\n")[error.line - 1][error.column - 1 :].startswith("foo")


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("", "is empty; write an OpenQASM 3 program"),
        (" \n\t", "is empty"),
        ("OPENQASM 3.0;", "no qubits"),
        (HEAD + "bit[2] c;", "no qubits"),
        ("OPENQASM 2.0;\nqreg q[1];", "is OpenQASM 2.0, not OpenQASM 3"),
        ("// c\nOPENQASM 4;\nqubit q;", "is OpenQASM 4, not OpenQASM 3"),
        (HEAD + "qubit q;\nrx(" + "(" * 2000 + "1" + ")" * 2000 + ") q;", "nested too deeply"),
        (HEAD + "qubit q;\nbit c;\n" + "if (c) {" * 300 + "x q;" + "}" * 300, "nested too deeply"),
        (HEAD + "h $99999999999999999999;", "physical qubit"),
        (HEAD + "qubit[600000] a; bit[600000] b;", "has 1200000 bits, and"),
        (HEAD + "h $1000001;", "physical qubit"),
        (HEAD + "if (true) { h $1000001; }", "physical qubit"),
    ],
)
def test_what_holds_no_circuit_that_could_be_read_is_refused(text: str, fact: str) -> None:
    assert fact in refusal(text).message


def test_bytes_that_are_not_utf8_are_refused_with_their_place() -> None:
    error = refusal(b"OPENQASM 3.0;\n// \xff\n")
    assert "UTF-8" in error.message
    assert (error.line, error.column) == (2, 4)


@pytest.mark.parametrize("text", [HEAD + "qubit \x1b[31m;", HEAD + "qubit[2 q;", HEAD + '"\x07'])
def test_the_parser_says_nothing_on_its_own(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    refusal(text)
    assert capfd.readouterr() == ("", "")


def test_the_parsers_own_voice_is_given_back_to_others(capfd: pytest.CaptureFixture[str]) -> None:
    refusal(HEAD + "\x07")
    with pytest.raises(Exception, match="token recognition"):
        qasm3.loads(HEAD + "\x07")
    assert "token recognition error" in capfd.readouterr().err


def test_a_message_that_repeats_the_file_is_cut() -> None:
    message = refusal(HEAD + 'include "stdgates' + "(" * 5000 + ";\n").message
    assert "token recognition error" in message
    assert message.endswith("; correct it and submit again")
    assert len(message) < 600
