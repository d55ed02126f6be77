"""Many jobs: submitted in one transaction, waited for in the order of their ends, awaited in coroutines."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit
from qiskit.providers import JobStatus, JobTimeoutError
from qiskit.result import Result

from aerjob_cli import BasicAerError, BasicAerJob, BasicAerProvider, as_completed
from aerjob_cli.api.awaiting import end_of
from aerjob_cli.api.backend import BasicAerBackend
from aerjob_cli.api.job_errors import JobFailed, UnknownJob
from aerjob_cli.states import Status
from aerjob_cli.store import cancels, deletions
from tests.api.conftest import endless_circuit


def test_many_jobs_are_stored_together_each_with_its_own_options(
    idle: BasicAerProvider, idle_backend: BasicAerBackend, bell: QuantumCircuit
) -> None:
    each: list[dict[str, Any]] = [{"job_name": "one", "seed_simulator": 1}, {"shots": 7}, {}]
    jobs = idle_backend.run_many([bell, [bell, bell], bell], each=each, shots=5, tags=["batch"])
    assert [job.job_id() for job in idle.jobs(tag="batch")] == [job.job_id() for job in reversed(jobs)]
    records = [idle.client.find(job.job_id()) for job in jobs]
    assert [(record.name, record.shots, record.experiments_total) for record in records] == [
        ("one", 5, 1),
        (None, 7, 2),
        (None, 5, 1),
    ]
    assert records[0].seed == 1
    assert len({record.submitted_us for record in records}) <= 3
    assert idle_backend.run_many([]) == []


def test_of_many_jobs_all_are_stored_or_none(
    idle: BasicAerProvider, idle_backend: BasicAerBackend, bell: QuantumCircuit
) -> None:
    with pytest.raises(BasicAerError, match="no qubits"):
        idle_backend.run_many([bell, QuantumCircuit()])
    with pytest.raises(BasicAerError, match="shots"):
        idle_backend.run_many([bell, bell], each=[{}, {"shots": 0}])
    with pytest.raises(BasicAerError, match=r"2 jobs.*for 1"):
        idle_backend.run_many([bell, bell], each=[{}])
    assert idle.jobs() == []


def test_circuits_that_are_large_only_together_are_taken(idle_backend: BasicAerBackend) -> None:
    circuit = QuantumCircuit(8)
    circuit.unitary(np.eye(256), range(8))  # 1 MiB, and a payload has at most 16
    job = idle_backend.run([circuit] * 20)
    assert job.progress().total == 20
    assert len(job.circuits()) == 20


def test_jobs_come_as_they_end(backend: BasicAerBackend, bell: QuantumCircuit) -> None:
    long = backend.run(endless_circuit())
    short = backend.run_many([bell, bell], shots=3)
    given = BasicAerJob(backend, "given", short[0].result())
    coming = as_completed([long, *short, short[0], given], timeout=60)
    first = [next(coming) for _ in range(3)]
    assert first[0] is given
    assert set(first[1:]) == set(short)
    assert long.cancel()
    assert [job.status() for job in coming] == [JobStatus.CANCELLED]
    assert list(as_completed([])) == []


def test_waiting_for_several_jobs_ends_in_time(idle_backend: BasicAerBackend, bell: QuantumCircuit) -> None:
    jobs = idle_backend.run_many([bell, bell])
    jobs[1].cancel()
    coming = as_completed(jobs, timeout=0.05)
    assert next(coming) is jobs[1]
    with pytest.raises(JobTimeoutError, match=r"1 of 2 jobs .* 0\.05 s") as timeout:
        next(coming)
    assert isinstance(timeout.value, TimeoutError)


def test_jobs_that_cannot_be_waited_for_together_are_refused(
    idle: BasicAerProvider, idle_backend: BasicAerBackend, bell: QuantumCircuit, tmp_path: Path
) -> None:
    with pytest.raises(UnknownJob):
        next(as_completed([BasicAerJob(idle_backend, "00000000-0000-4000-8000-000000000000")]))
    elsewhere = BasicAerProvider(tmp_path / "elsewhere")
    job = BasicAerJob(elsewhere.get_backend(), "00000000-0000-4000-8000-000000000000")
    with pytest.raises(ValueError, match="2 stores"):
        as_completed([idle_backend.run(bell), job])
    elsewhere.client.close()


def test_jobs_are_awaited_together_and_others_go_on(backend: BasicAerBackend, bell: QuantumCircuit) -> None:
    async def main() -> tuple[list[Result], int]:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.001)
                ticks += 1

        ticking = asyncio.create_task(tick())
        jobs = backend.run_many([bell] * 5, shots=3)
        results = await asyncio.gather(*jobs, jobs[0])
        assert await jobs[1] is results[1], "every call gives the same object"
        ticking.cancel()
        return results, ticks

    results, ticks = asyncio.run(main())
    assert [sum(result.get_counts().values()) for result in results] == [3] * 6
    assert ticks > 3


def test_the_end_of_an_awaited_job_is_raised_as_elsewhere(backend: BasicAerBackend) -> None:
    async def main() -> None:
        with pytest.raises(JobFailed, match="TIMED_OUT"):
            await backend.run(endless_circuit(), time_limit_s=0.2)
        job = backend.run(endless_circuit())
        waiting = asyncio.ensure_future(job)
        await asyncio.sleep(0)
        assert await asyncio.to_thread(job.cancel)
        with pytest.raises(CancelledError, match="USER_CANCELLED"):
            await waiting

    asyncio.run(main())


def test_a_job_deleted_while_it_is_awaited_is_unknown(
    idle: BasicAerProvider, idle_backend: BasicAerBackend, bell: QuantumCircuit
) -> None:
    jobs = idle_backend.run_many([bell, bell])
    store = idle.client.store
    seqs = [idle.client.find(job.job_id()).seq for job in jobs]

    async def main() -> None:
        deleted, kept = [asyncio.ensure_future(job) for job in jobs]
        await asyncio.sleep(0.05)
        with store.writing() as tx:  # at once: nobody sees it cancelled
            cancels.request_cancels(tx, seqs[:1], now_us=store.now_us(), message=None)
            deletions.delete_final(tx, seqs[:1])
        with pytest.raises(UnknownJob):
            await deleted
        assert not kept.done()
        kept.cancel()

    asyncio.run(main())


def test_a_job_that_ended_before_anybody_waited_for_it_is_noticed(
    idle: BasicAerProvider, idle_backend: BasicAerBackend, bell: QuantumCircuit
) -> None:
    pending, ending = idle_backend.run_many([bell, bell])
    stale = idle.client.find(ending.job_id())

    async def main() -> None:
        waiting = asyncio.ensure_future(pending)
        await asyncio.sleep(0.05)
        ending.cancel()
        await asyncio.sleep(0.3)  # longer than from one look to the next: what was committed has been seen by now
        record = await asyncio.wait_for(end_of(idle.client, stale), timeout=30)
        assert record.status is Status.CANCELLED
        waiting.cancel()

    asyncio.run(main())


def test_who_stops_waiting_leaves_the_job_and_no_thread(idle_backend: BasicAerBackend, bell: QuantumCircuit) -> None:
    before = threading.active_count()
    job = idle_backend.run(bell)

    async def main() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await job
        await asyncio.sleep(0)
        forgotten = asyncio.ensure_future(job)
        await asyncio.sleep(0.01)
        assert not forgotten.done()
        # The loop ends with a job that is still awaited.

    asyncio.run(main())
    assert job.status() is JobStatus.QUEUED
    assert threading.active_count() == before
    assert job.cancel()
