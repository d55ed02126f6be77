"""A job as Qiskit knows it: what one can do with it, and wait for.

Nothing that can still change is remembered; a result is, once it was fetched, since it never changes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator
from typing import Any, NoReturn

from qiskit import QuantumCircuit
from qiskit.providers import BackendV2, JobStatus
from qiskit.providers.jobstatus import JOB_FINAL_STATES
from qiskit.result import Result

from aerjob_cli.api.awaiting import end_of
from aerjob_cli.api.comparison import Comparison, compare
from aerjob_cli.api.job_errors import (
    AlreadySubmitted,
    JobCancelled,
    JobFailed,
    JobTimedOut,
    NotFinal,
    raised_as_job_errors,
)
from aerjob_cli.api.progress import Progress, progress_of
from aerjob_cli.api.provenance import Provenance, provenance_of
from aerjob_cli.api.statuses import to_qiskit
from aerjob_cli.api.stored_content import circuits_of, executed_of, result_of
from aerjob_cli.api.stored_job import StoredJob
from aerjob_cli.api.wake_ups import is_over, next_wake_s
from aerjob_cli.states import Status
from aerjob_cli.store import forks
from aerjob_cli.store.records import JobRecord


class BasicAerJob(StoredJob):
    """A job in the store.

    ``backend`` knows which store (those of ``BasicAerProvider`` do; for any other it is the one of ``AERJOB_HOME``).
    A given ``result`` makes the job final with that result, without a look at the store.
    """

    version = 1
    _async = True

    def __init__(self, backend: BackendV2 | None, job_id: str, result: Result | None = None) -> None:
        super().__init__(backend, job_id, is_stored=result is None)
        self._result = result

    def submit(self) -> NoReturn:
        """Raise ``JobError``: a job of this class has been submitted."""
        raise AlreadySubmitted("We have already submitted the job!", job_id=self._job_id)

    def status(self) -> JobStatus:
        """Read from the store where the job is in its life; raises ``UnknownJob`` where it is not there."""
        return to_qiskit(Status.DONE if not self._is_stored else self._read().status)

    def result(self, timeout: float | None = None) -> Result:
        """Wait until the job has ended, then give its result; every call gives the same object.

        Raises ``JobTimedOut`` (a ``JobTimeoutError`` and a ``TimeoutError``) after ``timeout`` seconds, ``JobFailed``
        when the job ended in ERROR, ``JobCancelled`` (also a ``concurrent.futures.CancelledError``), and
        ``StoredBytesDamaged`` when the stored result no longer has its checksum. All are ``JobError``.
        """
        if self._result is None:
            record = self._await_end(timeout)
            if record is None:
                raise self._timed_out(timeout)
            if record.status is Status.ERROR:
                raise JobFailed.of(record)
            if record.status is Status.CANCELLED:
                raise JobCancelled.of(record)
            with raised_as_job_errors(), forks.none():
                self._result = self._stored_result(record)
        return self._result

    def __await__(self) -> Generator[Any, None, Result]:
        """Wait in a coroutine, as ``result()`` does in a thread, and give the same.

        Other coroutines go on meanwhile. Cancelling the wait does not cancel the job; ``asyncio.timeout`` limits it.
        """
        return self._awaited().__await__()

    def _stored_result(self, record: JobRecord) -> Any:
        return result_of(self._client, record)

    def cancel(self) -> bool:
        """End the job, also while it is simulated.

        Return True when that ended it or it was cancelled before, False when it was DONE or in ERROR already. Raises
        ``JobTimedOut`` when no worker has answered in time; the request then stays.
        """
        if not self._is_stored:
            return False
        record = self._read()
        if not record.status.is_final:
            with raised_as_job_errors():
                record = self._noted(self._client.cancel(record))
        if not record.status.is_final:
            raise JobTimedOut(
                f"job {self._job_id} is still {record.status}: no worker has answered yet; it will be cancelled, "
                "see `aerjob worker status`",
                job_id=self._job_id,
            )
        return record.status is Status.CANCELLED

    def hold(self) -> None:
        """Keep the job from starting until ``release()``; raises ``HasBegun`` for one that runs or has ended."""
        with raised_as_job_errors():
            self._client.hold([self._read()])

    def release(self) -> None:
        """Let the job start that was held; raises ``HasBegun`` for one that runs or has ended."""
        with raised_as_job_errors():
            self._client.release([self._read()])

    def set_priority(self, priority: int) -> None:
        """Change the job's place in the queue; higher ones start first.

        Raises ``HasBegun`` for a job that runs or has ended, and ``InputRefused`` for what is no priority.
        """
        with raised_as_job_errors():
            self._client.set_priority([self._read()], priority)

    def wait_for_final_state(
        self,
        timeout: float | None = None,
        wait: float = 5,
        callback: Callable[[str, JobStatus, BasicAerJob], object] | None = None,
    ) -> None:
        """Return as soon as the job has ended, whatever way.

        ``callback(job_id, status, job)`` is called at once and then every ``wait`` seconds, never for the final state.
        Raises ``JobTimedOut`` at ``timeout`` seconds, not at the next multiple of ``wait``.
        """
        begun_s = time.monotonic()
        elapsed_s = 0.0
        while not self.in_final_state():
            if is_over(elapsed_s, timeout_s=timeout):
                raise self._timed_out(timeout)
            if callback is not None and (status := self.status()) not in JOB_FINAL_STATES:
                callback(self._job_id, status, self)
            elapsed_s = time.monotonic() - begun_s
            wake_s = next_wake_s(elapsed_s, timeout_s=timeout, every_s=None if callback is None else wait)
            self._await_end(None if wake_s is None else max(0.0, wake_s - elapsed_s))
            elapsed_s = time.monotonic() - begun_s

    def circuits(self, *, executed: bool = False) -> list[QuantumCircuit]:
        """Read the circuits that were submitted; raises ``NotValidated`` while nobody has found them valid.

        With ``executed``, as the simulator gets them: translated where it lacks a gate, and with what the job's
        options add. The installed Qiskit translates; ``provenance()`` says which one ran the job.
        """
        with raised_as_job_errors():
            read = executed_of if executed else circuits_of
            return read(self._client, self._read())

    def provenance(self) -> Provenance:
        """Say how the results came to be: versions, methods, seeds, times, memory, checksums."""
        with raised_as_job_errors():
            return provenance_of(self._client.store, self._read())

    def verify(self, timeout: float | None = None) -> Comparison:
        """Run the job once more, as a new job, and compare the results.

        Raises ``JobTimedOut`` after ``timeout`` seconds (the new job goes on; ``compare`` does the rest later),
        ``NotFinal`` for a job that has not ended, ``JobCancelled`` for one that was cancelled, and ``PartPruned`` where
        its results or circuits were removed.
        """
        record = self._read()
        if not record.status.is_final:
            raise NotFinal(
                f"job {self._job_id} is {record.status}, so that there is nothing to compare with; wait for its end",
                job_id=self._job_id,
            )
        if record.status is Status.CANCELLED:
            raise JobCancelled.of(record)
        with raised_as_job_errors():
            self._client.require_results([record])
            (again,) = self._client.retry([record])
        repeated = type(self)(self._backend, again.job_id)
        repeated.wait_for_final_state(timeout)
        return self.compare(repeated)

    def compare(self, other: BasicAerJob) -> Comparison:
        """Compare the results of this job with those of another one of the same store; both have ended.

        Raises ``NotFinal`` for a job that has not.
        """
        records = [job._read() for job in (self, other)]
        for record in records:
            if not record.status.is_final:
                raise NotFinal(f"job {record.job_id} is {record.status}; wait for its end", job_id=record.job_id)
        with raised_as_job_errors():
            return compare(self._client, *records)

    def progress(self) -> Progress:
        """Say how many experiments and shots have their result, and how long the others will take."""
        if not self._is_stored:
            return _progress_of_given(self.result())
        return progress_of(self._read(), now_us=self._client.store.now_us())

    async def _awaited(self) -> Result:
        # Whatever reads from the store does so in a thread: what it reads may be large.
        if self._result is None:
            record = self._pending()
            if record is None:
                record = await asyncio.to_thread(self._read)
            if not record.status.is_final:
                with raised_as_job_errors():
                    self._noted(await end_of(self._client, record))
        return await asyncio.to_thread(self.result)

    def _await_end(self, timeout_s: float | None) -> JobRecord | None:
        """Wait for the end of the job, and give the record that it has then; None when the time is over before."""
        record = self._pending() or self._read()
        if record.status.is_final:
            return record
        with raised_as_job_errors():
            for ended in self._client.wait([record], timeout_s=timeout_s):
                return self._noted(ended)
        return None

    def _pending(self) -> JobRecord | None:
        """Give the record that was read last if the job may still end, which a wait finds out without another look."""
        record = self._last_read
        return None if record is None or record.status.is_final else record

    def _timed_out(self, timeout_s: float | None) -> JobTimedOut:
        return JobTimedOut(
            f"Timeout while waiting for job {self._job_id}: it has not ended in {timeout_s} s, and goes on",
            job_id=self._job_id,
            timeout_s=timeout_s,
        )


def _progress_of_given(result: Result) -> Progress:
    experiments = result.results
    # Shots may be a number or, in old results, the first and the last of them.
    shots = sum(item.shots if isinstance(item.shots, int) else item.shots[1] - item.shots[0] for item in experiments)
    return Progress(
        experiments_done=len(experiments),
        experiments_total=len(experiments),
        shots_done=shots,
        shots_total=shots,
        elapsed_s=0.0,
        eta_s=None,
        rss_bytes=None,
    )
