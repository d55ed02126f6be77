"""What a message asks an executor for, decoded: the circuits, checked before a parser sees them, and their engine."""

from __future__ import annotations

from pathlib import Path

from aerjob_cli.codec import envelope
from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.program import Program, decode_program
from aerjob_cli.engines.base import Engine, SimulationFailed
from aerjob_cli.engines.registry import engine_of
from aerjob_cli.errors import BackendUnusable, CircuitRefused
from aerjob_cli.executors.messages import Message, Source
from aerjob_cli.plugins.discovery import simulator_of_job
from aerjob_cli.states import Reason
from aerjob_cli.store.objects import read_object


def engine_for(spec: JobSpec) -> Engine:
    """Find the simulator and its engine here, as the client did; what is missing since then ends the job."""
    try:
        return engine_of(simulator_of_job(spec.backend))
    except BackendUnusable as error:
        raise SimulationFailed(Reason.SIMULATION_FAILED, error.message) from error


def program_in(message: Message) -> Program:
    """Decode all payloads of a job, in order; each is checked before a parser sees it."""
    sources = (Source(**fields) for fields in message.header["sources"])
    return decode_program((source.format, _verified(source, message.body), source.name) for source in sources)


def _verified(source: Source, body: bytes) -> bytes:
    try:
        if source.path is not None:
            data = read_object(Path(source.path), source.size_bytes)
        else:
            start = source.offset or 0
            data = body[start : start + source.size_bytes]
        envelope.verify(data, source.sha256)
    except (OSError, envelope.ChecksumMismatch) as error:
        raise CircuitRefused(f"the stored circuits of {source.name} are damaged: {error}; submit them again") from error
    return data


def is_of_the_job(error: BaseException) -> bool:
    """Tell whether an error is only this job's failure; a panic in Qiskit's Rust code is, and is a BaseException."""
    return isinstance(error, Exception) or type(error).__name__ == "PanicException"
