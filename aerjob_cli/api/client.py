"""The use cases of callers, without Qiskit: submit bytes, look up, list, wait, cancel, read results.

The command line and the Python API both stand on this. It talks to the store only, and wakes the worker.
"""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from aerjob_cli.api import changes
from aerjob_cli.api.intake import Intake
from aerjob_cli.api.launch import WorkerLauncher
from aerjob_cli.api.matched import Matched, Meant, as_they_are
from aerjob_cli.api.requests import CircuitBytes, Request
from aerjob_cli.api.stored_arrays import StoredArray
from aerjob_cli.codec import sweeps
from aerjob_cli.codec.envelope import ESTIMATION, NOISE_FORMATS, RUN_FORMATS, SWEEP
from aerjob_cli.codec.observables import Estimation, decode_estimation
from aerjob_cli.codec.sweeps import Sweep
from aerjob_cli.errors import AerjobError, GroupNotFound, JobNotFinal, JobNotFound, PayloadDamaged
from aerjob_cli.frozen import dataclass
from aerjob_cli.settings import Settings
from aerjob_cli.states import UNDECIDED, Part
from aerjob_cli.store import experiments, jobs, large_objects, objects, submissions
from aerjob_cli.store.database import Store
from aerjob_cli.store.listing import JobFilter, SortKey, is_group, listed, matching_seqs, short_ids
from aerjob_cli.store.records import ArrayRecord, JobRecord, Payload

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aerjob_cli.api.explanations import Explanation

CANCEL_TAKES_AT_MOST_S = 30.0


