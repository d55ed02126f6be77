"""What a job answers in each state that the store can have it in; the states are written, nothing runs."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import CancelledError

import pytest
from qiskit import QuantumCircuit
from qiskit.providers import JobError, JobStatus, JobTimeoutError
from qiskit.result import Result
from sqlalchemy import update

from aerjob_cli import BasicAerJob, BasicAerProvider
from aerjob_cli.api.backend import BasicAerBackend
from aerjob_cli.api.backend_errors import BackendGone
from aerjob_cli.api.job_errors import JobTimedOut, NotValidated, StoredBytesDamaged, UnknownJob
from aerjob_cli.api.requests import CircuitBytes, Request
from aerjob_cli.api.retired import RetiredBackend
from aerjob_cli.states import Reason, Status
from aerjob_cli.store import claims, lifecycle
from aerjob_cli.store.records import Claim
from aerjob_cli.store.tables import jobs

WORKER = "worker-of-the-test"


def submitted_text(provider: BasicAerProvider) -> BasicAerJob:
    text = CircuitBytes("bell.qasm", "openqasm2", b'OPENQASM 2.0; include "qelib1.inc"; qreg q[1]; creg c[1];')
    (record,) = provider.client.submit([Request(circuits=(text,), backend="qasm_simulator", shots=5)])
    return provider.job_of(record)


def claimed(provider: BasicAerProvider) -> Claim:
    store = provider.client.store
    with store.writing() as tx:
        (item,) = claims.claim(tx, WORKER, limit=1, now_us=store.now_us())
    return item.claim


def fail(provider: BasicAerProvider, claim: Claim, reason: Reason, message: str) -> None:
    store = provider.client.store
    with store.writing() as tx:
        assert lifecycle.fail(tx, claim, reason, message, stderr_tail="the tail", now_us=store.now_us())


@pytest.fixture
def job(idle_backend: BasicAerBackend, bell: QuantumCircuit) -> BasicAerJob:
    return idle_backend.run(bell)


def answers(job: BasicAerJob) -> tuple[bool, bool, bool, bool]:
    return job.done(), job.running(), job.cancelled(), job.in_final_state()


def test_a_queued_job(job: BasicAerJob) -> None:
    assert job.status() is JobStatus.QUEUED
    assert answers(job) == (False, False, False, False)
    assert (job.reason(), job.error_message(), job.queue_position()) == (None, None, 1)
    assert job.submitted_at is not None
    assert (job.started_at, job.finished_at) == (None, None)


def test_a_job_cannot_be_submitted_again(job: BasicAerJob) -> None:
    assert (job.version, job._async) == (1, True)
    with pytest.raises(JobError, match="We have already submitted the job!"):
        job.submit()


def test_a_running_job(idle: BasicAerProvider, job: BasicAerJob) -> None:
    claimed(idle)
    assert job.status() is JobStatus.RUNNING
    assert answers(job) == (False, True, False, False)
    assert job.queue_position() is None
    assert job.started_at is not None


def test_a_failed_job_says_why_and_has_no_result(idle: BasicAerProvider, job: BasicAerJob) -> None:
    fail(idle, claimed(idle), Reason.SIMULATION_FAILED, "it went wrong")
    assert job.status() is JobStatus.ERROR
    assert answers(job) == (False, False, False, True)
    assert (job.reason(), job.error_message()) == (Reason.SIMULATION_FAILED, "it went wrong")
    with pytest.raises(JobError, match=r"SIMULATION_FAILED: it went wrong") as failure:
        job.result()
    assert (failure.value.reason, failure.value.stderr_tail) == (Reason.SIMULATION_FAILED, "the tail")
    assert job.cancel() is False
    job.wait_for_final_state(timeout=0)


def test_a_queued_job_is_cancelled_at_once_and_in_every_process(idle: BasicAerProvider, job: BasicAerJob) -> None:
    elsewhere = idle.retrieve_job(job.job_id())
    assert elsewhere.status() is JobStatus.QUEUED
    assert job.cancel() is True
    for seen in (job, elsewhere):
        assert answers(seen) == (False, False, True, True)
        assert seen.reason() is Reason.USER_CANCELLED
        assert seen.cancel() is True, "it was cancelled already"
        with pytest.raises(CancelledError, match="USER_CANCELLED") as cancelled:
            seen.result()
        assert isinstance(cancelled.value, JobError)


def test_a_state_is_read_anew_until_it_is_final(idle: BasicAerProvider, job: BasicAerJob) -> None:
    store = idle.client.store
    seen = [job.status()]
    claim = claimed(idle)
    seen.append(job.status())
    with store.writing() as tx:
        assert lifecycle.give_back(tx, claim, why="drained", now_us=store.now_us())
    seen.append(job.status())
    fail(idle, claimed(idle), Reason.TIMED_OUT, "too slow")
    seen.append(job.status())
    assert [status.name for status in seen] == ["QUEUED", "RUNNING", "QUEUED", "ERROR"]


def test_the_timeout_of_result_is_both_errors_and_the_job_goes_on(job: BasicAerJob) -> None:
    with pytest.raises(JobTimeoutError) as late:
        job.result(timeout=0.01)
    assert isinstance(late.value, TimeoutError)
    assert job.status() is JobStatus.QUEUED


# An interval of an hour: a wait that looked at the timeout only between two of them would not end in this test.
@pytest.mark.parametrize("calls_back", [True, False])
def test_the_timeout_does_not_wait_for_the_next_call_back(job: BasicAerJob, calls_back: bool) -> None:
    calls: list[tuple[str, JobStatus, BasicAerJob]] = []

    def note(job_id: str, status: JobStatus, called: BasicAerJob) -> None:
        calls.append((job_id, status, called))

    with pytest.raises(JobTimedOut):
        job.wait_for_final_state(timeout=0.05, wait=3600, callback=note if calls_back else None)
    assert calls == ([(job.job_id(), JobStatus.QUEUED, job)] if calls_back else [])


def test_the_callback_is_never_called_for_the_final_state(idle: BasicAerProvider, job: BasicAerJob) -> None:
    steps: list[Callable[[], object]] = [
        lambda: claimed(idle),
        lambda: None,
        lambda: fail_running(idle),
    ]
    seen: list[JobStatus] = []

    def advance(_job_id: str, status: JobStatus, _job: BasicAerJob) -> None:
        seen.append(status)
        steps[len(seen) - 1]()

    job.wait_for_final_state(timeout=60, wait=0.01, callback=advance)
    assert seen == [JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.RUNNING]
    job.wait_for_final_state(callback=advance)
    assert len(seen) == 3


def fail_running(provider: BasicAerProvider) -> None:
    store = provider.client.store
    with store.writing() as tx:
        row = tx.execute(jobs.select().where(jobs.c.status == "RUNNING")).one()
    claim = Claim(row.seq, row.job_id, Status.RUNNING, row.attempt, row.claim_token, WORKER)
    fail(provider, claim, Reason.SIMULATION_FAILED, "ended by the test")


def test_a_job_deleted_while_it_is_waited_for_is_unknown(idle: BasicAerProvider, job: BasicAerJob) -> None:
    def delete(_job_id: str, _status: JobStatus, _job: BasicAerJob) -> None:
        idle.retrieve_job(job.job_id()).cancel()
        idle.delete_job(job.job_id())

    with pytest.raises(UnknownJob):
        job.wait_for_final_state(timeout=60, wait=60, callback=delete)


def test_unvalidated_circuits_are_not_parsed_here(idle: BasicAerProvider) -> None:
    job = submitted_text(idle)
    assert job.status() is JobStatus.INITIALIZING
    assert (job.progress().done, job.progress().total) == (0, None)
    with pytest.raises(NotValidated, match="INITIALIZING"):
        job.circuits()


def test_a_given_result_makes_the_job_final_without_a_look_at_the_store(idle: BasicAerProvider) -> None:
    given = Result.from_dict({"results": [], "backend_name": "other", "job_id": "j", "success": True})
    job = BasicAerJob(idle.get_backend(), "j", given)
    assert job.status() is JobStatus.DONE
    assert answers(job) == (True, False, False, True)
    assert job.result() is given
    assert job.cancel() is False
    assert (job.progress().done, job.progress().total) == (0, 0)
    assert (job.tags, job.metadata, job.name, job.group, job.reason()) == ((), {}, None, None, None)
    job.wait_for_final_state(timeout=0)
    with pytest.raises(JobError):
        job.circuits()


def test_a_job_that_is_not_in_the_store_says_so(idle: BasicAerProvider) -> None:
    job = BasicAerJob(None, str(uuid.uuid4()))
    for ask in (job.status, job.result, job.cancel, job.wait_for_final_state, job.circuits, job.reason):
        with pytest.raises(UnknownJob):
            ask()


def test_a_job_on_a_backend_of_others_is_looked_for_in_the_store_of_the_environment(job: BasicAerJob) -> None:
    assert BasicAerJob(None, job.job_id()).status() is JobStatus.QUEUED


def test_a_job_loads_when_its_simulator_is_gone(idle: BasicAerProvider, job: BasicAerJob, bell: QuantumCircuit) -> None:
    with idle.client.store.writing() as tx:
        tx.execute(update(jobs).values(backend="pulse_simulator"))
    (old,) = idle.jobs(backend="pulse_simulator")
    backend = old.backend()
    assert isinstance(backend, RetiredBackend)
    assert backend.name == "pulse_simulator"
    assert not backend.operation_names
    with pytest.raises(BackendGone, match="'pulse_simulator' is no longer installed; install the package"):
        backend.run(bell)
    assert old.circuits() == [bell]
    assert old.cancel() is True


def test_a_damaged_result_is_an_error_and_never_empty_counts(idle: BasicAerProvider, job: BasicAerJob) -> None:
    # Finished by hand without its result, as no worker could.
    with idle.client.store.writing() as tx:
        tx.execute(update(jobs).values(experiments_done=1, status="DONE", finished_us=idle.client.store.now_us()))
    with pytest.raises(StoredBytesDamaged, match="0 of 1") as damage:
        job.result()
    assert isinstance(damage.value, JobError)
    assert damage.value.exit_code == 5
    assert job.status() is JobStatus.DONE


def test_tags_that_change_after_the_end_are_seen(idle_backend: BasicAerBackend, bell: QuantumCircuit) -> None:
    job = idle_backend.run(bell, tags=("a",))
    assert job.cancel()
    assert (job.status(), job.tags) == (JobStatus.CANCELLED, ("a",))
    client = idle_backend.client
    client.tag([client.find(job.job_id())], add=["b"], remove=["a"])
    assert job.tags == ("b",)
