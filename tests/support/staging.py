"""Jobs led through their lives by hand, with the store's own verbs, where no worker does."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType

from aerjob_cli.codec.envelope import EXPERIMENT_RESULT, MARKED_EXPERIMENT_RESULT, NPY
from aerjob_cli.processes import started_of
from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Reason, Status
from aerjob_cli.store import claims, jobs, lifecycle, runtimes
from aerjob_cli.store.database import Store
from aerjob_cli.store.objects import put_if_large
from aerjob_cli.store.records import Claim, ExperimentRecord, JobRecord, Payload, RunFacts
from aerjob_cli.store.runtimes import runtime_of
from tests.support import one_job

WORKER = "worker-of-the-test"
_US_PER_S = 1_000_000


class Stage:
    """A store of its own connections, and what a worker would do in it."""

    def __init__(self, paths: StorePaths) -> None:
        self.store = Store.open(paths)
        self._claims: dict[int, Claim] = {}

    def __enter__(self) -> Stage:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.store.close()

    def validate(self, job: JobRecord, *, experiments: int) -> None:
        """Have the first submitted job, which must be this one, accepted."""
        with self.store.writing() as tx:
            (item,) = claims.claim_validations(tx, WORKER, limit=1, now_us=self._now_us(0))
            assert item.job.seq == job.seq
            assert one_job.accept(tx, item.claim, experiments_total=experiments, threads=1, now_us=self._now_us(0))

    def start(
        self,
        job: JobRecord,
        *,
        ago_s: float = 0.0,
        in_this_process: bool = False,
        runtime: Mapping[str, str] | None = None,
    ) -> None:
        """Have the next job, which must be this one, begin; ``in_this_process`` it seems to run here.

        ``runtime`` is what it seems to run with.
        """
        with self.store.writing() as tx:
            (item,) = claims.claim(tx, WORKER, limit=1, now_us=self._now_us(ago_s))
            assert item.job.seq == job.seq
            self._claims[job.seq] = item.claim
            if runtime is not None:
                known = runtime_of(runtime)
                runtimes.note(tx, known)
                self._claims[job.seq] = replace(item.claim, runtime_id=known.runtime_id)
            if in_this_process:
                pid = os.getpid()
                assert lifecycle.note_executor(tx, item.claim, pid=pid, started=started_of(pid) or "")

    def record_arrays(self, job: JobRecord, data: bytes, arrays: Mapping[str, bytes]) -> None:
        """Store the first result: JSON with markers, and ``.npy`` bytes for the names in it."""
        claim = self._claims[job.seq]
        result = ExperimentRecord(
            0,
            claim.attempt,
            1,
            self._payload("experiment", MARKED_EXPERIMENT_RESULT, data),
            tuple(self._payload(name, NPY, content) for name, content in arrays.items()),
        )
        with self.store.writing() as tx:
            assert one_job.record_experiments(tx, claim, [result])

    def _payload(self, name: str, format: str, data: bytes) -> Payload:
        sha256 = hashlib.sha256(data).hexdigest()
        return Payload(name, format, sha256, len(data), put_if_large(self.store.paths, sha256, data))

    def record(self, job: JobRecord, *positions: int, data: bytes = b"{}", run: RunFacts | None = None) -> None:
        """Store results of experiments, ``data`` for each, as if they had been ``run`` so."""
        claim = self._claims[job.seq]
        digest = hashlib.sha256(data).hexdigest()
        with self.store.writing() as tx:
            payload = Payload("experiment", EXPERIMENT_RESULT, digest, len(data), data)
            results = [
                ExperimentRecord(position, claim.attempt, 100, payload, run=run or RunFacts()) for position in positions
            ]
            assert one_job.record_experiments(tx, claim, results)

    def finish(self, job: JobRecord) -> None:
        """RUNNING → DONE, all results being stored."""
        with self.store.writing() as tx:
            assert one_job.finish(tx, self._claims.pop(job.seq), engine="test", now_us=self._now_us(0))

    def fail(self, job: JobRecord) -> None:
        """RUNNING → ERROR."""
        with self.store.writing() as tx:
            assert lifecycle.fail(
                tx,
                self._claims.pop(job.seq),
                Reason.SIMULATION_FAILED,
                "it failed",
                stderr_tail=None,
                now_us=self._now_us(0),
            )

    def crash(self, job: JobRecord) -> None:
        """RUNNING → QUEUED: the attempt broke off."""
        with self.store.writing() as tx:
            assert lifecycle.crash(
                tx,
                self._claims.pop(job.seq),
                Reason.EXECUTOR_CRASHED,
                "it crashed",
                stderr_tail=None,
                now_us=self._now_us(0),
            )

    def look(self, job: JobRecord) -> JobRecord:
        """Read the job as it is now."""
        with self.store.reading() as tx:
            return jobs.find(tx, job.job_id)

    def run_through(self, job: JobRecord, *, experiments: int = 1) -> None:
        """Lead a job that is the next one from its submission to DONE."""
        if self.look(job).status is Status.INITIALIZING:
            self.validate(job, experiments=experiments)
        self.start(job)
        self.record(job, *range(experiments))
        self.finish(job)

    def _now_us(self, ago_s: float) -> int:
        return self.store.now_us() - int(ago_s * _US_PER_S)
