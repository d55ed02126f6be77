"""Any sequence of the store's verbs, by workers of which some hold stale claims, does what a small model of it says."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import uuid
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection

from aerjob_cli.errors import StoreDamaged
from aerjob_cli.settings import StorePaths
from aerjob_cli.states import After, Reason, Status
from aerjob_cli.store import cancels, claims, experiments, jobs, lifecycle, releases, submissions, waits, workers
from aerjob_cli.store.cancels import CancelAnswer
from aerjob_cli.store.database import Store
from aerjob_cli.store.records import Claim, Dependency, JobRecord
from tests.faults.support.histories import require_legal
from tests.faults.support.moves import result_at, worker_record
from tests.store.conftest import submission
from tests.support import one_job
from tests.support.matrix import Matrix

NOW_US = 2_000_000_000_000_000
LATER_US = NOW_US + 1
THIS_BOOT = "this boot"
EARLIER_BOOT = "the boot before"
# Of one of them somebody wanted that it stops; since another one the machine has been restarted.
STOPPED, REBOOTED = "told to stop", "before the restart"
WORKERS = ("first", "second", STOPPED, REBOOTED)
# From where a job comes into somebody's hands.
HELD_AFTER = {Status.VALIDATING: Status.INITIALIZING, Status.RUNNING: Status.QUEUED}
BAD, DIED = Reason.SIMULATION_FAILED, Reason.EXECUTOR_CRASHED

LATE: dict[str, Callable[[Connection, Claim], bool]] = {
    "accept": partial(one_job.accept, experiments_total=1, threads=1, now_us=NOW_US),
    "return a validation": partial(lifecycle.return_validation, message=None, now_us=NOW_US),
    "return a validation that died": partial(lifecycle.return_validation, message="it died", now_us=NOW_US),
    "record": partial(one_job.record_experiments, results=[result_at(0, b"late")]),
    "finish": partial(one_job.finish, engine="late", now_us=NOW_US),
    "fail": partial(lifecycle.fail, reason=BAD, message="late", stderr_tail=None, now_us=NOW_US),
    "crash": partial(lifecycle.crash, reason=DIED, message="late", stderr_tail=None, now_us=NOW_US),
    "give back": partial(lifecycle.give_back, why="late", now_us=NOW_US),
    "end as wished": partial(lifecycle.cancel_held, now_us=NOW_US),
}

some_worker = st.sampled_from(WORKERS)
some = st.integers(min_value=0, max_value=10_000)  # which of the claims or jobs that there are
some_others = st.lists(st.tuples(st.sampled_from(After), some), max_size=3)


@dataclass(frozen=True)
class Expected:
    """What the model knows of one job."""

    seq: int
    job_id: str
    status: Status
    priority: int
    max_attempts: int
    total: int | None
    attempt: int = 0
    charged: int = 0
    validations: int = 0
    is_unwanted: bool = False
    retry_of: str | None = None
    reason: Reason | None = None
    held: Claim | None = None
    # What it waits for besides its turn: jobs by their numbers, a release, a time.
    dependencies: frozenset[tuple[After, int]] = frozenset()
    is_withheld: bool = False
    is_early: bool = False
    stored: dict[int, int] = field(default_factory=dict)  # position of a result: the attempt that ran it

    def seen_in(self, job: JobRecord) -> bool:
        """Tell whether the store has it so as well."""
        return (
            (job.status, job.reason, job.attempt, job.attempts_charged, job.validations, job.experiments_done)
            == (self.status, self.reason, self.attempt, self.charged, self.validations, len(self.stored))
        ) and (self.total, self.priority) == (job.experiments_total, job.priority)


class JobMachine(RuleBasedStateMachine):
    """The verbs, each beside what it should do."""

    template: Path  # a store without jobs

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="aerjob-machine-"))
        shutil.copytree(self.template, self.folder / "home")
        self.store = Store.open(StorePaths(self.folder / "home"))
        self.expected: dict[int, Expected] = {}
        self.claims: list[Claim] = []  # all that were ever given
        self.ended: dict[int, JobRecord] = {}

    def teardown(self) -> None:
        try:
            for job in self.expected.values():
                assert require_legal(self.store, job.job_id).status is job.status
        finally:
            self.store.close()
            shutil.rmtree(self.folder)

    @initialize(planned=st.integers(1, 3), others=st.integers(0, 1))
    def begin(self, planned: int, others: int) -> None:
        with self.store.writing() as tx:
            for name in WORKERS:
                boot, wish = EARLIER_BOOT if name == REBOOTED else THIS_BOOT, NOW_US if name == STOPPED else None
                workers.register(tx, worker_record(name, boot_id=boot, drain_requested_us=wish))
        for number in range(planned + others):
            self.submit(priority=0, max_attempts=number % 3 + 1, total=number % 3 + 1, planned=number < planned)

    # Callers

    @rule(priority=st.integers(-1, 1), max_attempts=st.integers(1, 3), total=st.integers(1, 3), planned=st.booleans())
    def submit(self, priority: int, max_attempts: int, total: int, planned: bool, **waits_for: Any) -> None:
        plan = {"experiments_total": total, "threads": 1} if planned else {}
        wanted = submission(priority=priority, max_attempts=max_attempts, **plan, **waits_for)
        with self.store.writing() as tx:
            self._expect_new(submissions.submit(tx, wanted, now_us=NOW_US), wanted.dependencies)

    @precondition(lambda self: self.expected)
    @rule(
        others=some_others,
        held=st.booleans(),
        begin_us=st.sampled_from([None, NOW_US, LATER_US]),
        planned=st.booleans(),
    )
    def submit_what_waits(
        self, others: list[tuple[After, int]], held: bool, begin_us: int | None, planned: bool
    ) -> None:
        """The last jobs are those that are most probably pending."""
        there = [job.job_id for job in self.expected.values()][-5:]
        depends = tuple(Dependency(kind, there[which % len(there)]) for kind, which in others)
        self.submit(0, 1, 1, planned, dependencies=depends, held=held, begin_us=begin_us)

    @precondition(lambda self: self.expected)
    @rule(which=some, verb=st.sampled_from(["hold", "release", "set priority"]), priority=st.integers(-1, 1))
    def change(self, which: int, verb: str, priority: int) -> None:
        """Of a job that has begun, or ended, nothing is changed."""
        job = list(self.expected.values())[which % len(self.expected)]
        with self.store.writing() as tx:
            if verb == "set priority":
                waits.set_priority(tx, [job.seq], priority, now_us=NOW_US)
            else:
                getattr(waits, verb)(tx, [job.seq], now_us=NOW_US)
        if job.status is not Status.RUNNING and not job.status.is_final:
            if verb == "set priority":
                self._expect(job, priority=priority)
            else:
                self._expect(job, is_withheld=verb == "hold")

    @rule()
    def pass_time(self) -> None:
        with self.store.writing() as tx:
            waits.begin_due(tx, now_us=LATER_US)
            assert waits.next_begin_us(tx) is None
        for job in self.expected.values():
            if not job.status.is_final:
                self._expect(job, is_early=False)

    @precondition(lambda self: self.ended)
    @rule(which=some)
    def retry(self, which: int) -> None:
        old = list(self.ended.values())[which % len(self.ended)]
        with self.store.writing() as tx:
            job = submissions.resubmit(tx, old, job_id=str(uuid.uuid4()), submitted_by={}, now_us=NOW_US)
        assert job.retry_of == old.job_id
        self._expect_new(job, self._what_has_become_of(self.expected[old.seq].dependencies))

    @precondition(lambda self: self.expected)
    @rule(which=some)
    def cancel(self, which: int) -> None:
        job = list(self.expected.values())[which % len(self.expected)]
        with self.store.writing() as tx:
            answer = cancels.request_cancel(tx, job.seq, now_us=NOW_US)
        if job.status.is_final:
            assert answer is CancelAnswer.WAS_FINAL
        elif job.status is Status.RUNNING:
            assert answer is CancelAnswer.REQUESTED
            self._expect(job, is_unwanted=True)
        else:
            assert answer is CancelAnswer.ENDED
            self._expect_end(job, Status.CANCELLED, Reason.USER_CANCELLED)

    # Workers

    @rule(name=some_worker, limit=st.integers(1, 3))
    def claim(self, name: str, limit: int) -> None:
        """Both kinds in one transaction, as a worker does."""
        fresh = [job for job in self.expected.values() if job.status is Status.INITIALIZING][:1]
        queue = [job for job in self.expected.values() if job.status is Status.QUEUED and not self.waits(job)]
        first = sorted(queue, key=lambda job: (-job.priority, job.seq))[:limit]
        with self.store.writing() as tx:
            to_validate = claims.claim_validations(tx, name, limit=1, now_us=NOW_US)
            to_run = claims.claim(tx, name, limit=limit, now_us=NOW_US)
        assert [item.job.seq for item in to_validate] == [job.seq for job in fresh]
        assert [item.job.seq for item in to_run] == [job.seq for job in first]
        self.claims += [item.claim for item in (*to_validate, *to_run)]
        for job, item in zip(fresh, to_validate, strict=True):
            self._expect(job, status=Status.VALIDATING, validations=job.validations + 1, held=item.claim)
        for job, item in zip(first, to_run, strict=True):
            self._expect(job, status=Status.RUNNING, attempt=job.attempt + 1, held=item.claim)

    @precondition(lambda self: self.can_hold(Status.VALIDATING))
    @rule(which=some, total=st.integers(1, 3))
    def accept(self, which: int, total: int) -> None:
        job = self._do("accept", which, Status.VALIDATING, experiments_total=total, threads=1)
        self._expect(job, status=Status.QUEUED, total=total, held=None)

    @precondition(lambda self: self.can_hold(Status.VALIDATING))
    @rule(which=some, message=st.sampled_from([None, "it died"]))
    def return_validation(self, which: int, message: str | None) -> None:
        job = self._do("return_validation", which, Status.VALIDATING, message=message)
        if message is not None and job.validations == lifecycle.VALIDATIONS_AT_MOST:
            self._expect_end(job, Status.ERROR, Reason.INVALID_CIRCUIT)
        else:
            self._expect_unread(job, is_counted=message is not None)

    @precondition(lambda self: self.can_hold(Status.RUNNING))
    @rule(which=some, positions=st.sets(st.integers(0, 2), min_size=1))
    def record(self, which: int, positions: set[int]) -> None:
        """Store results; who tries to store one a second time stores none, though he holds the job."""
        job, held = self._one_held(which, Status.RUNNING)
        there = {position for position in positions if position < (job.total or 0)}
        is_new = not there & job.stored.keys()
        expected = contextlib.nullcontext() if is_new else pytest.raises(StoreDamaged)
        with expected, self.store.writing() as tx:
            assert one_job.record_experiments(tx, held, [result_at(position) for position in sorted(there)])
        if is_new:
            self._expect(job, stored=job.stored | dict.fromkeys(there, job.attempt))

    @precondition(lambda self: self.can_hold(Status.RUNNING))
    @rule(which=some)
    def finish(self, which: int) -> None:
        """Whatever has no result yet is run before."""
        job, held = self._one_held(which, Status.RUNNING)
        missing = set(range(job.total or 0)) - job.stored.keys()
        if missing:
            with self.store.writing() as tx:
                assert not one_job.finish(tx, held, engine="e", now_us=NOW_US)
            self.record(which, missing)
        job = self._do("finish", which, Status.RUNNING, engine="e")
        self._expect_end(job, Status.DONE, None)

    @precondition(lambda self: self.can_hold(Status.RUNNING, Status.VALIDATING))
    @rule(which=some)
    def fail(self, which: int) -> None:
        job = self._do("fail", which, Status.RUNNING, Status.VALIDATING, reason=BAD, message="bad", stderr_tail=None)
        self._expect_end(job, Status.ERROR, BAD)

    @precondition(lambda self: self.can_hold(Status.RUNNING))
    @rule(which=some)
    def crash(self, which: int) -> None:
        job = self._do("crash", which, Status.RUNNING, reason=DIED, message="it died", stderr_tail=None)
        self._expect_crash(job, DIED)

    @precondition(lambda self: self.can_hold(Status.RUNNING))
    @rule(which=some)
    def give_back(self, which: int) -> None:
        self._expect_given_back(self._do("give_back", which, Status.RUNNING, why="drained"))

    @precondition(lambda self: any(job.is_unwanted for job in self.held(Status.RUNNING)))
    @rule(which=some)
    def end_as_wished(self, which: int) -> None:
        unwanted = [job for job in self.held(Status.RUNNING) if job.is_unwanted]
        job = unwanted[which % len(unwanted)]
        assert job.held is not None
        with self.store.writing() as tx:
            assert lifecycle.cancel_held(tx, job.held, now_us=NOW_US)
        self._expect_end(job, Status.CANCELLED, Reason.USER_CANCELLED)

    @precondition(lambda self: self.stale())
    @rule(which=some, verb=st.sampled_from(sorted(LATE)))
    def come_late(self, which: int, verb: str) -> None:
        """Who has lost a claim changes nothing with it: every invariant holds as it did."""
        stale = self.stale()
        # Where somebody else holds the job in the same state, nothing but the claim itself tells them apart.
        doubles = [claim for claim in stale if self.expected[claim.job_seq] in self.held(claim.status)]
        late = (doubles or stale)[which % len(doubles or stale)]
        with self.store.writing() as tx:
            assert LATE[verb](tx, late) is False

    @rule(name=some_worker)
    def release(self, name: str) -> None:
        """A worker begins in this boot, after all others, and takes what it finds."""
        lost = [job for job in self.expected.values() if job.held is not None and job.held.worker_id != name]
        with self.store.writing() as tx:
            released = releases.release_lost(tx, new_worker_id=name, boot_id=THIS_BOOT, now_us=NOW_US)
        assert [item.job_id for item in released] == [job.job_id for job in lost]
        for job, item in zip(lost, released, strict=True):
            if self.expected[job.seq].status.is_final:  # with one that was released before
                assert item.target is Status.ERROR
                continue
            assert job.held is not None
            if job.is_unwanted:
                self._expect_end(job, Status.CANCELLED, Reason.USER_CANCELLED)
            elif job.status is Status.VALIDATING:
                self._expect_unread(job, is_counted=False)
            elif job.held.worker_id in (STOPPED, REBOOTED):
                self._expect_given_back(job)
            else:
                self._expect_crash(job, Reason.WORKER_LOST)
            assert item.target is self.expected[job.seq].status
        self.claim(name, limit=1)

    # What is always true

    @invariant()
    def the_store_is_as_the_model_says(self) -> None:
        with self.store.reading() as tx:
            found = jobs.find_many(tx, list(self.expected))
            stored = {
                seq: {item.position: item.attempt for item in experiments.results_of(tx, seq)} for seq in self.expected
            }
            places = {seq: jobs.queue_position(tx, job) for seq, job in found.items()}
            has_waiting = jobs.has_waiting(tx)
        for seq, job in self.expected.items():
            assert job.seen_in(found[seq]), (job, found[seq])
            assert stored[seq] == job.stored
            assert job.status.is_final or found[seq].waits == self.waits(job), (job, found[seq])
            assert found[seq].waits_for == self.waited_for(job), (job, found[seq])
            if job.status.is_final:
                assert self.ended.setdefault(seq, found[seq]) == found[seq]
        queue = {seq: place for seq, place in places.items() if place is not None}
        order = sorted(queue, key=lambda seq: (-self.expected[seq].priority, seq))
        assert [queue[seq] for seq in order] == list(range(1, len(queue) + 1))
        assert queue.keys() == {
            seq for seq, job in self.expected.items() if job.status is Status.QUEUED and not self.waits(job)
        }
        assert has_waiting == any(
            job.status is Status.INITIALIZING
            or (job.status is Status.QUEUED and self.waits(job) == 0)
            or (not job.status.is_final and job.is_early and self.waits(job) == 1)
            for job in self.expected.values()
        )

    # The model

    def held(self, *statuses: Status) -> list[Expected]:
        return [job for job in self.expected.values() if job.held is not None and job.status in statuses]

    def can_hold(self, *statuses: Status) -> bool:
        """Tell whether somebody holds such a job, or could if he took the next one."""
        sources = {HELD_AFTER[status] for status in statuses}
        return any(
            job.status in statuses
            or (job.status in sources and (job.status is Status.INITIALIZING or not self.waits(job)))
            for job in self.expected.values()
        )

    def waits(self, job: Expected) -> int:
        """Count what a job waits for besides its turn."""
        unmet, unmet_any = self.unmet(job)
        return len(unmet) + bool(unmet_any) + job.is_withheld + job.is_early

    def unmet(self, job: Expected) -> tuple[set[tuple[After, int]], set[int]]:
        """Give what has yet to end as it should, and the jobs of which one has to."""
        unmet: set[tuple[After, int]] = {
            (kind, seq)
            for kind, seq in job.dependencies
            if (kind is After.ENDED and not self.expected[seq].status.is_final)
            or (kind is After.DONE and self.expected[seq].status is not Status.DONE)
        }
        several = {seq for kind, seq in job.dependencies if kind is After.ANY_DONE}
        is_met = any(self.expected[seq].status is Status.DONE for seq in several)
        return unmet, set() if is_met else several

    def waited_for(self, job: Expected) -> tuple[str, ...]:
        unmet, several = self.unmet(job)
        rows = [] if job.status.is_final else sorted([seq for _, seq in unmet] + list(several))
        pending = (seq for seq in dict.fromkeys(rows) if not self.expected[seq].status.is_final)
        return tuple(self.expected[seq].job_id for seq in pending)

    def is_doomed(self, job: Expected) -> bool:
        unmet, several = self.unmet(job)
        return any(kind is After.DONE and self.expected[seq].status.is_final for kind, seq in unmet) or (
            bool(several) and all(self.expected[seq].status.is_final for seq in several)
        )

    def stale(self) -> list[Claim]:
        return [claim for claim in self.claims if self.expected[claim.job_seq].held != claim]

    def _one_held(self, which: int, *statuses: Status) -> tuple[Expected, Claim]:
        """Choose a job that is held; the next one is taken where none is."""
        if not self.held(*statuses):
            self.claim(WORKERS[which % len(WORKERS)], limit=1)
        choice = self.held(*statuses)
        job = choice[which % len(choice)]
        assert job.held is not None
        return job, job.held

    def _do(self, verb: str, which: int, *statuses: Status, **arguments: Any) -> Expected:
        """Do something with a claim that is good for it; give the job as it was."""
        job, held = self._one_held(which, *statuses)
        with self.store.writing() as tx:
            verbs = one_job if hasattr(one_job, verb) else lifecycle
            assert getattr(verbs, verb)(tx, held, now_us=NOW_US, **arguments) is True
        return job

    def _expect(self, job: Expected, **changes: Any) -> None:
        self.expected[job.seq] = replace(job, **changes)

    def _expect_new(self, job: JobRecord, depends: Collection[Dependency]) -> None:
        assert job.seq not in self.expected
        status = Status.INITIALIZING if job.experiments_total is None else Status.QUEUED
        numbers = {other.job_id: other.seq for other in self.expected.values()}
        rows = {(item.kind, numbers[item.job_id]) for item in depends}
        several = {seq for kind, seq in rows if kind is After.ANY_DONE}
        if len(several) == 1:
            rows = {(After.DONE if kind is After.ANY_DONE else kind, seq) for kind, seq in rows}
        self.expected[job.seq] = Expected(
            job.seq,
            job.job_id,
            status,
            job.priority,
            job.max_attempts,
            job.experiments_total,
            retry_of=job.retry_of,
            dependencies=frozenset(rows),
            is_withheld=job.held,
            is_early=job.begin_us is not None,
        )
        self._expect_what_follows()
        assert job.status is self.expected[job.seq].status

    def _what_has_become_of(self, depends: Collection[tuple[After, int]]) -> list[Dependency]:
        """Give the last retry of each in its place, but for those that have failed for good."""
        found = []
        for kind, seq in depends:
            job = self.expected[seq]
            while job.status in (Status.ERROR, Status.CANCELLED):
                again = [other for other in self.expected.values() if other.retry_of == job.job_id]
                if not again:
                    break
                job = again[-1]
            else:
                found.append(Dependency(kind, job.job_id))
        return found

    def _expect_end(self, job: Expected, status: Status, reason: Reason | None) -> None:
        self._expect(job, status=status, reason=reason, held=None)
        self._expect_what_follows()

    def _expect_what_follows(self) -> None:
        """A job depends on earlier ones: who goes through them in their order has seen to all."""
        for job in list(self.expected.values()):
            if not job.status.is_final and self.is_doomed(job):
                self._expect(job, status=Status.ERROR, reason=Reason.DEPENDENCY_FAILED, held=None)

    def _expect_unread(self, job: Expected, *, is_counted: bool) -> None:
        self._expect(job, status=Status.INITIALIZING, validations=job.validations - (not is_counted), held=None)

    def _expect_given_back(self, job: Expected) -> None:
        if job.is_unwanted:
            self._expect_end(job, Status.CANCELLED, Reason.USER_CANCELLED)
        else:
            self._expect(job, status=Status.QUEUED, held=None)

    def _expect_crash(self, job: Expected, reason: Reason) -> None:
        if job.is_unwanted:
            self._expect_end(job, Status.CANCELLED, Reason.USER_CANCELLED)
        elif job.charged + 1 == job.max_attempts:
            self._expect_end(job, Status.ERROR, reason)
        else:
            self._expect(job, status=Status.QUEUED, charged=job.charged + 1, held=None)


def test_every_sequence_of_verbs_does_what_the_model_says(tmp_path: Path, matrix: Matrix) -> None:
    Store.open(StorePaths(tmp_path / "home")).close()
    JobMachine.template = tmp_path / "home"
    chosen = settings(
        max_examples=matrix.times(sample=15, full=2000),
        stateful_step_count=40,
        deadline=None,
        # The same sequences each time; what was found once is kept in a test of its own and not in a folder.
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(JobMachine, settings=chosen)
