"""An executor in a process of its own, as the worker sees it, and what one says to it."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aerjob_cli.codec import envelope
from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.results import decode_experiment
from aerjob_cli.executors import messages
from aerjob_cli.executors.grants import Grants
from aerjob_cli.executors.messages import Message, Source

PROGRAM = """
import socket, sys
from aerjob_cli.executors.child import serve
from aerjob_cli.executors.grants import Permits
serve(socket.socket(fileno=int(sys.argv[1])), Permits(int(sys.argv[2])))
"""
ANSWER_TIMEOUT_S = 60.0
BELL = b'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\ncreg c[2];\nh q[0];\ncx q[0],q[1];\nmeasure q->c;\n'


class Child:
    """An executor as the worker sees it."""

    def __init__(self, stderr: Path) -> None:
        self.connection, theirs = socket.socketpair()
        self.connection.settimeout(ANSWER_TIMEOUT_S)
        self._stderr = stderr
        self._grants = Grants()
        self._reassembly = messages.Reassembly()
        self._messages: Iterator[Message] = iter(())
        with theirs, stderr.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(theirs.fileno()), str(self._grants.reading)],
                pass_fds=[theirs.fileno(), self._grants.reading],
                stdout=log,
                stderr=log,
            )
        ready = self.answer().header
        assert ready["kind"] == "ready"
        # Python with Qiskit and Aer cannot be smaller than this.
        assert ready["rss_bytes"] > 30_000_000

    def answer(self) -> Message:
        while (message := next(self._messages, None)) is None:
            data = self.connection.recv(1 << 20)
            assert data, "the executor has closed its connection"
            self._reassembly.feed(data)
            self._messages = self._reassembly.messages()
        return message

    def answers(self) -> list[Message]:
        """Read up to the end of a task."""
        answers = [self.answer()]
        while answers[-1].kind == "chunk":
            answers.append(self.answer())
        return answers

    def ask(self, kind: str, spec: JobSpec, sources: list[Source], body: bytes = b"", **fields: Any) -> list[Message]:
        self.send({"kind": kind, "ticket": "t-1", "job": asdict(spec), "sources": sources, **fields}, body)
        answers = self.answers()
        assert {answer.header["ticket"] for answer in answers} == {"t-1"}
        return answers

    def send(self, header: dict[str, Any], body: bytes = b"") -> None:
        """Send a message that the executor may act on."""
        number = self._grants.grant(header["ticket"])
        self.connection.sendall(messages.encode({**header, "number": number}, [body]))

    def log(self) -> str:
        return self._stderr.read_text(encoding="utf-8", errors="replace")

    def end(self) -> int:
        self.connection.close()
        self._grants.close()
        return self.process.wait(timeout=ANSWER_TIMEOUT_S)


def spec(**changes: Any) -> JobSpec:
    fields: dict[str, Any] = {
        "job_id": "job",
        "backend": "qasm_simulator",
        "method": "automatic",
        "shots": 100,
        "seed": 5,
        "memory": False,
        "threads": 1,
        "max_memory_mb": 512,
        "options": {},
        "counts_required": True,
    }
    return JobSpec(**{**fields, **changes})


def source(data: bytes, *, format: str = envelope.OPENQASM2, offset: int = 0, name: str = "bell.qasm") -> Source:
    return Source(format, envelope.sha256_hex(data), len(data), name, offset=offset)


def payload(outcome: dict[str, Any], message: Message) -> bytes:
    if outcome["path"] is not None:
        data = Path(outcome["path"]).read_bytes()
    else:
        data = message.body[outcome["offset"] : outcome["offset"] + outcome["size_bytes"]]
    envelope.verify(data, outcome["sha256"])
    return data


def counts_by_index(answers: list[Message]) -> dict[int, dict[str, int]]:
    assert answers[-1].kind == "done"
    return {
        outcome["index"]: decode_experiment(payload(outcome, message))["data"]["counts"]
        for message in answers
        for outcome in message.header.get("experiments", ())
    }