@dataclass(frozen=True)
class ExperimentBytes:
    """The stored result of one experiment, its checksum verified; the arrays that it refers to can be loaded."""

    position: int
    attempt: int
    name: str
    format: str
    data: bytes
    arrays: tuple[StoredArray, ...] = ()


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
        intake = Intake(self.store, requests)
        intake.take_in(at_most=len(requests))
        self.wake_worker_for(intake.jobs)
        return intake.jobs

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
        from aerjob_cli.api.waiting import wait_for

        seqs = [record.seq for record in records if record.status in UNDECIDED]
        if not seqs:
            return list(records)

        def decided(tx: Connection) -> bool | None:
            return None if jobs.is_any_undecided(tx, seqs) else True

        wait_for(self.store, decided, timeout_s=timeout_s, attend=self.attend_if_due, tick=tick)
        with self.store.reading_directly() as tx:
            found = jobs.find_many(tx, seqs)
        return [found.get(record.seq, record) for record in records]

    def resolve(self, references: Sequence[str]) -> list[JobRecord]:
        """Give the jobs meant by ids, prefixes or ``last``; raises ``JobNotFound`` or ``AmbiguousJobId``."""
        with self.store.reading_directly() as tx:
            return jobs.resolve_all(tx, references)

    def resolve_with_places(self, references: Sequence[str]) -> list[tuple[JobRecord, int | None]]:
        """Do as ``resolve``, and give with each job its ``queue_position`` at the same moment."""
        with self.store.reading_directly() as tx:
            found = jobs.resolve_all(tx, references)
            places = jobs.queue_positions(tx, found)
        return [(record, places.get(record.seq)) for record in found]

    def explain(self, references: Sequence[str]) -> list[Explanation]:
        """Say of jobs why they are not running yet; raises as ``resolve``."""
        from aerjob_cli.api.explanations import explain

        with self.store.reading_directly() as tx:
            return [explain(tx, job) for job in jobs.resolve_all(tx, references)]

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

    def match(self, wanted: JobFilter) -> Matched:
        """Find all jobs that fit; raises ``GroupNotFound`` where no job is in the group that is asked for."""
        with self.store.reading_directly() as tx:
            seqs = matching_seqs(tx, wanted)
            if not seqs and wanted.group is not None and not is_group(tx, wanted.group):
                raise GroupNotFound(wanted.group)
        return Matched(wanted, seqs)

    def latest(self, meant: Meant) -> list[JobRecord]:
        """Give jobs as they are now; one that is gone is left out."""
        with self.store.reading_directly() as tx:
            return as_they_are(tx, meant)

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
        from aerjob_cli.api.waiting import wait_for

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

    def cancel(self, record: JobRecord, *, timeout_s: float = CANCEL_TAKES_AT_MOST_S) -> JobRecord:
        """End a job, wherever it is, and give its state when that is final or the time is over."""
        return self.cancel_all([record], timeout_s=timeout_s)[0]

    def cancel_all(
        self,
        meant: Meant,
        *,
        message: str | None = None,
        timeout_s: float = CANCEL_TAKES_AT_MOST_S,
    ) -> list[JobRecord]:
        """End jobs, wherever they are, and give their states when all are final or the time is over.

        ``message`` says why, up to 1000 characters.
        """
        asked, running = self.request_cancels(meant, message=message)
        ended = {record.seq: record for record in self.wait(running, timeout_s=timeout_s)} if running else {}
        return [ended.get(record.seq, record) for record in asked]

    def request_cancels(self, meant: Meant, *, message: str | None) -> tuple[list[JobRecord], list[JobRecord]]:
        """Ask for the end of jobs, and give them, and those that a worker has still to end."""
        asked, running, has_due_commands = changes.request_cancels(self.store, meant, message=message)
        if running:
            self._launcher.call()
        elif has_due_commands:
            self.wake_worker()
        return asked, running

    def retry(self, meant: Meant, *, make_id: Callable[[], str] = changes.new_id) -> list[JobRecord]:
        """Make a new job of each final one, all or none, then wake the worker; raises ``JobNotFinal``."""
        again = changes.retry(self.store, meant, make_id=make_id)
        self.wake_worker()
        return again

    def hold(self, meant: Meant) -> list[JobRecord]:
        """Keep jobs from starting until they are released, all or none; raises ``JobHasBegun``."""
        return changes.hold(self.store, meant)

    def release(self, meant: Meant) -> list[JobRecord]:
        """Let jobs start that were held, all or none, then wake the worker; raises ``JobHasBegun``."""
        released = changes.release(self.store, meant)
        self.wake_worker()
        return released

    def set_priority(self, meant: Meant, priority: int) -> list[JobRecord]:
        """Change the place of jobs in the queue, all or none; raises ``JobHasBegun`` or ``InputRefused``."""
        return changes.set_priority(self.store, meant, priority)

    def tag(self, meant: Meant, *, add: Collection[str], remove: Collection[str]) -> list[JobRecord]:
        """Take tags from jobs, then add others; raises ``InputRefused`` for what cannot be a tag."""
        return changes.tag(self.store, meant, add=add, remove=remove)

    def require_final(self, meant: Meant, deed: str) -> list[JobRecord]:
        """Give the jobs as they are now; raises ``JobNotFinal``, as ``retry`` would."""
        return changes.require_final(self.store, meant, deed)

    def deletable(self, meant: Meant) -> list[JobRecord]:
        """Give the jobs that ``delete_all`` would delete now; raises as that."""
        return changes.deletable(self.store, meant)

    def short_ids(self, records: Sequence[JobRecord]) -> dict[str, str]:
        """Give for each id its shortest beginning, of 8 characters or more, that means no other job."""
        with self.store.reading_directly() as tx:
            return short_ids(tx, records)

    def queue_position(self, record: JobRecord) -> int | None:
        """Count from 1 how soon a queued job will start; None when it does not queue.

        All that have more than 10,000 jobs before them have the place 10,001.
        """
        with self.store.reading_directly() as tx:
            return jobs.queue_position(tx, jobs.find(tx, record.job_id))

    def results(self, record: JobRecord, *, positions: Collection[int] | None = None) -> Iterator[ExperimentBytes]:
        """Read the stored results in the order of the experiments, or only those at ``positions``.

        Raises ``PayloadDamaged``, or ``Pruned`` where they were removed. Arrays are not read here, only those that are
        then asked for.
        """
        with self.store.reading_directly() as tx:
            stored = None
            for stored in experiments.results_of(tx, record.seq, positions=positions):
                payload = stored.payload
                with self._still_there(record, Part.RESULTS):
                    data = objects.load(self.store.paths, payload)
                yield ExperimentBytes(
                    position=stored.position,
                    attempt=stored.attempt,
                    name=payload.name,
                    format=payload.format,
                    data=data,
                    arrays=tuple(self._array(record, stored.position, array) for array in stored.arrays),
                )
            if stored is None and record.experiments_done:
                _require_kept(tx, record, Part.RESULTS)

    def _array(self, record: JobRecord, position: int, array: ArrayRecord) -> StoredArray:
        @contextlib.contextmanager
        def found() -> Iterator[Payload]:
            with self.store.reading_directly() as tx:
                payload = experiments.array_of(tx, record.seq, position, array.name)
            if payload is None:
                raise self._gone(record)
            with self._still_there(record, Part.RESULTS):
                yield payload

        return StoredArray(array.name, array.size_bytes, array.sha256, self.store.paths, found)

    def arrays(self, record: JobRecord, item: ExperimentBytes) -> Iterator[tuple[str, bytes | mmap.mmap]]:
        """Read the arrays of a stored result one after the other, each as ``StoredArray.load_apart`` does."""
        if not item.arrays:
            return
        with self.store.reading_directly() as tx:
            stored = experiments.arrays_of(tx, record.seq, item.position)
        if [payload.name for payload in stored] != [array.name for array in item.arrays]:
            raise self._gone(record)
        for payload in stored:
            with self._still_there(record, Part.RESULTS):
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
            if formats in (None, RUN_FORMATS) and not any(payload.format in RUN_FORMATS for payload in stored):
                _require_kept(tx, record, Part.CIRCUITS)
        with self._still_there(record, Part.CIRCUITS):
            return [
                CircuitBytes(payload.name, payload.format, objects.load(self.store.paths, payload))
                for payload in stored
            ]

    @contextlib.contextmanager
    def _still_there(self, record: JobRecord, part: Part) -> Iterator[None]:
        """Raise ``JobNotFound`` or ``Pruned`` for a file that went with its job or part, since the rows were read."""
        try:
            yield
        except PayloadDamaged:
            with self.store.reading_directly() as tx:
                _require_kept(tx, jobs.find(tx, record.job_id), part)
            raise

    def _gone(self, record: JobRecord) -> AerjobError:
        """Give the error of a result that went since its row was read: with its job, or to save room."""
        try:
            with self.store.reading_directly() as tx:
                _require_kept(tx, jobs.find(tx, record.job_id), Part.RESULTS)
        except AerjobError as error:
            return error
        return JobNotFound(record.job_id)

    def require_results(self, records: Iterable[JobRecord]) -> None:
        """Raise ``Pruned`` for the first job whose results were removed."""
        with self.store.reading_directly() as tx:
            for record in records:
                _require_kept(tx, record, Part.RESULTS)

    def delete(self, record: JobRecord) -> bool:
        """Remove a final job; return False when it is not final. Raises ``JobNotFound``."""
        try:
            self.delete_all([record])
        except JobNotFinal:
            return False
        return True

    def delete_all(self, meant: Meant) -> tuple[list[str], int]:
        """Remove final jobs with all that belongs to them: all that were named, or none.

        Of jobs that were found by a filter those are left that others wait for. Give the ids, and how many bytes of
        files that frees. Raises ``JobNotFinal``, ``JobAwaited`` or ``JobNotFound``.
        """
        return changes.delete(self.store, meant)

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def wake_worker_for(self, taken_in: Iterable[JobRecord]) -> None:
        """Do as ``wake_worker``, unless all of the jobs were given results of earlier ones."""
        if not all(job.status.is_final and job.on_end is None for job in taken_in):
            self.wake_worker()

    def wake_worker(self) -> None:
        """Have a worker look for what was submitted, and start one where there is none.

        Raises nothing: the jobs are durable.
        """
        # Whatever keeps a worker from starting now, whoever waits for them tries again.
        with contextlib.suppress(OSError, AerjobError):
            self._launcher.call()


def _require_kept(tx: Connection, record: JobRecord, part: Part) -> None:
    """Raise ``Pruned`` where that was removed; what it takes to know is only for who finds nothing."""
    from aerjob_cli.api.pruned import require_kept

    require_kept(tx, record, part)
