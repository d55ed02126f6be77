"""Many small durable jobs through a warm worker: how they are given to it, and how long they take."""

from __future__ import annotations

import random
import time
from typing import Any

from qiskit import QuantumCircuit, qasm2
from sqlalchemy import func, select

from aerjob_cli.api.requests import CircuitBytes, Request
from aerjob_cli.store import events, jobs
from aerjob_cli.store.connections import raw_connection
from aerjob_cli.store.records import EventRecord
from aerjob_cli.store.tables import experiments
from benchmarks.circuits import SHOTS, two_qubit_texts
from benchmarks.family_meter import FamilyMeter, FamilySpent
from benchmarks.site import Site, until

_WARM_UP = 40
_LOOK_EVERY_S = 0.005


class DurableJobs:
    """A warm worker, and the ways to give it jobs."""

    def __init__(self, site: Site, *, warm_up: int = _WARM_UP) -> None:
        self.site = site
        self.backend = site.provider.get_backend("qasm_simulator")
        # Every slot has had some, and the validator too.
        self.texts_s(two_qubit_texts(warm_up, random.Random(-1)))
        self.queued(two_qubit_texts(warm_up, random.Random(-2)))

    def queued(self, texts: list[str]) -> tuple[float, FamilySpent]:
        """Queue circuits while the worker is stopped; give the time and the CPU they take from when it goes on."""
        circuits = circuits_of(texts)
        with self.site.held_worker():
            submitted = self.backend.run_many(circuits, shots=SHOTS)
            meter = FamilyMeter(self.site)
            began_s = time.perf_counter()
        self.await_ends()
        seconds, spent = time.perf_counter() - began_s, meter.read()
        self.require_done([job.job_id() for job in submitted])
        return seconds, spent

    def submitted_s(self, texts: list[str]) -> float:
        """Give how long circuits take from before they are submitted."""
        circuits = circuits_of(texts)
        began_s = time.perf_counter()
        submitted = self.backend.run_many(circuits, shots=SHOTS)
        self.await_ends()
        seconds = time.perf_counter() - began_s
        self.require_done([job.job_id() for job in submitted])
        return seconds

    def texts_s(self, texts: list[str]) -> float:
        """Give how long OpenQASM texts take from before they are submitted, their validation included."""
        requests = [
            Request(
                circuits=(CircuitBytes("circuit", "openqasm2", text.encode()),), backend="qasm_simulator", shots=SHOTS
            )
            for text in texts
        ]
        began_s = time.perf_counter()
        records = self.site.client.submit(requests)
        self.await_ends()
        seconds = time.perf_counter() - began_s
        self.require_done([record.job_id for record in records])
        return seconds

    def await_ends(self) -> None:
        """Wait until no job is pending, in a way that costs next to nothing."""
        connection = raw_connection(self.site.store.paths.database, busy_timeout_s=10)
        seen: list[Any] = [None]

        def all_ended() -> bool | None:
            version = connection.execute("PRAGMA data_version").fetchone()
            if version == seen[0]:
                return None
            seen[0] = version
            return connection.execute("SELECT 1 FROM jobs WHERE finished_us IS NULL LIMIT 1").fetchone() is None or None

        try:
            until(all_ended, every_s=_LOOK_EVERY_S)
        finally:
            connection.close()

    def require_done(self, job_ids: list[str]) -> None:
        """Raise ``RuntimeError`` when one of the jobs has ended otherwise."""
        records = self.site.client.resolve(job_ids)
        if unlike := [record for record in records if record.status != "DONE"]:
            raise RuntimeError(f"{len(unlike)} of {len(records)} jobs are not DONE, such as {unlike[0]}")

    def aer_s(self, job_ids: list[str]) -> float:
        """Give the seconds that Aer has taken for jobs that were submitted one after the other, as Aer tells it."""
        seqs = [record.seq for record in self.site.client.resolve(job_ids)]
        query = select(func.sum(experiments.c.time_taken_s)).where(experiments.c.job_seq.between(min(seqs), max(seqs)))
        with self.site.store.reading() as tx:
            return float(tx.execute(query).scalar_one())

    def history(self, job_id: str) -> list[EventRecord]:
        """Give the moves of a job, the first one first."""
        with self.site.store.reading() as tx:
            return events.history(tx, jobs.find(tx, job_id).seq)


def circuits_of(texts: list[str]) -> list[QuantumCircuit]:
    """Parse OpenQASM 2 texts."""
    return [qasm2.loads(text, include_path=()) for text in texts]
