"""The use cases of callers, without Qiskit: submit bytes, look up, list, wait, cancel, read results.

The command line and the Python API both stand on this. It talks to the store only, and wakes the worker.
"""

from __future__ import annotations

import contextlib
import mmap
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import partial
from typing import TYPE_CHECKING, Any

from aerjob_cli.api import changes
from aerjob_cli.api.launch import WorkerLauncher
from aerjob_cli.api.origin import submitted_by
from aerjob_cli.api.request_checks import checked
from aerjob_cli.api.stored_arrays import StoredArray
from aerjob_cli.api.waiting import wait_for
from aerjob_cli.codec import sweeps
from aerjob_cli.codec.envelope import ESTIMATION, NOISE_FORMATS, OPENQASM2, OPENQASM3, RUN_FORMATS, SWEEP, sha256_hex
from aerjob_cli.codec.observables import Estimation, decode_estimation
from aerjob_cli.codec.seeds import DrawnSeeds
from aerjob_cli.codec.sweeps import Sweep
from aerjob_cli.errors import AerjobError, InputRefused, JobNotFinal, JobNotFound, PayloadDamaged
from aerjob_cli.frozen import dataclass
from aerjob_cli.plugins.discovery import simulator_named
from aerjob_cli.settings import JOBS_PER_TRANSACTION, PAYLOAD_LIMIT_BYTES, Settings
from aerjob_cli.states import UNDECIDED
from aerjob_cli.store import experiments, jobs, large_objects, objects, submissions
from aerjob_cli.store.database import Store
from aerjob_cli.store.faults import told
from aerjob_cli.store.listing import JobFilter, SortKey, listed, short_ids
from aerjob_cli.store.records import ArrayRecord, JobRecord, Payload, Submission

if TYPE_CHECKING:
    from sqlalchemy import Connection

_CANCEL_TAKES_AT_MOST_S = 30.0


@dataclass(frozen=True)
class CircuitBytes:
    """Circuits as they were handed in, or what they are run with: a name for people, a format tag, the bytes.

    ``identity`` is a checksum of what they mean, where other bytes may mean the same.
    """

    name: str
    format: str
    data: bytes
    identity: str | None = None


@dataclass(frozen=True)
class Plan:
    """What checking the circuits has found; a request without one is validated by an executor."""

    experiments_total: int
    threads: int


@dataclass(frozen=True, kw_only=True)
class Request:
    """One job to be. ``seed`` from 0 to 2^63 − 1 or None to draw one; ``max_memory_mb`` in MiB.

    ``shots`` None leaves them to the simulator. ``beside`` is what the circuits are run with: noise, a sweep.
    """

    circuits: tuple[CircuitBytes, ...]
    backend: str
    beside: tuple[CircuitBytes, ...] = ()
    shots: int | None = None
    seed: int | None = None
    memory: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    name: str | None = None
    tags: Iterable[str] = ()
    priority: int = 0
    time_limit_s: float | None = None
    max_memory_mb: int | None = None
    max_attempts: int = 3
    idempotency_key: str | None = None
    plan: Plan | None = None
    # Set by ``request_checks``, which knows what it has passed.
    is_checked: bool = False

    @property
    def method(self) -> str:
        """The simulation method that was asked for, else the simulator's own; raises ``UnknownBackend``."""
        return str(self.options.get("method") or simulator_named(self.backend).method)


@dataclass(frozen=True)
class ExperimentBytes:
    """The stored result of one experiment, its checksum verified; the arrays that it refers to can be loaded."""

    position: int
    attempt: int
    name: str
    format: str
    data: bytes
    arrays: tuple[StoredArray, ...] = ()


@dataclass(frozen=True)
class _Common:
    """What the jobs of one call share: the sequence of their seeds, whence they come, payloads such as their noise."""

    seeds: DrawnSeeds = field(default_factory=DrawnSeeds)
    origin: Mapping[str, str] = field(default_factory=submitted_by)
    payloads: dict[int, Payload] = field(default_factory=dict)


