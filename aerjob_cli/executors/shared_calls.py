"""Several small jobs in one call of a simulator: which may be in it, and what each of them gets.

Whether a job is small is known only when its circuits have been read. So each is begun and read before the next one
is: of those that are not small, an executor has begun no more than the one that it runs next.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.program import Program
from aerjob_cli.engines.base import Engine, Sharing
from aerjob_cli.executors.letter import Letter, end_of, told
from aerjob_cli.executors.messages import Message
from aerjob_cli.executors.peak_memory import PeakMemory
from aerjob_cli.executors.tasks import engine_for, is_of_the_job, program_in


class SharedCalls:
    """The jobs of the next call, while they are collected and when it is made."""

    def __init__(self, memory: PeakMemory) -> None:
        self._memory = memory
        self._taken: dict[str, tuple[JobSpec, Program, Engine]] = {}
        self._took_s = 0.0

    def take(self, message: Message) -> bool:
        """Read the circuits of a job that was begun, and tell whether it may share a call.

        It may not where they cannot be read: the job is then refused when it is run for itself.
        """
        began = time.perf_counter()
        try:
            spec = JobSpec(**message.header["job"])
            program, engine = program_in(message), engine_for(spec)
            shares = isinstance(engine, Sharing) and engine.shares_calls(program, spec)
        except BaseException as error:
            if not is_of_the_job(error):
                raise
            return False
        if shares:
            self._taken[message.header["ticket"]] = spec, program, engine
        self._took_s += time.perf_counter() - began
        return shares

    def have(self, begun: Sequence[Message]) -> bool:
        """Tell whether jobs were taken."""
        return begun[0].header.get("ticket") in self._taken

    def answers(self, begun: Sequence[Message]) -> bytes:
        """Run jobs that were taken and follow each other, and make the answers to all of them.

        Raises what the engine does; then nothing has been answered, and each is to be run for itself.
        """
        began = time.perf_counter() - self._took_s
        taken = [self._taken[message.header["ticket"]] for message in begun]
        self._taken.clear()
        self._took_s = 0.0
        spec, _, engine = taken[0]
        together = Program([circuit for _, program, _ in taken for circuit in program.circuits])
        self._memory.begin()
        runs = [run for chunk in engine.run(together, spec, [(0, together.experiments_total)]) for run in chunk]
        peak_rss_bytes = self._memory.end()
        took_s = (time.perf_counter() - began) / len(begun)
        frames = []
        start = 0
        for message, (_, program, _) in zip(begun, taken, strict=True):
            letter = Letter(Path(message.header["incoming"]), peak_rss_bytes=peak_rss_bytes)
            for run in runs[start : start + program.experiments_total]:
                letter.add(replace(run, index=run.index - start))
            start += program.experiments_total
            frames.append(told(message.header["ticket"], letter, end_of(engine, took_s)))
        return b"".join(frames)
