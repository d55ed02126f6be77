"""Inside an executor: receive jobs, decode their circuits, run them in chunks, send what each chunk gave.

How the process came to be, its limits and its death are the template's business. There is no store here:
results go over the connection, and large ones as files into a folder that the worker names.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from socket import socket
from typing import Any

from qiskit.exceptions import QiskitError

from aerjob_cli.codec.circuits import preload_readers
from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.program_text import as_clause
from aerjob_cli.engines import aer
from aerjob_cli.engines.base import ExperimentRun, SimulationFailed
from aerjob_cli.errors import CircuitRefused
from aerjob_cli.executors import messages
from aerjob_cli.executors.grants import Permits
from aerjob_cli.executors.inbox import Inbox
from aerjob_cli.executors.letter import Letter, end_of, told
from aerjob_cli.executors.messages import Message, MessageError
from aerjob_cli.executors.peak_memory import PeakMemory
from aerjob_cli.executors.runtime import runtime_facts
from aerjob_cli.executors.shared_calls import SharedCalls
from aerjob_cli.executors.tasks import engine_for, is_of_the_job, program_in
from aerjob_cli.processes import rss_bytes
from aerjob_cli.states import Reason

_MEMORY = PeakMemory()


class ResultNotWritten(Exception):
    """The system did not let a result be written: a full disk, an exhausted quota."""


class WorkerGone(Exception):
    """The other end of the connection no longer takes what is sent."""


def preload() -> None:
    """Import and build what most jobs need, before a template forks; no circuit runs, no thread starts."""
    preload_readers()
    aer.preload()
    runtime_facts()
    import_module("aerjob_cli.engines.primitives")


def serve(connection: socket, permits: Permits) -> None:
    """Answer messages until the worker closes the connection, or a run has failed: then another executor goes on.

    A job's failure is an answer; ``KeyboardInterrupt``, ``SystemExit`` and a message that is none end this.
    """
    try:
        _send(connection, {"kind": "ready", "rss_bytes": rss_bytes(os.getpid()), "runtime": runtime_facts()})
        calls = SharedCalls(_MEMORY)
        for begun in Inbox(connection, permits, may_share=calls.take).tasks():
            if calls.have(begun) and _run_together(connection, calls, begun):
                continue
            if not all(_answer(connection, message) for message in begun):
                return
    except (WorkerGone, ConnectionError):
        return


def _answer(connection: socket, message: Message) -> bool:
    """Do what a message asks for, and answer; return whether this process is as good as before."""
    task = {"validate": _validate, "run": _run}.get(message.kind)
    ticket = message.header.get("ticket")
    if task is None or ticket is None:
        raise MessageError(f"the worker sent {message.kind!r} with ticket {ticket!r}")
    try:
        task(connection, message, ticket)
        return True
    except WorkerGone:
        raise
    except CircuitRefused as error:
        failure = _failed(ticket, Reason.INVALID_CIRCUIT, error.message, error.line, error.column)
    except SimulationFailed as error:
        failure = _failed(ticket, error.reason, error.message)
    except ResultNotWritten as error:
        failure = {"kind": "not_stored", "ticket": ticket, "message": str(error)}
    except MemoryError as error:
        traceback.print_exc(file=sys.stderr)
        failure = _failed(ticket, Reason.OUT_OF_MEMORY, f"the simulation ran out of memory ({error})")
    except BaseException as error:
        if not is_of_the_job(error):
            raise
        failure = _unexpected(ticket, error)
    _send(connection, failure)
    return task is _validate


def _run_together(connection: socket, calls: SharedCalls, begun: Sequence[Message]) -> bool:
    """Run jobs that share a call, and answer all; return False, with nothing said, where each is to run for itself."""
    try:
        answers = calls.answers(begun)
    except BaseException as error:
        if not is_of_the_job(error):
            raise
        # Whose failure it is will be seen.
        return False
    _send_bytes(connection, answers)
    return True


def _validate(connection: socket, message: Message, ticket: Any) -> None:
    began = time.perf_counter()
    spec = JobSpec(**message.header["job"])
    engine = engine_for(spec)
    try:
        plan = engine.check(program_in(message), spec)
    except CircuitRefused:
        raise
    except MemoryError as error:
        raise CircuitRefused("the circuits need more memory to be checked than there is; make them smaller") from error
    except BaseException as error:
        if not is_of_the_job(error):
            raise
        # What a parser let through and a check stumbles over. The traceback is for who looks into it.
        traceback.print_exc(file=sys.stderr)
        # Anything but Qiskit's own errors talks of Python's functions and types.
        fact = f" ({as_clause(error.message)})" if isinstance(error, QiskitError) else ""
        raise CircuitRefused(f"the circuits cannot be checked{fact}; correct them, or write them otherwise") from None
    _send(
        connection,
        {
            "kind": "accepted",
            "ticket": ticket,
            "took_s": time.perf_counter() - began,
            "experiments_total": plan.experiments_total,
            "threads": plan.threads,
            "estimated_bytes": plan.estimated_bytes,
        },
    )


def _run(connection: socket, message: Message, ticket: Any) -> None:
    began = time.perf_counter()
    spec = JobSpec(**message.header["job"])
    incoming = Path(message.header["incoming"])
    program = program_in(message)
    engine = engine_for(spec)
    missing = _missing(message, program.experiments_total)
    awaited = sum(stop - start for start, stop in missing)
    if not awaited:
        _send(connection, {"kind": "done", "ticket": ticket, **end_of(engine, time.perf_counter() - began)})
    _MEMORY.begin()
    for runs in engine.run(program, spec, missing):
        awaited -= len(runs)
        end = None if awaited else end_of(engine, time.perf_counter() - began)
        peak_rss_bytes = _MEMORY.end()
        if not awaited:
            _MEMORY.begin()  # now, while nobody waits for this process yet
        _send_chunk(connection, ticket, runs, incoming, peak_rss_bytes, end)
        del runs  # final states: those of the next circuits need the room
        if awaited:
            _MEMORY.begin()


def _missing(message: Message, total: int) -> list[tuple[int, int]]:
    ranges = [(int(start), int(stop)) for start, stop in message.header["missing"]]
    for start, stop in ranges:
        if not 0 <= start <= stop <= total:
            raise ValueError(f"experiments {start} to {stop} were asked for, the job has {total}")
    return ranges


def _send_chunk(
    connection: socket,
    ticket: Any,
    runs: Sequence[ExperimentRun],
    incoming: Path,
    peak_rss_bytes: int | None,
    end: dict[str, Any] | None,
) -> None:
    letter = Letter(incoming, peak_rss_bytes=peak_rss_bytes)
    try:
        for run in runs:
            _add(letter, run)
            if letter.is_full:
                _send_bytes(connection, told(ticket, letter))
                letter = Letter(incoming, peak_rss_bytes=peak_rss_bytes)
    except BaseException:
        # Also the good results before one that cannot be stored.
        _send_bytes(connection, told(ticket, letter))
        raise
    _send_bytes(connection, told(ticket, letter, end))


def _add(letter: Letter, run: ExperimentRun) -> None:
    try:
        letter.add(run)
    except OSError as error:
        raise ResultNotWritten(error.strerror or str(error)) from error


def _unexpected(ticket: Any, error: BaseException) -> dict[str, Any]:
    traceback.print_exception(error, file=sys.stderr)
    fact = str(error) or type(error).__name__
    return _failed(ticket, Reason.SIMULATION_FAILED, f"the job failed: {fact}")


def _failed(
    ticket: Any, reason: Reason, text: str, line: int | None = None, column: int | None = None
) -> dict[str, Any]:
    return {
        "kind": "failed",
        "ticket": ticket,
        "reason": str(reason),
        "message": " ".join(text.split()),
        "line": line,
        "column": column,
    }


def _send(connection: socket, header: dict[str, Any]) -> None:
    _send_bytes(connection, messages.encode(header))


def _send_bytes(connection: socket, data: bytes) -> None:
    try:
        connection.sendall(data)
    except OSError as error:
        raise WorkerGone(str(error)) from error
