"""Each error is one of Qiskit's and one of ours, and survives a trip to another process."""

from __future__ import annotations

import concurrent.futures
import pickle

import pytest
from qiskit.exceptions import QiskitError
from qiskit.providers import JobError, JobStatus, JobTimeoutError, QiskitBackendNotFoundError

from aerjob_cli import errors
from aerjob_cli.api import backend_errors, job_errors
from aerjob_cli.api.statuses import from_qiskit, to_qiskit
from aerjob_cli.states import Status


@pytest.mark.parametrize(
    ("error", "bases", "exit_code"),
    [
        (job_errors.AlreadySubmitted, (JobError,), 2),
        (job_errors.JobFailed, (JobError,), 1),
        (job_errors.JobCancelled, (JobError, concurrent.futures.CancelledError), 4),
        (job_errors.JobTimedOut, (JobTimeoutError, TimeoutError, errors.WaitTimedOut), 124),
        (job_errors.UnknownJob, (JobError, errors.JobNotFound), 3),
        (job_errors.StoredBytesDamaged, (JobError, errors.PayloadDamaged), 5),
        (job_errors.NoWorker, (JobError, errors.WorkerUnavailable), 70),
        (job_errors.NotFinal, (JobError,), 8),
        (job_errors.NotValidated, (JobError,), 8),
        (backend_errors.RunRefused, (QiskitError, errors.InputRefused), 6),
        (backend_errors.RunTypeRefused, (QiskitError, errors.InputRefused, TypeError), 6),
        (backend_errors.BackendNotFound, (QiskitBackendNotFoundError, errors.UnknownBackend), 6),
        (backend_errors.BackendGone, (QiskitError, errors.InputRefused), 6),
    ],
)
def test_an_error_is_of_both_worlds(
    error: type[errors.AerjobError], bases: tuple[type[Exception], ...], exit_code: int
) -> None:
    raised = error("the sentence", job_id="1234")
    for base in (*bases, QiskitError, errors.AerjobError):
        assert isinstance(raised, base)
    assert str(raised) == raised.message == "the sentence"
    assert (raised.exit_code, raised.fields) == (exit_code, {"job_id": "1234"})
    copy = pickle.loads(pickle.dumps(raised))  # noqa: S301 - our own bytes
    assert (type(copy), str(copy), copy.fields) == (error, "the sentence", raised.fields)


def test_the_states_are_those_of_qiskit_in_both_directions() -> None:
    assert {to_qiskit(status) for status in Status} == set(JobStatus)
    for status in Status:
        for word in (to_qiskit(status), status, status.name, status.name.lower()):
            assert from_qiskit(word) is status
    with pytest.raises(ValueError, match="FINISHED"):
        from_qiskit("FINISHED")