class Client:
    """One caller's view of one store."""

    def __init__(self, settings: Settings, store: Store | None = None) -> None:
        self.settings = settings
        self.store = Store.open(settings.paths) if store is None else store
        self._launcher = WorkerLauncher(self.store)

    def submit(self, requests: Sequence[Request]) -> list[JobRecord]:
        """Make the jobs durable, all or none, then wake the worker.

        Raises ``InputRefused`` for an option or a size that cannot be.
        """
        records = self._taken_in(requests, self._prepared(requests))
        self._wake_worker()
        return records

    def submit_in_groups(self, requests: Sequence[Request]) -> Iterator[list[JobRecord]]:
        """Make many jobs durable, ``JOBS_PER_TRANSACTION`` at a time, and give those of each group once they are.

        Each group is taken in as by ``submit``, and all requests are looked at before the first one is: raises
        ``InputRefused`` then, and not later. An error of the store, or who takes no more, leaves the groups before it.
        """
        prepared = self._prepared(requests)

        def groups() -> Iterator[list[JobRecord]]:
            for start in range(0, len(requests), JOBS_PER_TRANSACTION):
                part = slice(start, start + JOBS_PER_TRANSACTION)
                records = self._taken_in(requests[part], prepared[part])
                # From the first group on there is something to do.
                self._wake_worker()
                yield records

        return groups()

    def _taken_in(self, requests: Sequence[Request], prepared: Sequence[Submission]) -> list[JobRecord]:
        with self.store.writing_directly() as tx:
            for request, item in zip(requests, prepared, strict=True):
                # From here on nobody removes a file as unreferenced.
                for given, payload in zip((*request.circuits, *request.beside), item.payloads, strict=True):
                    objects.put_again(self.store.paths, payload, given.data)
            return submissions.submit_all(tx, prepared, now_us=self.store.now_us())

    def wait_for_verdicts(
        self,
        records: Sequence[JobRecord],
        *,
        timeout_s: float,
        tick: Callable[[], None] | None = None,
    ) -> list[JobRecord]:
        """Give the records again once validation has decided on each, or as they are when the time is over.

        ``tick`` is called again and again meanwhile.
        """
        seqs = [record.seq for record in records if record.status in UNDECIDED]
        if not seqs:
            return list(records)

        def decided(tx: Connection) -> bool | None:
            return None if jobs.is_any_undecided(tx, seqs) else True

        wait_for(self.store, decided, timeout_s=timeout_s, attend=self.attend_if_due, tick=tick)
        with self.store.reading_directly() as tx:
            latest = jobs.find_many(tx, seqs)
        return [latest.get(record.seq, record) for record in records]

    def resolve(self, references: Sequence[str]) -> list[JobRecord]:
        """Give the jobs meant by ids, prefixes or ``last``; raises ``JobNotFound`` or ``AmbiguousJobId``."""
        with self.store.reading_directly() as tx:
            return jobs.resolve_all(tx, references)

    def find(self, job_id: str) -> JobRecord:
        """Give the job with exactly that id; raises ``JobNotFound``."""
        with self.store.reading_directly() as tx:
            return jobs.find(tx, job_id)

    def listed(
        self,
        wanted: JobFilter,
        *,
        limit: int | None,
        sort: SortKey = SortKey.SUBMITTED,
        descending: bool = True,
    ) -> list[JobRecord]:
        """List the jobs that fit, the last submitted first unless told otherwise."""
        with self.store.reading_directly() as tx:
            return listed(tx, wanted, limit=limit, sort=sort, descending=descending)

    def wait(
        self,
        records: Sequence[JobRecord],
        *,
        timeout_s: float | None,
        tick: Callable[[Collection[JobRecord]], None] | None = None,
    ) -> Iterator[JobRecord]:
        """Give each job once it is final, in the order in which they end; stops silently when the time is over.

        ``tick`` is called again and again meanwhile, with all the jobs as they were last read. Raises ``JobNotFound``
        for a job that somebody deleted meanwhile.
        """
        open_seqs = {record.seq: record.job_id for record in records}
        latest = {record.seq: record for record in records}
        deadline_s = None if timeout_s is None else self.store.clock.monotonic_s() + timeout_s

        def ended(tx: Connection) -> list[JobRecord] | None:
            seqs = sorted(open_seqs)
            has_ended = jobs.ends_of(tx, seqs)
            for seq in seqs:
                if seq not in has_ended:
                    raise JobNotFound(open_seqs[seq])
            # Whoever shows how it goes on reads all; for anybody else those that have ended will do.
            found = jobs.find_many(tx, seqs if tick else [seq for seq in seqs if has_ended[seq]])
            latest.update(found)
            final = [record for record in found.values() if record.status.is_final]
            return sorted(final, key=lambda record: (record.finished_us or 0, record.seq)) or None

        show = None if tick is None else partial(tick, latest.values())
        self.attend_if_due()
        while open_seqs:
            left_s = None if deadline_s is None else max(0.0, deadline_s - self.store.clock.monotonic_s())
            batch = wait_for(self.store, ended, timeout_s=left_s, attend=self.attend_if_due, tick=show)
            if batch is None:
                return
            for record in batch:
                del open_seqs[record.seq]
                yield record

    def attend(self) -> None:
        """Do now and then while waiting: see to it that a worker works on what is pending.

        Raises ``WorkerUnavailable``.
        """
        self._launcher.attend()

    def attend_if_due(self) -> None:
        """Do what ``attend`` does, unless that or a submission was less than a second ago."""
        self._launcher.attend_if_due()

    def cancel(self, record: JobRecord, *, timeout_s: float = _CANCEL_TAKES_AT_MOST_S) -> JobRecord:
        """End a job, wherever it is, and give its state when that is final or the time is over."""
        return self.cancel_all([record], timeout_s=timeout_s)[0]

    def cancel_all(
        self,
        wanted: Sequence[JobRecord] | JobFilter,
        *,
        message: str | None = None,
        timeout_s: float = _CANCEL_TAKES_AT_MOST_S,
    ) -> list[JobRecord]:
        """End jobs, wherever they are, and give their states when all are final or the time is over.

        With a filter, all that fit it and have not ended. ``message`` says why, up to 1000 characters.
        """
        asked, running = changes.request_cancels(self.store, wanted, message=message)
        latest = {record.seq: record for record in asked}
        if running:
            self._launcher.call()
            latest |= {record.seq: record for record in self.wait(running, timeout_s=timeout_s)}
        return [latest[record.seq] for record in asked]

    def retry(self, records: Sequence[JobRecord]) -> list[JobRecord]:
        """Make a new job of each final one, all or none, then wake the worker; raises ``JobNotFinal``."""
        again = changes.retry(self.store, records)
        self._wake_worker()
        return again

    def tag(self, records: Sequence[JobRecord], *, add: Collection[str], remove: Collection[str]) -> list[JobRecord]:
        """Take tags from jobs, then add others; raises ``InputRefused`` for what cannot be a tag."""
        return changes.tag(self.store, records, add=add, remove=remove)

    def short_ids(self, records: Sequence[JobRecord]) -> dict[str, str]:
        """Give for each id its shortest beginning, of 8 characters or more, that means no other job."""
        with self.store.reading_directly() as tx:
            return short_ids(tx, records)

    def queue_position(self, record: JobRecord) -> int | None:
        """Count from 1 how soon a queued job will start; None when it does not queue.

        All that have more than 10,000 jobs before them have the place 10,001.
        """
        with self.store.reading_directly() as tx:
            return jobs.queue_position(tx, record)

    def queue_positions(self, records: Sequence[JobRecord]) -> dict[int, int]:
        """Give the place of each job that queues, as ``queue_position`` does, by its sequence number."""
        with self.store.reading_directly() as tx:
            return jobs.queue_positions(tx, records)

    def results(self, record: JobRecord, *, positions: Collection[int] | None = None) -> Iterator[ExperimentBytes]:
        """Read the stored results in the order of the experiments, or only those at ``positions``.

        Raises ``PayloadDamaged``. Arrays are not read here, only those that are then asked for.
        """
        with self.store.reading_directly() as tx:
            for stored in experiments.results_of(tx, record.seq, positions=positions):
                payload = stored.payload
                with self._still_there(record):
                    data = objects.load(self.store.paths, payload)
                yield ExperimentBytes(
                    position=stored.position,
                    attempt=stored.attempt,
                    name=payload.name,
                    format=payload.format,
                    data=data,
                    arrays=tuple(self._array(record, stored.position, array) for array in stored.arrays),
                )

    def _array(self, record: JobRecord, position: int, array: ArrayRecord) -> StoredArray:
        @contextlib.contextmanager
        def found() -> Iterator[Payload]:
            with self.store.reading_directly() as tx:
                payload = experiments.array_of(tx, record.seq, position, array.name)
            if payload is None:  # deleted since
                raise JobNotFound(record.job_id)
            with self._still_there(record):
                yield payload

        return StoredArray(array.name, array.size_bytes, array.sha256, self.store.paths, found)

    def arrays(self, record: JobRecord, item: ExperimentBytes) -> Iterator[tuple[str, bytes | mmap.mmap]]:
        """Read the arrays of a stored result one after the other, each as ``StoredArray.load_apart`` does."""
        if not item.arrays:
            return
        with self.store.reading_directly() as tx:
            stored = experiments.arrays_of(tx, record.seq, item.position)
        if [payload.name for payload in stored] != [array.name for array in item.arrays]:  # deleted since
            raise JobNotFound(record.job_id)
        for payload in stored:
            with self._still_there(record):
                data = large_objects.load_apart(self.store.paths, payload)
            yield payload.name, data

    def circuits(self, record: JobRecord) -> list[CircuitBytes]:
        """Read the circuits that a job was submitted with, as bytes; raises ``PayloadDamaged``."""
        return self._submitted(record, RUN_FORMATS)

    def estimation(self, record: JobRecord) -> Estimation | None:
        """Read what is to be estimated of a job's circuits; None where they are counted. Raises ``PayloadDamaged``."""
        for stored in self._submitted(record, frozenset({ESTIMATION})):
            return decode_estimation(stored.data, stored.name)
        return None

    def payloads(self, record: JobRecord) -> list[CircuitBytes]:
        """Read all that a job was submitted with, what its circuits run with included; raises ``PayloadDamaged``."""
        return self._submitted(record, None)

    def sweep(self, record: JobRecord) -> Sweep | None:
        """Read the values of the job's parameters; None where it has none. Raises ``PayloadDamaged``."""
        for stored in self._submitted(record, frozenset({SWEEP})):
            return sweeps.decode(stored.data, stored.name)
        return None

    def surroundings(self, record: JobRecord) -> CircuitBytes | None:
        """Read the noise that a job runs under, as bytes; None where it has none. Raises ``PayloadDamaged``."""
        return next(iter(self._submitted(record, NOISE_FORMATS)), None)

    def _submitted(self, record: JobRecord, formats: frozenset[str] | None) -> list[CircuitBytes]:
        with self.store.reading_directly() as tx:
            stored = submissions.payloads_of(tx, record.seq, formats=formats)
        with self._still_there(record):
            return [
                CircuitBytes(payload.name, payload.format, objects.load(self.store.paths, payload))
                for payload in stored
            ]

    @contextlib.contextmanager
    def _still_there(self, record: JobRecord) -> Iterator[None]:
        """Raise ``JobNotFound`` for a file that went with its job, since the job's rows were read."""
        try:
            yield
        except PayloadDamaged:
            self.find(record.job_id)
            raise

    def delete(self, record: JobRecord) -> bool:
        """Remove a final job; return False when it is not final. Raises ``JobNotFound``."""
        try:
            self.delete_all([record])
        except JobNotFinal:
            return False
        return True

    def delete_all(self, records: Sequence[JobRecord]) -> int:
        """Remove final jobs with all that belongs to them, all or none; give how many bytes of files that frees.

        Raises ``JobNotFinal`` or ``JobNotFound``.
        """
        return changes.delete(self.store, records)

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def _wake_worker(self) -> None:
        # The jobs are durable: whatever keeps a worker from starting now, whoever waits for them tries again.
        with contextlib.suppress(OSError, AerjobError):
            self._launcher.call()

    def _prepared(self, requests: Sequence[Request]) -> list[Submission]:
        common = _Common()
        return [self._submission(request, common) for request in requests]

    def _submission(self, request: Request, common: _Common) -> Submission:
        simulator = simulator_named(request.backend)
        if not request.circuits:
            raise InputRefused("a job needs at least one circuit, and none was given")
        request = checked(request)
        assert request.shots is not None
        return Submission(
            job_id=str(uuid.uuid4()),
            payloads=tuple(self._payload(given, common.payloads) for given in (*request.circuits, *request.beside)),
            backend=simulator.name,
            method=request.method,
            shots=request.shots,
            seed=common.seeds.seed_for(_experiments_of(request)) if request.seed is None else request.seed,
            requested_seed=request.seed,
            memory=request.memory,
            options=request.options,
            metadata=request.metadata,
            name=request.name,
            tags=tuple(request.tags),
            priority=request.priority,
            time_limit_s=request.time_limit_s,
            max_memory_mb=request.max_memory_mb,
            max_attempts=request.max_attempts,
            idempotency_key=request.idempotency_key,
            submitted_by=common.origin,
            counts_required=request.plan is None,
            experiments_total=None if request.plan is None else request.plan.experiments_total,
            threads=None if request.plan is None else request.plan.threads,
        )

    def _payload(self, circuit: CircuitBytes, known: dict[int, Payload]) -> Payload:
        if id(circuit) not in known:
            known[id(circuit)] = self._new_payload(circuit)
        return known[id(circuit)]

    def _new_payload(self, circuit: CircuitBytes) -> Payload:
        size = len(circuit.data)
        if size > PAYLOAD_LIMIT_BYTES:
            limit_mib = PAYLOAD_LIMIT_BYTES // 2**20
            raise InputRefused(f"{circuit.name} has {size} bytes; circuits may have {limit_mib} MiB", size_bytes=size)
        sha256 = sha256_hex(circuit.data)
        with told(self.store.paths.objects):
            inline = objects.put_if_large(self.store.paths, sha256, circuit.data)
        return Payload(circuit.name, circuit.format, sha256, size, inline, circuit.identity)


def _experiments_of(request: Request) -> int | None:
    """Count the experiments of a job to be; None where only an executor will know."""
    if request.plan is not None:
        return request.plan.experiments_total
    is_plain = not request.beside and all(given.format in (OPENQASM2, OPENQASM3) for given in request.circuits)
    return len(request.circuits) if is_plain else None
