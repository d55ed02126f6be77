"""The one map between our states and Qiskit's ``JobStatus``: by name, in both directions."""

from __future__ import annotations

from qiskit.providers import JobStatus

from aerjob_cli.states import Status

_TO_QISKIT: dict[Status, JobStatus] = {status: JobStatus[status.name] for status in Status}


def to_qiskit(status: Status) -> JobStatus:
    """Give the ``JobStatus`` of that name."""
    return _TO_QISKIT[status]


def from_qiskit(status: JobStatus | Status | str) -> Status:
    """Give our state for Qiskit's, or for a name in any case; raises ``ValueError`` for what is none."""
    name = status.name if isinstance(status, JobStatus) else str(status)
    try:
        return Status[name.upper()]
    except KeyError:
        raise ValueError(f"{status!r} is no status of a job; there is {', '.join(Status)}") from None
