"""Requests on their way to durable jobs: all are looked at first, then taken in some at a time.

What is taken in is known at any time, also to who was interrupted in the middle of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from typing import TYPE_CHECKING

from aerjob_cli.api.origin import submitted_by
from aerjob_cli.api.request_checks import checked
from aerjob_cli.api.requests import CircuitBytes, Request
from aerjob_cli.api.waits import checked_begin, kinds
from aerjob_cli.codec.envelope import OPENQASM2, OPENQASM3, sha256_hex
from aerjob_cli.codec.seeds import DrawnSeeds
from aerjob_cli.errors import InputRefused
from aerjob_cli.frozen import dataclass
from aerjob_cli.plugins.discovery import simulator_named
from aerjob_cli.settings import JOBS_PER_TRANSACTION, PAYLOAD_LIMIT_BYTES
from aerjob_cli.states import After
from aerjob_cli.store import jobs, objects, submissions
from aerjob_cli.store.database import Store
from aerjob_cli.store.faults import told
from aerjob_cli.store.records import Dependency, JobRecord, Payload, Reuse, Submission

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True)
class _Common:
    """What the jobs of one call share: the sequence of their seeds, whence they come, payloads such as their noise."""

    seeds: DrawnSeeds = field(default_factory=DrawnSeeds)
    origin: Mapping[str, str] = field(default_factory=submitted_by)
    payloads: dict[int, Payload] = field(default_factory=dict)
    # What those of them that depend on other jobs depend on, as it was given.
    after: dict[str, list[tuple[After, str]]] = field(default_factory=dict)


class Intake:
    """Some requests, and the jobs that they have become."""

    def __init__(self, store: Store, requests: Sequence[Request]) -> None:
        """Look at all requests; raises ``InputRefused``, with nothing taken in.

        So do ``JobNotFound`` and ``AmbiguousJobId``, for jobs that one is to start after.
        """
        self.jobs: list[JobRecord] = []
        self._store = store
        self._requests = requests
        common = _Common()
        self._prepared = [self._submission(request, common) for request in requests]
        self._prepared = self._with_reuse(self._with_dependencies(self._prepared, common))

    @property
    def is_complete(self) -> bool:
        return len(self.jobs) == len(self._requests)

    def take_in(self, at_most: int = JOBS_PER_TRANSACTION) -> None:
        """Make the next jobs durable, all of these or none; they are in ``jobs`` then."""
        part = self._next(at_most)
        with self._store.writing_directly() as tx:
            for request, item in zip(self._requests[part], self._prepared[part], strict=True):
                # From here on nobody removes a file as unreferenced.
                for given, payload in zip((*request.circuits, *request.beside), item.payloads, strict=True):
                    objects.put_again(self._store.paths, payload, given.data)
            wanted = [self._reusing_what_is_there(tx, item) for item in self._prepared[part]]
            made = submissions.submit_all(tx, wanted, now_us=self._store.now_us())
        self.jobs += made

    def look_again(self, at_most: int = JOBS_PER_TRANSACTION) -> None:
        """Find out whether the next jobs have become durable, where something came in between before it was known."""
        with self._store.reading_directly() as tx:
            self.jobs += submissions.taken_in(tx, self._prepared[self._next(at_most)])

    def _next(self, at_most: int) -> slice:
        return slice(len(self.jobs), len(self.jobs) + at_most)

    def _submission(self, request: Request, common: _Common) -> Submission:
        simulator = simulator_named(request.backend)
        if not request.circuits:
            raise InputRefused("a job needs at least one circuit, and none was given")
        request = checked(request)
        assert request.shots is not None
        job_id = str(uuid.uuid4())
        if wanted := kinds(request.after, request.after_ok, request.after_any):
            common.after[job_id] = wanted
        return Submission(
            job_id=job_id,
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
            group_name=request.group,
            priority=request.priority,
            time_limit_s=request.time_limit_s,
            max_memory_mb=request.max_memory_mb,
            max_attempts=request.max_attempts,
            idempotency_key=request.idempotency_key,
            submitted_by=common.origin,
            counts_required=request.plan is None,
            experiments_total=None if request.plan is None else request.plan.experiments_total,
            threads=None if request.plan is None else request.plan.threads,
            estimated_bytes=None if request.plan is None else request.plan.estimated_bytes,
            held=request.hold,
            begin_us=checked_begin(request.begin),
            on_end=request.on_end,
        )

    def _with_dependencies(self, prepared: list[Submission], common: _Common) -> list[Submission]:
        """Name the jobs that others depend on by their full ids."""
        if not common.after:
            return prepared
        with self._store.reading_directly() as tx:
            # What a repeated submission depended on may be gone, and the job is there.
            known = submissions.known_keys(tx, prepared)
            new = [item for item in prepared if item.idempotency_key not in known]
            references = sorted({reference for item in new for _, reference in common.after.get(item.job_id, ())})
            found = jobs.resolve_all(tx, references)
        ids = {reference: record.job_id for reference, record in zip(references, found, strict=True)}
        return [
            replace(
                item,
                dependencies=tuple(
                    Dependency(kind, ids[reference])
                    for kind, reference in common.after.get(item.job_id, ())
                    if item.idempotency_key not in known
                ),
            )
            for item in prepared
        ]

    def _with_reuse(self, prepared: list[Submission]) -> list[Submission]:
        """Name the jobs whose results will do."""
        if not any(request.reuse for request in self._requests):
            return prepared
        # Only who asks for it pays for it.
        from aerjob_cli.api.reuse import reusable

        with self._store.reading_directly() as tx:
            return [
                replace(item, reuse=Reuse(found, request.experiment_names))
                if request.reuse and (found := reusable(tx, self._store.paths, item)) is not None
                else item
                for request, item in zip(self._requests, prepared, strict=True)
            ]

    def _reusing_what_is_there(self, tx: Connection, item: Submission) -> Submission:
        """Have a job run after all whose result has been deleted meanwhile."""
        if item.reuse is None:
            return item
        from aerjob_cli.store.reuse import is_there

        return item if is_there(tx, self._store.paths, item.reuse) else replace(item, reuse=None)

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
        with told(self._store.paths.objects):
            inline = objects.put_if_large(self._store.paths, sha256, circuit.data)
        return Payload(circuit.name, circuit.format, sha256, size, inline, circuit.identity)


def _experiments_of(request: Request) -> int | None:
    """Count the experiments of a job to be; None where only an executor will know."""
    if request.plan is not None:
        return request.plan.experiments_total
    is_plain = not request.beside and all(given.format in (OPENQASM2, OPENQASM3) for given in request.circuits)
    return len(request.circuits) if is_plain else None
