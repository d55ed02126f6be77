"""The path of bytes that a stranger brought: a real pool, a real executor, asked about one file after the other."""

from __future__ import annotations

import re
import selectors
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from aerjob_cli.codec import envelope
from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.executors.local import LocalPool
from aerjob_cli.executors.messages import Source
from aerjob_cli.executors.pool import Ended, Executor, Said, Started
from aerjob_cli.executors.scratch import Scratch
from aerjob_cli.processes import rss_bytes, signal_name
from tests.support.running import DEADLINE_S, cpu_s

# What the executor may take for one file, before it is killed as the worker would kill it later.
_CPU_LIMIT_S = 1.5
_RSS_LIMIT_BYTES = 1 << 30
_LOOK_EVERY_S = 0.1

ACCEPTED, REFUSED = "accepted", "refused"

# What Python says of itself, and no person wants to read.
_OF_PYTHON = re.compile(
    r"Traceback|<class|<lambda>|<[\w.]+ object| at 0x[0-9a-f]{6}|\b\w+(?:Error|Exception|Warning)\b|\berrno\b|__\w+__"
    r"|positional argument|has no attribute|unsupported operand|NoneType|not subscriptable|::unwrap"
)


@dataclass(frozen=True)
class Verdict:
    """What became of one file: ``accepted``, ``refused``, or how the executor died or was killed for it."""

    outcome: str
    message: str = ""


class Validator:
    """An executor that is asked to validate, and replaced when it is lost."""

    def __init__(self, pool: LocalPool) -> None:
        self._pool = pool
        self._selector = selectors.DefaultSelector()
        self._executor: Executor | None = None
        self._asked = 0
        pool.attach(self._selector)
        pool.start()
        self._await(Started)

    def ask(self, format: str, data: bytes) -> Verdict:
        """Have a file validated."""
        if self._executor is None:
            self._executor = self._pool.fork()
            self._await(Said)  # that it is ready
        self._asked += 1
        ticket = f"t-{self._asked}"
        source = Source(format, envelope.sha256_hex(data), len(data), "file", offset=0)
        header = {"kind": "validate", "ticket": ticket, "job": asdict(_SPEC), "sources": [source]}
        cpu_before_s = self._cpu_s()
        self._pool.send(self._executor, header, [data])
        self._pool.push()
        return self._verdict(ticket, cpu_before_s)

    def _verdict(self, ticket: str, cpu_before_s: float) -> Verdict:
        ending = None
        deadline_s = time.monotonic() + DEADLINE_S
        while True:
            for event in self._turn():
                if isinstance(event, Said):
                    header = event.message.header
                    assert header["ticket"] == ticket, header
                    if header["kind"] == "accepted":
                        assert header["experiments_total"] >= 1, header
                        return Verdict(ACCEPTED)
                    assert (header["kind"], header["reason"]) == ("failed", "INVALID_CIRCUIT"), header
                    return Verdict(REFUSED, header["message"])
                if isinstance(event, Ended):
                    self._executor = None
                    return Verdict(ending or _death_of(event))
            if self._executor is not None and ending is None:
                if self._cpu_s() - cpu_before_s > _CPU_LIMIT_S:
                    ending = "killed for its time"
                elif (rss_bytes(self._executor.pid or 0) or 0) > _RSS_LIMIT_BYTES:
                    ending = "killed for its memory"
                if ending is not None:
                    self._pool.kill(self._executor)
            assert time.monotonic() < deadline_s, "the executor neither answers nor ends"

    def _await(self, kind: type[Started] | type[Said]) -> None:
        deadline_s = time.monotonic() + DEADLINE_S
        while not any(isinstance(event, kind) for event in self._turn()):
            assert time.monotonic() < deadline_s, f"the pool does not tell of {kind.__name__}"

    def _turn(self) -> list[Started | Said | Ended]:
        for key, _ in self._selector.select(_LOOK_EVERY_S):
            key.data()
        return self._pool.poll()

    def _cpu_s(self) -> float:
        pid = None if self._executor is None else self._executor.pid
        return 0.0 if pid is None else cpu_s(pid)


@contextmanager
def validator_in(folder: Path) -> Iterator[Validator]:
    """Start a pool and give its validator; end all of it afterwards."""
    pool = LocalPool(scratch=Scratch(folder, uuid.uuid4().hex))
    try:
        yield Validator(pool)
    finally:
        pool.close()


def is_sentence(message: str) -> bool:
    """Tell whether a refusal is one line for a person: clean, not endless, and not Python's own words."""
    return 0 < len(message) <= 4000 and message.isprintable() and _OF_PYTHON.search(message) is None and ";" in message


def _death_of(event: Ended) -> str:
    code = event.code
    return f"died of {signal_name(-code)}" if code is not None and code < 0 else f"ended with {code} ({event.fault})"


_SPEC = JobSpec(
    job_id="job",
    backend="qasm_simulator",
    method="automatic",
    shots=100,
    seed=5,
    memory=False,
    threads=1,
    max_memory_mb=512,
    options={},
    counts_required=True,
)
