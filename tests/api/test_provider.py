"""The provider: simulators by name, jobs by what they have in common, and the way back to a job by its id."""

from __future__ import annotations

import copy
import pickle
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit.providers import JobError, JobStatus

from aerjob_cli import BasicAerJob, BasicAerProvider
from aerjob_cli.api.backend import BasicAerBackend
from aerjob_cli.api.job_errors import NotFinal, UnknownJob
from aerjob_cli.plugins.discovery import usable_simulators
from aerjob_cli.states import Status


def ids(jobs: list[BasicAerJob]) -> list[str]:
    return [job.job_id() for job in jobs]


def test_simulators_are_found_by_name_attribute_and_filter(idle: BasicAerProvider) -> None:
    circuits = [found.name for found in usable_simulators() if not found.is_primitive]
    assert [backend.name for backend in idle.backends()] == circuits
    assert [backend.name for backend in idle.backends("qasm_simulator", max_circuits=100_000)] == ["qasm_simulator"]
    assert idle.backends("statevector") == []
    assert [backend.name for backend in idle.backends("statevector_simulator")] == ["statevector_simulator"]
    assert idle.backends(no_such_attribute=None) == []
    assert idle.backends(filters=lambda backend: backend.max_circuits is None) == []
    assert idle.get_backend().name == "qasm_simulator"


def test_an_unknown_simulator_is_a_qiskit_error_that_names_those_there_are(idle: BasicAerProvider) -> None:
    with pytest.raises(QiskitError, match=r"'qasm_simulater'.*qasm_simulator"):
        idle.get_backend("qasm_simulater")


def test_making_a_provider_touches_no_file(tmp_path: Path) -> None:
    provider = BasicAerProvider(tmp_path / "new")
    provider.get_backend()
    assert not (tmp_path / "new").exists()


def test_an_unknown_job_is_a_job_error_with_a_remedy(idle: BasicAerProvider) -> None:
    with pytest.raises(JobError, match="jobs\\(\\)"):
        idle.retrieve_job(str(uuid.uuid4()))
    with pytest.raises(UnknownJob):
        idle.delete_job("last")


def test_jobs_are_listed_newest_first_and_up_to_the_limit(
    idle: BasicAerProvider, idle_backend: BasicAerBackend, bell: QuantumCircuit
) -> None:
    submitted = [idle_backend.run(bell).job_id() for _ in range(12)]
    assert ids(idle.jobs()) == submitted[:1:-1]
    assert ids(idle.jobs(limit=3)) == submitted[:-4:-1]
    assert ids(idle.jobs(limit=None)) == submitted[::-1]
    assert idle.jobs(limit=0) == []
    with pytest.raises(ValueError, match="negative"):
        idle.jobs(limit=-1)


def test_jobs_are_listed_by_what_they_have_in_common(
    idle: BasicAerProvider, idle_backend: BasicAerBackend, bell: QuantumCircuit
) -> None:
    plain = idle_backend.run(bell)
    tagged = idle_backend.run(bell, tags=["night", "chem"], job_name="h2", group="g")
    ended = idle_backend.run(bell, tags=["chem"])
    assert ended.cancel()

    assert ids(idle.jobs(tag="chem")) == ids([ended, tagged])
    assert ids(idle.jobs(tag="chem", status="queued")) == ids([tagged])
    assert ids(idle.jobs(name="h2")) == ids([tagged])
    assert ids(idle.jobs(group="g")) == ids([tagged])
    assert [job.group for job in idle.jobs()] == [None, "g", None]
    more = idle_backend.run_many([bell, bell], group="g", each=[{}, {"group": "h"}])
    assert ids(idle.jobs(group="g")) == ids([more[0], tagged])
    assert ids(idle.jobs(group="g", name="h2", limit=None)) == ids([tagged])
    for job in more:
        job.cancel()
        idle.delete_job(job.job_id())
    assert ids(idle.jobs(status=JobStatus.CANCELLED)) == ids([ended])
    assert ids(idle.jobs(status=[Status.QUEUED, JobStatus.DONE])) == ids([tagged, plain])
    assert idle.jobs(status=[]) == []
    assert (
        ids(idle.jobs(backend=idle_backend)) == ids(idle.jobs(backend="qasm_simulator")) == ids([ended, tagged, plain])
    )
    assert idle.jobs(backend="statevector_simulator") == []
    moment = tagged.submitted_at
    assert moment is not None
    assert ids(idle.jobs(since=moment)) == ids([ended, tagged])
    assert ids(idle.jobs(since=moment.astimezone().replace(tzinfo=None))) == ids([ended, tagged])
    assert idle.jobs(since=datetime.now(tz=UTC) + timedelta(days=1)) == []
    with pytest.raises(ValueError, match="asleep"):
        idle.jobs(status="asleep")


def test_only_a_final_job_is_deleted(
    idle: BasicAerProvider, idle_backend: BasicAerBackend, bell: QuantumCircuit
) -> None:
    job = idle_backend.run(bell)
    with pytest.raises(NotFinal, match="QUEUED"):
        idle.delete_job(job.job_id())
    job.cancel()
    idle.delete_job(job.job_id())
    with pytest.raises(UnknownJob):
        idle.retrieve_job(job.job_id())
    assert job.cancelled(), "a final state that was seen stays what it was"


def test_a_job_and_its_backend_travel_between_processes_as_pickles(
    idle: BasicAerProvider, idle_backend: BasicAerBackend, bell: QuantumCircuit
) -> None:
    job = idle_backend.run(bell, job_name="traveller")
    for twin in (pickle.loads(pickle.dumps(job)), copy.deepcopy(job)):  # noqa: S301 - our own bytes
        assert (twin.job_id(), twin.name, twin.status()) == (job.job_id(), "traveller", JobStatus.QUEUED)
        twin.backend().client.close()
