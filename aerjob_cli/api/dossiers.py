"""All that the store knows of one job, read at one instant."""

from __future__ import annotations

from itertools import pairwise

from aerjob_cli.api.provenance import Provenance, read_provenance
from aerjob_cli.api.pruned import require_kept
from aerjob_cli.errors import JobNotFound, PayloadDamaged
from aerjob_cli.frozen import dataclass
from aerjob_cli.states import Part, Status
from aerjob_cli.store import dependencies, end_commands, events, jobs, objects, prunings, submissions, workers
from aerjob_cli.store.database import Store
from aerjob_cli.store.end_commands import EndCommandRecord
from aerjob_cli.store.records import DependencyRecord, EventRecord, JobRecord, PayloadRecord, Pruning, WorkerRecord

_US_PER_S = 1_000_000


@dataclass(frozen=True, slots=True)
class Dossier:
    """A job with its files, its history, its retries, its workers, its place in the queue, and what it depends on."""

    job: JobRecord
    files: tuple[PayloadRecord, ...]
    history: tuple[EventRecord, ...]
    retries: tuple[str, ...]
    workers: tuple[WorkerRecord, ...]
    queue_position: int | None
    dependencies: tuple[DependencyRecord, ...]
    provenance: Provenance
    pruning: Pruning
    # Of a job that has ended and has a command for that.
    end_command: EndCommandRecord | None = None

    def seconds_in(self, status: Status, *, now_us: int) -> float | None:
        """Sum up how long the job has been in a state, also when it was in it more than once; None when never."""
        times = [(event.to_status, event.at_us) for event in self.history]
        spells = [
            max(0, left_us - entered_us)  # the clock may have been set back
            for (state, entered_us), (_, left_us) in pairwise([*times, (None, now_us)])
            if state is status
        ]
        return sum(spells) / _US_PER_S if spells else None


def dossier_of(store: Store, record: JobRecord, *, with_experiments: bool = False) -> Dossier:
    """Read all that is known of a job; raises ``JobNotFound`` when it was deleted meanwhile.

    How each experiment was run can be much, and is read only if asked for.
    """
    with store.reading_directly() as tx:
        job = jobs.find(tx, record.job_id)
        history = events.history(tx, job.seq)
        worker_ids = list(dict.fromkeys(event.worker_id for event in history if event.worker_id is not None))
        known = {worker.worker_id: worker for worker in workers.known(tx, worker_ids)}
        return Dossier(
            job=job,
            files=tuple(submissions.files_of(tx, job.seq)),
            history=tuple(history),
            retries=tuple(jobs.retries_of(tx, job.job_id)),
            # In the order in which they had the job, whatever the clock said.
            workers=tuple(known[worker_id] for worker_id in worker_ids if worker_id in known),
            queue_position=jobs.queue_position(tx, job),
            dependencies=tuple(dependencies.of_job(tx, job.seq)),
            provenance=read_provenance(tx, job, history, with_experiments=with_experiments),
            pruning=prunings.of_job(tx, job.seq),
            end_command=None if job.on_end is None else end_commands.of_job(tx, job.seq),
        )


def source_of(store: Store, record: JobRecord, position: int) -> bytes:
    """Read one of the files that a job was submitted with, counted from 0; raises ``PayloadDamaged`` or ``Pruned``."""
    with store.reading_directly() as tx:
        payload = submissions.file_of(tx, record.seq, position)
        if payload is None:
            require_kept(tx, record, Part.CIRCUITS)
    if payload is None:
        raise JobNotFound(record.job_id)
    try:
        return objects.load(store.paths, payload)
    except PayloadDamaged:
        # Its file may have gone with the job, since the row was read.
        with store.reading_directly() as tx:
            jobs.find(tx, record.job_id)
        raise
