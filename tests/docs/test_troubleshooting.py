"""The messages in the troubleshooting are in the source, every code of an error has one, and many are provoked."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from aerjob_cli import errors
from aerjob_cli.api import backend_errors, job_errors
from aerjob_cli.errors import AerjobError
from aerjob_cli.states import Reason
from tests.docs.conftest import Environment, environment_on
from tests.docs.markdown import ROOT, text_of
from tests.docs.test_tables import own_errors
from tests.support.circuits import BELL
from tests.support.command_line import CommandLine, end_workers

TROUBLESHOOTING = "docs/troubleshooting.md"
# The root of all errors is never raised itself.
ELSEWHERE = {AerjobError.code}
# What the parser of the command line says, which is not ours.
FOREIGN = {"No such command …"}
# Shorter pieces are in any source.
_TELLING = 5

Entry = tuple[str, str]


def entries() -> list[Entry]:
    """Give the messages with their codes, those without a code included."""
    return _rows(text_of(TROUBLESHOOTING), "message | code |")


def _rows(text: str, heading: str) -> list[Entry]:
    found = []
    for table in re.findall(rf"^\| {re.escape(heading)} .*\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE):
        for row in table.splitlines():
            first, second, _ = (cell.strip() for cell in row.strip("|").split("|"))
            found.append((first.strip("`"), second))
    return found


@cache
def sentences() -> tuple[str, ...]:
    """Give all texts of the source, with ``…`` for what is filled in."""
    return tuple(
        text for path in sorted((ROOT / "aerjob_cli").rglob("*.py")) for text in _texts(ast.parse(path.read_text()))
    )


def _texts(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield re.sub(r"%[ds]|\{\w+\}", "…", node.value)


def pieces(message: str) -> list[str]:
    """Give the parts of a message that are the same each time and say something."""
    found = [piece.strip(" ;,:()'") for piece in message.split("…")]
    return [piece for piece in found if len(piece) >= _TELLING]


def test_there_are_entries() -> None:
    assert len(entries()) > 80
    assert all(pieces(message) for message, _ in entries())


@pytest.mark.parametrize("message", [message for message, _ in entries() if message not in FOREIGN])
def test_a_message_is_in_the_source(message: str) -> None:
    missing = [piece for piece in pieces(message) if not any(piece in sentence for sentence in sentences())]
    assert missing == []


def test_every_code_of_an_error_has_an_entry() -> None:
    documented = {code for _, code in entries() if code}
    in_python = {
        error.code
        for module in (job_errors, backend_errors)
        for error in vars(module).values()
        if isinstance(error, type) and issubclass(error, AerjobError)
    }
    assert documented == ({error.code for error in own_errors()} | in_python) - ELSEWHERE


def test_every_reason_has_an_entry() -> None:
    assert [reason for reason, _ in _rows(text_of(TROUBLESHOOTING), "reason | what it means |")] == [
        str(reason) for reason in Reason
    ]


def test_no_message_is_there_twice() -> None:
    messages = [message for message, _ in entries()]
    assert len(messages) == len(set(messages))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with files that are wrong in one way each, and a store."""
    folder = tmp_path_factory.mktemp("trouble")
    for name, content in FILES.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / "open").mkdir()
    (folder / "open").chmod(0o777)
    yield folder
    end_workers(folder / "home")


