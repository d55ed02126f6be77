"""What the store says of a job: reads only, and nothing that can still change is remembered."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime
from typing import Any

from qiskit.providers import BackendV2, JobV1

from aerjob_cli.api.client import Client
from aerjob_cli.api.connection import Connection
from aerjob_cli.api.job_errors import raised_as_job_errors
from aerjob_cli.api.waits import why_waiting
from aerjob_cli.settings import Settings
from aerjob_cli.states import Reason
from aerjob_cli.store.records import JobRecord


class StoredJob(JobV1):
    """A job's identity and what is known of it. One that is not stored has been given its result instead."""

    def __init__(self, backend: BackendV2 | None, job_id: str, *, is_stored: bool) -> None:
        # JobV1's constructor would assign ``metadata``, which is read from the store here.
        self._backend = backend
        self._job_id = str(job_id)
        self._is_stored = is_stored
        self._final: JobRecord | None = None
        self._last_read: JobRecord | None = None
        self._own_connection: Connection | None = None

    def reason(self) -> Reason | None:
        """Say why the job is in ERROR or CANCELLED, from a closed list; None otherwise."""
        record = self._record()
        return None if record is None else record.reason

    def error_message(self) -> str | None:
        """Say in a sentence why the job is in ERROR or CANCELLED; None otherwise."""
        record = self._record()
        return None if record is None else record.message

    def queue_position(self) -> int | None:
        """Count from 1 how soon the job will start; None when it does not queue, or waits for more than its turn."""
        record = self._record()
        return None if record is None else self._client.queue_position(record)

    def waiting(self) -> str | None:
        """Say what the job waits for besides its turn: a release, other jobs, a time; None where that is nothing."""
        record = self._record()
        return None if record is None else why_waiting(record)

    @property
    def metadata(self) -> dict[str, Any]:
        """What was given as ``metadata`` at submission; a copy."""
        record = self._record()
        return {} if record is None else deepcopy(dict(record.metadata))

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags as they are now, sorted; they may change after the end of the job, too."""
        if not self._is_stored:
            return ()
        with raised_as_job_errors():
            return self._client.find(self._job_id).tags

    @property
    def name(self) -> str | None:
        """The name given at submission."""
        record = self._record()
        return None if record is None else record.name

    @property
    def group(self) -> str | None:
        """The group given at submission; None for a job in none."""
        record = self._record()
        return None if record is None else record.group_name

    @property
    def reused_from(self) -> str | None:
        """The id of the job whose result this one was given; None for one that was run."""
        record = self._record()
        return None if record is None else record.reused_from

    @property
    def submitted_at(self) -> datetime | None:
        """When the job became durable, in UTC."""
        record = self._record()
        return None if record is None else record.submitted_at

    @property
    def started_at(self) -> datetime | None:
        """When its first attempt began, in UTC; None before that."""
        record = self._record()
        return None if record is None else record.started_at

    @property
    def finished_at(self) -> datetime | None:
        """When it came into its final state, in UTC; None before that."""
        record = self._record()
        return None if record is None else record.finished_at

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._job_id}>"

    @property
    def _client(self) -> Client:
        client = getattr(self._backend, "client", None)
        if isinstance(client, Client):
            return client
        if self._own_connection is None:
            self._own_connection = Connection(Settings.from_environment())
        return self._own_connection.client

    def _record(self) -> JobRecord | None:
        """Give the job's record, or None for a job that was given its result."""
        return self._read() if self._is_stored else None

    def _read(self) -> JobRecord:
        if self._final is not None:
            return self._final
        with raised_as_job_errors():
            return self._noted(self._client.find(self._job_id))

    def _noted(self, record: JobRecord) -> JobRecord:
        """Keep the record when it is final: but for the tags it never changes again."""
        self._last_read = record
        if record.status.is_final:
            self._final = record
        return record
