"""Jobs that start after others: what each end means for them, in the words that people read, and also under a kill."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import uuid
from pathlib import Path

import pytest

from aerjob_cli.errors import JobNotFound
from aerjob_cli.states import After, Reason, Status
from aerjob_cli.store import cancels, claims, dependencies, events, jobs, lifecycle, submissions, waits
from aerjob_cli.store.claims import Candidate, Taken
from aerjob_cli.store.database import Store
from aerjob_cli.store.records import Dependency, JobRecord
from tests.store.conftest import SubmitJob, submission
from tests.support.staging import Stage

NOW_US = 2_000_000_000_000_000
PLAN = {"experiments_total": 1, "threads": 1}


def after(*awaited: JobRecord, kind: After = After.DONE) -> tuple[Dependency, ...]:
    return tuple(Dependency(kind, job.job_id) for job in awaited)


def look(store: Store, job: JobRecord) -> JobRecord:
    with store.reading() as tx:
        return jobs.find(tx, job.job_id)


def test_a_diamond_with_a_failure_in_it(store: Store, submit: SubmitJob) -> None:
    top = submit(**PLAN)
    left, right = (submit(dependencies=after(top), **PLAN) for _ in range(2))
    bottom = submit(dependencies=after(left, right))
    whatever = submit(dependencies=after(bottom, kind=After.ENDED), **PLAN)
    assert (left.waits_for, bottom.waits_for) == ((top.job_id,), (left.job_id, right.job_id))
    with Stage(store.paths) as stage:
        stage.run_through(top)
        assert [look(store, job).waits for job in (left, right, bottom)] == [0, 0, 2]
        stage.start(left)
        stage.fail(left)
    failed = look(store, bottom)
    assert (failed.status, failed.reason) == (Status.ERROR, Reason.DEPENDENCY_FAILED)
    assert failed.message == f"it waited for job {left.job_id} to be DONE, and that ended in ERROR (SIMULATION_FAILED)"
    assert look(store, right).status is Status.QUEUED
    assert look(store, whatever).waits == 0
    with store.reading() as tx:
        (*_, end) = events.history(tx, bottom.seq)
        (*_, free) = events.history(tx, whatever.seq)
    assert (end.from_status, end.to_status) == (Status.INITIALIZING, Status.ERROR)
    assert end.why == f"DEPENDENCY_FAILED: {failed.message}"
    assert (free.from_status, free.to_status, free.why) == (Status.QUEUED, Status.QUEUED, dependencies.MET)


def test_one_of_several(store: Store, submit: SubmitJob) -> None:
    first, second, third = (submit(**PLAN) for _ in range(3))
    hopeful, hopeless = (
        submit(dependencies=after(*several, kind=After.ANY_DONE), **PLAN)
        for several in ((first, second, third), (first, second))
    )
    with store.writing() as tx:
        cancels.request_cancels(tx, [first.seq, second.seq], now_us=NOW_US)
    assert look(store, hopeful).waits_for == (third.job_id,)
    ended = look(store, hopeless)
    assert ended.reason is Reason.DEPENDENCY_FAILED
    assert ended.message is not None
    assert ended.message.startswith("it waited for one of several jobs to be DONE, and none can be any more: job ")
    assert ended.message.endswith(" ended in CANCELLED (USER_CANCELLED)")
    with Stage(store.paths) as stage:
        stage.run_through(third)
    assert look(store, hopeful).waits == 0


def test_what_has_ended_before_counts_at_once(store: Store, submit: SubmitJob) -> None:
    done, cancelled = submit(**PLAN), submit(**PLAN)
    with Stage(store.paths) as stage:
        stage.run_through(done)
    with store.writing() as tx:
        cancels.request_cancel(tx, cancelled.seq, now_us=NOW_US)
    free = submit(dependencies=(*after(done), *after(cancelled, kind=After.ENDED)), **PLAN)
    assert (free.status, free.waits) == (Status.QUEUED, 0)
    any_of_both = after(done, cancelled, kind=After.ANY_DONE)
    assert submit(dependencies=any_of_both, **PLAN).waits == 0
    for kind in (After.DONE, After.ANY_DONE):
        never = submit(dependencies=after(cancelled, kind=kind))
        assert (never.status, never.reason) == (Status.ERROR, Reason.DEPENDENCY_FAILED)
        assert look(store, never) == never


def test_an_unknown_job_refuses_all(store: Store) -> None:
    unknown = Dependency(After.ENDED, str(uuid.uuid4()))
    with pytest.raises(JobNotFound), store.writing() as tx:
        submissions.submit_all(tx, [submission(), submission(dependencies=(unknown,))], now_us=NOW_US)
    with store.reading() as tx:
        assert not jobs.needs_worker(tx)


def test_more_than_a_statement_takes(store: Store) -> None:
    """Of 600 jobs, in parts of a transaction, each waits for one and one waits for all."""
    with store.writing() as tx:
        (first,) = submissions.submit_all(tx, [submission(**PLAN)], now_us=NOW_US)
        many = submissions.submit_all(
            tx, [submission(dependencies=after(first), **PLAN) for _ in range(600)], now_us=NOW_US
        )
        (last,) = submissions.submit_all(tx, [submission(dependencies=after(*many))], now_us=NOW_US)
        (any_of_all,) = submissions.submit_all(
            tx, [submission(dependencies=after(*many, kind=After.ANY_DONE))], now_us=NOW_US
        )
    assert (last.unmet, len(last.waits_for), any_of_all.waits) == (600, 20, 1)
    with store.writing() as tx:
        cancels.request_cancels(tx, [first.seq], now_us=NOW_US)
        assert {job.reason for job in jobs.find_many(tx, [job.seq for job in many]).values()} == {
            Reason.DEPENDENCY_FAILED
        }
    assert look(store, last).reason is look(store, any_of_all).reason is Reason.DEPENDENCY_FAILED


def test_claims_do_not_see_what_waits(store: Store, submit: SubmitJob) -> None:
    first = submit(**PLAN)
    waiting = [
        submit(priority=9, dependencies=after(first), **PLAN),
        submit(priority=9, held=True, **PLAN),
        submit(priority=9, begin_us=store.now_us() + 10**12, **PLAN),
    ]
    second = submit(**PLAN)
    shown: list[Candidate] = []

    def note(candidates: list[Candidate], all_fit: bool) -> Taken:
        shown.extend(candidates)
        return Taken([])

    with store.writing() as tx:
        claims.claim(tx, "w", limit=10, now_us=NOW_US, choose=note)
        assert jobs.queue_positions(tx, [first, *waiting, second]) == {first.seq: 1, second.seq: 2}
    assert [candidate.seq for candidate in shown] == [first.seq, second.seq]


def test_a_retry_waits_for_the_retries(store: Store, submit: SubmitJob) -> None:
    """What has failed and was not tried again is waited for no more."""
    first, lost, done = (submit(**PLAN) for _ in range(3))
    job = submit(dependencies=after(first, lost, done), **PLAN)
    with Stage(store.paths) as stage:
        stage.start(first)
        stage.fail(first)
    with store.writing() as tx:
        cancels.request_cancel(tx, lost.seq, now_us=NOW_US)
        again = submissions.resubmit(tx, look(store, first), job_id=str(uuid.uuid4()), submitted_by={}, now_us=NOW_US)
        retried = submissions.resubmit(tx, look(store, job), job_id=str(uuid.uuid4()), submitted_by={}, now_us=NOW_US)
        found = dependencies.of_job(tx, retried.seq)
    assert [(item.kind, item.job_id) for item in found] == [(After.DONE, done.job_id), (After.DONE, again.job_id)]
    assert retried.waits == 2


def test_every_change_is_a_row_of_the_history(store: Store, submit: SubmitJob) -> None:
    job = submit(held=True, begin_us=store.now_us() + 10**9, **PLAN)
    with store.writing() as tx:
        waits.hold(tx, [job.seq], now_us=NOW_US)  # it is already
        waits.release(tx, [job.seq], now_us=NOW_US)
        waits.set_priority(tx, [job.seq], 0, now_us=NOW_US)  # so it is
        waits.set_priority(tx, [job.seq], 7, now_us=NOW_US)
        waits.begin_due(tx, now_us=NOW_US)
        history = events.history(tx, job.seq)
    assert [event.why for event in history] == [
        "submitted",
        "released",
        "priority 0 becomes 7",
        "the time has come before which it was not to begin",
    ]
    assert {(event.from_status, event.to_status) for event in history[1:]} == {(Status.QUEUED, Status.QUEUED)}
    assert look(store, job).waits == 0


def test_a_validation_that_was_under_way_comes_too_late(store: Store, submit: SubmitJob) -> None:
    first = submit(**PLAN)
    job = submit(dependencies=after(first))
    with store.writing() as tx:
        (item,) = claims.claim_validations(tx, "w", limit=1, now_us=NOW_US)
        assert item.job.seq == job.seq
        cancels.request_cancel(tx, first.seq, now_us=NOW_US)
        assert not lifecycle.fail(tx, item.claim, Reason.INVALID_CIRCUIT, "late", stderr_tail=None, now_us=NOW_US)
    assert look(store, job).reason is Reason.DEPENDENCY_FAILED


KILLED_AT_EACH_STATEMENT = """
    import os, shutil, signal, sys
    from pathlib import Path
    from sqlalchemy import Engine, event
    from aerjob_cli.settings import StorePaths
    from aerjob_cli.store import cancels
    from aerjob_cli.store.connections import raw_connection
    from aerjob_cli.store.database import Store

    template, place = Path(sys.argv[1]), Path(sys.argv[2])
    counted = 0

    def kill_at(number):
        def count(*_):
            global counted
            counted += 1
            if counted == number:
                os.kill(os.getpid(), signal.SIGKILL)
        event.listen(Engine, "before_cursor_execute", count)
        event.listen(Engine, "commit", count)

    number, killed = 0, True
    while killed:
        number += 1
        home = place / str(number)
        shutil.copytree(template, home)
        child = os.fork()
        if child == 0:
            store = Store.open(StorePaths(home))
            kill_at(number)
            with store.writing() as tx:
                cancels.request_cancel(tx, 1, now_us=2 * 10**15)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status)
        connection = raw_connection(home / "aerjob.db", busy_timeout_s=0)
        rows = connection.execute("SELECT status, waits FROM jobs ORDER BY seq")
        print(*(f"{status}/{waits}" for status, waits in rows))
        connection.close()
        shutil.rmtree(home)
"""


def test_a_kill_at_any_statement_leaves_all_as_it_was_or_the_whole_chain_ended(
    store: Store, submit: SubmitJob, tmp_path: Path
) -> None:
    first = submit(**PLAN)
    second = submit(dependencies=after(first), **PLAN)
    submit(dependencies=after(second), **PLAN)
    submit(dependencies=after(second, kind=After.ENDED), **PLAN)
    store.close()
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED_AT_EACH_STATEMENT), str(store.paths.home), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    *killed, completed = done.stdout.splitlines()
    assert len(killed) > 5
    assert set(killed) == {"QUEUED/0 QUEUED/1 QUEUED/1 QUEUED/1"}
    assert completed == "CANCELLED/0 ERROR/1 ERROR/1 QUEUED/0"
