"""The provider: which simulators there are, and the jobs of one store, whoever submitted them.

The one place where a record becomes a job.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from os import PathLike
from pathlib import Path
from typing import Any

from qiskit.providers import BackendV2, JobStatus
from qiskit.providers.providerutils import resolve_backend_name

from aerjob_cli.api.backend import BasicAerBackend
from aerjob_cli.api.backend_errors import BackendNotFound, raised_as_backend_errors
from aerjob_cli.api.client import Client
from aerjob_cli.api.configuration import BackendStatus
from aerjob_cli.api.connection import Connection
from aerjob_cli.api.former_names import FORMER_NAMES
from aerjob_cli.api.job import BasicAerJob
from aerjob_cli.api.job_errors import NotFinal, raised_as_job_errors
from aerjob_cli.api.primitive_job import PrimitiveAerJob
from aerjob_cli.api.retired import RetiredBackend
from aerjob_cli.api.statuses import from_qiskit
from aerjob_cli.catalog import PRIMITIVES_BACKEND, Simulator
from aerjob_cli.errors import UnknownBackend
from aerjob_cli.plugins.discovery import simulator_named, usable_simulators
from aerjob_cli.settings import Settings, StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store import forks
from aerjob_cli.store.listing import JobFilter
from aerjob_cli.store.records import JobRecord

# What must be known before the store is opened for it.
_STATUS_FIELDS = frozenset(field.name for field in fields(BackendStatus))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BasicAerProvider:
    """Simulators whose jobs survive the process that submitted them.

    ``home`` is the folder of the store; without it ``AERJOB_HOME`` counts, and then the user's state folder.
    """

    def __init__(self, home: str | PathLike[str] | None = None) -> None:
        settings = Settings.from_environment()
        if home is not None:
            settings = replace(settings, paths=StorePaths(Path(home).expanduser().absolute()))
        self._connection = Connection(settings)

    @property
    def client(self) -> Client:
        """The client of the store, which is opened or made at the first use; raises ``StoreUnusable``."""
        return self._connection.client

    @property
    def home(self) -> Path:
        """The folder of the store."""
        return self._connection.settings.paths.home

    def backends(
        self,
        name: str | None = None,
        filters: Callable[[BasicAerBackend], bool] | None = None,
        **kwargs: Any,
    ) -> list[BasicAerBackend]:
        """List the simulators of that name, present or former, with those attributes, and that ``filters`` accepts.

        ``kwargs`` are compared with the attributes of the backend, its ``configuration()`` and its ``status()``. The
        simulators of plugins are among them, where all is installed that they need.
        """
        with forks.none():
            simulators = usable_simulators()
        found = [BasicAerBackend(self, simulator) for simulator in simulators if not simulator.is_primitive]
        if name is not None:
            try:
                wanted = resolve_backend_name(name, found, FORMER_NAMES, {})
            except LookupError:
                return []
            found = [backend for backend in found if backend.name == wanted]
        return [
            backend
            for backend in found
            if all(_has(backend, key, value) for key, value in kwargs.items()) and (filters is None or filters(backend))
        ]

    def get_backend(self, name: str | None = None, **kwargs: Any) -> BasicAerBackend:
        """Give the simulator of that name, present or former, or the default one; ``kwargs`` as for ``backends``.

        Raises ``BackendNotFound``, a ``QiskitError``.
        """
        wanted = self._connection.settings.backend if name is None else name
        if wanted in FORMER_NAMES or kwargs:
            for backend in self.backends(wanted, **kwargs):
                return backend
        with raised_as_backend_errors():
            simulator = _simulator(str(wanted))
        if simulator.is_primitive:
            raise BackendNotFound(
                f"{wanted!r} is a primitive, which runs PUBs and is no backend; use DurableSampler or DurableEstimator",
                name=wanted,
            )
        backend = BasicAerBackend(self, simulator)
        if kwargs:
            raise BackendNotFound(
                f"{wanted} is not as it was asked for ({kwargs}); see its configuration()", name=wanted
            )
        return backend

    def from_backend(self, device: BackendV2) -> BasicAerBackend:
        """Give a simulator with the noise, the gates and the couplings of a device, as ``AerSimulator.from_backend``.

        Raises ``RunTypeRefused``, a ``QiskitError``, for what is no ``BackendV2``.
        """
        return self.get_backend("aer_simulator").under(device)

    def retrieve_job(self, job_id: str) -> BasicAerJob:
        """Give the job of that id, whichever process submitted it; raises ``UnknownJob``, a ``QiskitError``."""
        with raised_as_job_errors():
            return self.job_of(self.client.find(str(job_id)))

    def jobs(
        self,
        limit: int | None = 10,
        status: JobStatus | Status | str | Iterable[JobStatus | Status | str] | None = None,
        tag: str | None = None,
        name: str | None = None,
        backend: BackendV2 | str | None = None,
        since: datetime | None = None,
        group: str | None = None,
    ) -> list[BasicAerJob]:
        """List the jobs that fit every condition, the last submitted first; ``limit=None`` lists all.

        ``status`` is one or several states; ``since`` without a time zone is local time. Raises ``ValueError`` for
        what is no status or a negative limit.
        """
        if limit is not None and limit < 0:
            raise ValueError(f"limit is {limit}; it must not be negative, and None means all")
        wanted = JobFilter(
            statuses=_statuses(status),
            tags=() if tag is None else (tag,),
            name=name,
            backend=backend if backend is None or isinstance(backend, str) else backend.name,
            since_us=None if since is None else (since.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1),
            group=group,
        )
        if status is not None and not wanted.statuses:
            return []
        records = self.client.listed(wanted, limit=limit)
        # Looked for once each: of a simulator that is gone, the search takes its time.
        backends = {name: self._backend_of(name) for name in {record.backend for record in records}}
        return [self.job_of(record, backends[record.backend]) for record in records]

    def delete_job(self, job_id: str) -> None:
        """Remove a final job with its circuits and results; raises ``UnknownJob`` or ``NotFinal``."""
        with raised_as_job_errors():
            record = self.client.find(str(job_id))
            if not self.client.delete(record):
                record = self.client.find(record.job_id)
                raise NotFinal(
                    f"job {record.job_id} is {record.status} and cannot be deleted; cancel it, or wait for its end",
                    job_id=record.job_id,
                    status=str(record.status),
                )

    def job_of(self, record: JobRecord, backend: BackendV2 | None = None) -> BasicAerJob:
        """Make the job of a record; a simulator that is gone is replaced by its stand-in.

        That of a primitive gives a ``PrimitiveResult``, and its backend is the simulator that the primitive stands on.
        """
        job: BasicAerJob
        if _is_primitive(record.backend):
            job = PrimitiveAerJob(self.get_backend(PRIMITIVES_BACKEND), record.job_id)
        else:
            job = BasicAerJob(self._backend_of(record.backend) if backend is None else backend, record.job_id)
        job._last_read = record
        return job

    def _backend_of(self, name: str) -> BackendV2:
        try:
            return BasicAerBackend(self, _simulator(name))
        except UnknownBackend:
            return RetiredBackend(self, name)

    def __repr__(self) -> str:
        return f"<BasicAerProvider of {self.home}>"


def _has(backend: BasicAerBackend, key: str, value: object) -> bool:
    """Tell whether the backend, or what it says of itself, has that value by that name."""
    if hasattr(backend, key):
        return bool(getattr(backend, key) == value)
    if hasattr(configuration := backend.configuration(), key):
        return bool(getattr(configuration, key) == value)
    return bool(key in _STATUS_FIELDS and getattr(backend.status(), key) == value)


def _is_primitive(name: str) -> bool:
    with suppress(UnknownBackend):
        return _simulator(name).is_primitive
    return False


def _simulator(name: str) -> Simulator:
    # What a thread is importing when the process forks is locked in the child for good.
    with forks.none():
        return simulator_named(name)


def _statuses(status: JobStatus | Status | str | Iterable[JobStatus | Status | str] | None) -> tuple[Status, ...]:
    if status is None:
        return ()
    if isinstance(status, (JobStatus, str)):
        return (from_qiskit(status),)
    return tuple(from_qiskit(item) for item in status)
