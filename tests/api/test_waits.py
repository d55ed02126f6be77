"""Jobs from Python that wait for more than their turn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit.providers import JobError, JobStatus

from aerjob_cli import BasicAerProvider
from aerjob_cli.api.backend import BasicAerBackend
from aerjob_cli.api.primitives import DurableSampler
from aerjob_cli.errors import InputRefused, JobAwaited, JobHasBegun, JobNotFound
from aerjob_cli.states import Reason


def test_jobs_are_named_by_themselves_or_by_their_ids(idle_backend: BasicAerBackend, bell: QuantumCircuit) -> None:
    first = idle_backend.run(bell)
    second = idle_backend.run(bell, after=first)
    third, fourth = idle_backend.run_many(
        [bell, bell], after_ok=[first, second.job_id()[:13]], each=[{}, {"after_any": [first, second]}]
    )
    assert (first.waiting(), first.queue_position()) == (None, 1)
    assert (second.waiting(), second.queue_position()) == (f"waits for {first.job_id()}", None)
    assert third.waiting() == fourth.waiting() == f"waits for {first.job_id()} and 1 more"
    assert first.cancel()
    assert second.waiting() is None
    assert (third.status(), third.reason(), fourth.reason()) == (
        JobStatus.ERROR,
        Reason.DEPENDENCY_FAILED,
        Reason.DEPENDENCY_FAILED,
    )


def test_what_a_primitive_runs_waits_as_well(idle: BasicAerProvider, bell: QuantumCircuit) -> None:
    first = idle.get_backend("qasm_simulator").run(bell, hold=True)
    job = DurableSampler(idle).run([bell], after_ok=[first])
    assert job.waiting() == f"waits for {first.job_id()}"


def test_hold_release_begin_and_priority(idle_backend: BasicAerBackend, bell: QuantumCircuit) -> None:
    begin = datetime.now() + timedelta(hours=2)
    job = idle_backend.run(bell, hold=True, begin=begin)
    other = idle_backend.run(bell)
    assert job.waiting() == f"held; begins at {begin.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    job.release()
    assert str(job.waiting()).startswith("begins at")
    urgent = idle_backend.run(bell, hold=True)
    urgent.set_priority(5)
    urgent.release()
    assert (urgent.queue_position(), other.queue_position()) == (1, 2)
    urgent.hold()
    assert (urgent.waiting(), other.queue_position()) == ("held", 1)
    urgent.cancel()
    with pytest.raises(JobError) as caught:
        urgent.release()
    assert isinstance(caught.value, JobHasBegun)


def test_what_cannot_be_is_refused_before_anything_is_stored(
    idle: BasicAerProvider, idle_backend: BasicAerBackend, bell: QuantumCircuit
) -> None:
    with pytest.raises(QiskitError) as caught:
        idle_backend.run_many([bell, bell], each=[{}, {"after": ["ffffffff"]}])
    assert isinstance(caught.value, JobNotFound)
    for wrong in ({"after": [7]}, {"after_ok": 7}, {"hold": "yes"}, {"begin": "tomorrow"}):
        with pytest.raises(InputRefused):
            idle_backend.run(bell, **wrong)
    assert idle.jobs() == []


def test_what_is_waited_for_is_not_deleted(
    idle: BasicAerProvider, idle_backend: BasicAerBackend, bell: QuantumCircuit
) -> None:
    first = idle_backend.run(bell)
    idle_backend.run(bell, after=[first], hold=True)
    first.cancel()
    with pytest.raises(JobError) as caught:
        idle.delete_job(first.job_id())
    assert isinstance(caught.value, JobAwaited)