HEAD_2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\n'
HEAD_3 = 'OPENQASM 3.0;\ninclude "stdgates.inc";\n'
FILES: dict[str, str | bytes] = {
    "bell.qasm": BELL,
    "empty.qasm": "",
    "latin.qasm": b"OPENQASM 2.0;\n// caf\xe9\n",
    "index.qasm": f"{HEAD_2}qreg q[1];\nx q[3];\n",
    "gate.qasm": f"{HEAD_2}qreg q[1];\nfoo q[0];\n",
    "gate3.qasm": f"{HEAD_3}qubit q;\nfoo q;\n",
    "include.qasm": 'OPENQASM 2.0;\ninclude "/etc/passwd";\n',
    "input.qasm": f"{HEAD_3}input int theta;\nqubit q;\n",
    "extern.qasm": f"{HEAD_3}qubit q;\nextern f(int) -> int;\n",
    "three.qasm": f"{HEAD_3}qubit q;\n",
    "huge.qasm": f"{HEAD_3}qubit[99999999999] q;\n",
    "nan.qasm": f"{HEAD_2}qreg q[1];\ncreg c[1];\nrx(0.0/0.0) q[0];\nmeasure q -> c;\n",
    "quiet.qasm": f"{HEAD_2}qreg q[1];\nx q[0];\n",
    "wide.qasm": f"{HEAD_2}qreg q[60];\ncreg c[60];\n"
    + "".join(f"h q[{qubit}];\nt q[{qubit}];\n" for qubit in range(60))
    + "".join(f"cx q[{one}],q[{other}];\n" for one, other in pairwise(range(60)))
    + "measure q -> c;\n",
    "cut.qpy": b"QISKIT\x0d" + bytes(10),
    "old.qpy": b"QISKIT\x05" + bytes(20),
    "late.qpy": b"QISKIT\xf0" + bytes(20),
    "file": "not a folder",
    "taken.csv": "mine",
}
# A command each, and the code of its error.
PROVOKED = [
    ("aerjob submit none.qasm", "input_refused"),
    ("aerjob submit empty.qasm", "input_refused"),
    ("aerjob submit .", "input_refused"),
    ("aerjob submit - -", "usage"),
    ("aerjob submit latin.qasm", "circuit_refused"),
    ("aerjob submit index.qasm", "circuit_refused"),
    ("aerjob submit gate.qasm", "circuit_refused"),
    ("aerjob submit gate3.qasm", "circuit_refused"),
    ("aerjob submit include.qasm", "circuit_refused"),
    ("aerjob submit input.qasm", "circuit_refused"),
    ("aerjob submit extern.qasm", "circuit_refused"),
    ("aerjob submit huge.qasm", "circuit_refused"),
    ("aerjob submit --format openqasm2 three.qasm", "circuit_refused"),
    ("aerjob submit --format openqasm3 bell.qasm", "circuit_refused"),
    ("aerjob submit --format openqasm2 file", "circuit_refused"),
    ("aerjob submit --format qpy bell.qasm", "circuit_refused"),
    ("aerjob submit cut.qpy", "circuit_refused"),
    ("aerjob submit old.qpy", "circuit_refused"),
    ("aerjob submit late.qpy", "circuit_refused"),
    ("aerjob submit nan.qasm", "circuit_refused"),
    ("aerjob submit quiet.qasm", "circuit_refused"),
    ("aerjob submit wide.qasm --method statevector", "circuit_refused"),
    ("aerjob submit bell.qasm index.qasm", "circuit_refused"),
    ("aerjob submit bell.qasm --backend ibmq", "unknown_backend"),
    ("aerjob submit bell.qasm --option colour=red", "input_refused"),
    ("aerjob submit bell.qasm --option fusion_enable=red", "input_refused"),
    ("aerjob submit bell.qasm --option max_parallel_threads=4", "input_refused"),
    ("aerjob submit bell.qasm --option fusion_enable", "usage"),
    ("aerjob submit bell.qasm --option fusion_enable=true --option fusion_enable=true", "usage"),
    ("aerjob submit bell.qasm --option shots=7", "usage"),
    ("aerjob submit bell.qasm --shots 0", "input_refused"),
    ("aerjob submit bell.qasm --noise thermal", "usage"),
    ("aerjob submit bell.qasm --like generic-1", "input_refused"),
    ("aerjob submit bell.qasm --sweep theta=0:1", "usage"),
    ("aerjob submit bell.qasm --bind theta=1", "circuit_refused"),
    ("aerjob plot $(cat id) --outcome 00 -o new.png", "usage"),
    ("aerjob submit bell.qasm --name $(printf %01001d 7)", "input_refused"),
    ("aerjob submit bell.qasm bell.qasm --idempotency-key k", "usage"),
    ("aerjob submit bell.qasm --idempotency-key a > /dev/null; aerjob submit bell.qasm --shots 7 --idempotency-key a",
     "idempotency_conflict"),
    ("aerjob submitt bell.qasm", "usage"),
    ("aerjob wait last --timeout soon", "invalid_duration"),
    ("aerjob submit bell.qasm --max-memory much", "invalid_size"),
    ("aerjob list --since once", "invalid_time"),
    ("aerjob status 00000000", "job_not_found"),
    ("aerjob cancel --tag nobody", "nothing_matched"),
    ("aerjob cancel", "usage"),
    ("aerjob result $(cat id) --experiment 7", "no_such_experiment"),
    ("aerjob plot $(cat id) --array state -o new.png", "no_array"),
    ("aerjob plot $(cat id) -o new.gif", "usage"),
    ("aerjob result $(cat id) --format csv -o taken.csv", "output_exists"),
    ("aerjob result $(cat id) --format csv -o nowhere/new.csv", "output_unwritable"),
    ("AERJOB_OUTPUT=xml aerjob list --json", "usage"),
    ("AERJOB_SHOTS=many aerjob submit bell.qasm", "usage"),
    ("AERJOB_HOME=file aerjob list", "store_unusable"),
    ("AERJOB_HOME=$PWD/open aerjob list; chmod 777 open; AERJOB_HOME=$PWD/open aerjob list", "store_foreign"),
    ("aerjob store backup .", "backup_misplaced"),
]  # fmt: skip


@pytest.fixture(scope="module")
def environment(place: Path, programs: Path) -> Environment:
    """The environment of all commands; the file ``id`` names a job that is DONE."""
    aerjob = CommandLine(place / "home", place)
    done = aerjob("submit", "--wait", "bell.qasm")
    assert done.returncode == 0, done
    (place / "id").write_text(done.stdout)
    return {**environment_on(aerjob, programs), "AERJOB_OUTPUT": "json"}


@pytest.mark.parametrize(("command", "code"), PROVOKED)
def test_a_provoked_error_has_its_entry(command: str, code: str, place: Path, environment: Environment) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=place,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    error = json.loads(done.stdout.splitlines()[-1])["error"]
    assert error["code"] == code, error
    assert [message for message, its in entries() if its == code and told_by(message)(error["message"])], error


def told_by(message: str) -> Callable[[str], re.Match[str] | None]:
    """Give what finds a documented message in a real one; a fact about the store stands after its name."""
    pattern = ".*".join(re.escape(piece) for piece in message.split("…"))
    return re.compile(pattern, re.DOTALL).search


def test_the_codes_exist() -> None:
    known = {
        error.code for error in vars(errors).values() if isinstance(error, type) and issubclass(error, AerjobError)
    }
    assert {code for _, code in PROVOKED} <= known
