"""Every state × every verb: what may move, and what changes nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, event, text

from aerjob_cli.errors import StoreDamaged
from aerjob_cli.states import FINAL, MOVES, Reason, Status, may_move
from aerjob_cli.store import cancels, claims, events, experiments, jobs, lifecycle, releases
from aerjob_cli.store.database import Store
from aerjob_cli.store.records import Claim, ExperimentRecord, JobRecord, Payload
from tests.store.conftest import SubmitJob
from tests.support import one_job

WORKER = "worker-1"
NOW_US = 2_000_000_000_000_000  # later than any submission of a test


def result(position: int = 0, data: bytes = b"{}") -> ExperimentRecord:
    payload = Payload("c", "experiment-result+json;v1", hashlib.sha256(data).hexdigest(), len(data), data)
    return ExperimentRecord(position, 1, 10, payload)


def bring_to(store: Store, submit: SubmitJob, status: Status, **fields: object) -> tuple[JobRecord, Claim | None]:
    """Make a job of that state through the verbs, and give the claim that led there."""
    planned = {"experiments_total": 1, "threads": 1}
    if status is Status.INITIALIZING:
        return submit(**fields), None
    if status is Status.VALIDATING:
        submit(**fields)
        with store.writing() as tx:
            (claimed,) = claims.claim_validations(tx, WORKER, limit=1, now_us=NOW_US)
        return claimed.job, claimed.claim
    job = submit(**planned, **fields)
    if status is Status.QUEUED:
        return job, None
    with store.writing() as tx:
        (claimed,) = claims.claim(tx, WORKER, limit=1, now_us=NOW_US)
    held = claimed.claim
    with store.writing() as tx:
        match status:
            case Status.DONE:
                assert one_job.record_experiments(tx, held, [result()])
                assert one_job.finish(tx, held, engine="e", now_us=NOW_US)
            case Status.ERROR:
                assert lifecycle.fail(tx, held, Reason.TIMED_OUT, "late", stderr_tail=None, now_us=NOW_US)
            case Status.CANCELLED:
                assert lifecycle.cancel_held(tx, held, now_us=NOW_US)
            case _:
                pass
        found = jobs.find(tx, job.job_id)
    return found, held


Verb = Callable[[Connection, Claim], bool]

GUARDED: dict[str, tuple[Verb, Status, Status]] = {
    "accept": (
        lambda tx, held: one_job.accept(tx, held, experiments_total=1, threads=1, now_us=NOW_US),
        Status.VALIDATING,
        Status.QUEUED,
    ),
    "return_validation": (
        lambda tx, held: lifecycle.return_validation(tx, held, message=None, now_us=NOW_US),
        Status.VALIDATING,
        Status.INITIALIZING,
    ),
    "refuse": (
        lambda tx, held: lifecycle.fail(tx, held, Reason.INVALID_CIRCUIT, "bad", stderr_tail=None, now_us=NOW_US),
        Status.VALIDATING,
        Status.ERROR,
    ),
    "fail": (
        lambda tx, held: lifecycle.fail(tx, held, Reason.SIMULATION_FAILED, "bad", stderr_tail="tail", now_us=NOW_US),
        Status.RUNNING,
        Status.ERROR,
    ),
    "crash": (
        lambda tx, held: lifecycle.crash(tx, held, Reason.EXECUTOR_CRASHED, "SIGSEGV", stderr_tail=None, now_us=NOW_US),
        Status.RUNNING,
        Status.QUEUED,
    ),
    "give_back": (
        lambda tx, held: lifecycle.give_back(tx, held, why="drained", now_us=NOW_US),
        Status.RUNNING,
        Status.QUEUED,
    ),
    "cancel_held": (
        lambda tx, held: lifecycle.cancel_held(tx, held, now_us=NOW_US),
        Status.RUNNING,
        Status.CANCELLED,
    ),
    "record_experiments": (
        lambda tx, held: one_job.record_experiments(tx, held, [result()]),
        Status.RUNNING,
        Status.RUNNING,
    ),
}


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("verb", GUARDED)
def test_a_guarded_verb_lands_only_from_its_state(store: Store, submit: SubmitJob, verb: str, status: Status) -> None:
    act, source, target = GUARDED[verb]
    job, held = bring_to(store, submit, status)
    shown = held or Claim(job.seq, job.job_id, source, job.attempt, "no token", WORKER)
    shown = Claim(shown.job_seq, shown.job_id, source, shown.attempt, shown.token, shown.worker_id)
    with store.reading() as tx:
        before = len(events.history(tx, job.seq))
    with store.writing() as tx:
        landed = act(tx, shown)
    with store.reading() as tx:
        after = jobs.find(tx, job.job_id)
        history = events.history(tx, job.seq)
    assert landed is (status is source)
    assert after.status is (target if landed else status)
    moved = landed and source is not target
    assert len(history) == before + moved
    if moved:
        assert (history[-1].from_status, history[-1].to_status) == (source, target)
        assert may_move(source, target)
    if not landed:
        assert after == job


@pytest.mark.parametrize("verb", [name for name in GUARDED if GUARDED[name][1] is Status.RUNNING])
@pytest.mark.parametrize("wrong", ["token", "attempt"])
def test_a_claim_with_another_token_or_attempt_changes_nothing(
    store: Store, submit: SubmitJob, verb: str, wrong: str
) -> None:
    job, held = bring_to(store, submit, Status.RUNNING)
    assert held is not None
    late = Claim(
        held.job_seq,
        held.job_id,
        held.status,
        held.attempt + (wrong == "attempt"),
        "another token" if wrong == "token" else held.token,
        held.worker_id,
    )
    with store.writing() as tx:
        assert GUARDED[verb][0](tx, late) is False
    with store.reading() as tx:
        assert jobs.find(tx, job.job_id) == job
        assert list(experiments.results_of(tx, job.seq)) == []


def test_done_needs_every_experiment(store: Store, submit: SubmitJob) -> None:
    submit(experiments_total=2, threads=1)
    with store.writing() as tx:
        (claimed,) = claims.claim(tx, WORKER, limit=1, now_us=NOW_US)
        assert one_job.record_experiments(tx, claimed.claim, [result(0)])
        assert not one_job.finish(tx, claimed.claim, engine="e", now_us=NOW_US)
        assert one_job.record_experiments(tx, claimed.claim, [result(1)])
        assert one_job.finish(tx, claimed.claim, engine="e", now_us=NOW_US)


def test_crashes_end_in_error_after_max_attempts_and_drains_do_not(store: Store, submit: SubmitJob) -> None:
    job = submit(experiments_total=1, threads=1, max_attempts=2)
    ends = []
    for act in ("crash", "give_back", "crash"):
        with store.writing() as tx:
            (claimed,) = claims.claim(tx, WORKER, limit=1, now_us=NOW_US)
            assert GUARDED[act][0](tx, claimed.claim)
            ends.append(jobs.find(tx, job.job_id).status)
    assert ends == [Status.QUEUED, Status.QUEUED, Status.ERROR]
    with store.reading() as tx:
        ended = jobs.find(tx, job.job_id)
    assert (ended.reason, ended.attempt) == (Reason.EXECUTOR_CRASHED, 3)


def test_a_validator_that_dies_twice_ends_the_job(store: Store, submit: SubmitJob) -> None:
    job = submit()
    ends = []
    for _ in range(2):
        with store.writing() as tx:
            (claimed,) = claims.claim_validations(tx, WORKER, limit=1, now_us=NOW_US)
            assert lifecycle.return_validation(tx, claimed.claim, message="SIGSEGV", now_us=NOW_US)
            ends.append(jobs.find(tx, job.job_id).status)
    assert ends == [Status.INITIALIZING, Status.ERROR]


@pytest.mark.parametrize("status", list(Status))
def test_request_cancel_from_every_state(store: Store, submit: SubmitJob, status: Status) -> None:
    job, _ = bring_to(store, submit, status)
    with store.writing() as tx:
        answer = cancels.request_cancel(tx, job.seq, now_us=NOW_US)
        after = jobs.find(tx, job.job_id)
    if status in FINAL:
        assert (answer, after) == (cancels.CancelAnswer.WAS_FINAL, job)
    elif status is Status.RUNNING:
        assert (answer, after.status) == (cancels.CancelAnswer.REQUESTED, Status.RUNNING)
        assert after.cancel_requested_us == NOW_US
    else:
        assert (answer, after.status) == (cancels.CancelAnswer.ENDED, Status.CANCELLED)
        assert after.reason is Reason.USER_CANCELLED


@pytest.mark.parametrize("status", sorted(FINAL))
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE jobs SET status = 'QUEUED', reason = NULL, finished_us = NULL",
        "UPDATE jobs SET name = 'other'",
        "INSERT OR REPLACE INTO jobs SELECT * FROM jobs",
        "REPLACE INTO experiments (job_seq, position, attempt, name, shots, format, sha256, size_bytes, data) "
        "SELECT seq, 0, 1, 'x', 1, 'f', 's', 1, x'00' FROM jobs",
        "UPDATE payloads SET data = x'00'",
    ],
)
def test_the_database_itself_keeps_final_jobs(store: Store, submit: SubmitJob, status: Status, statement: str) -> None:
    job, _ = bring_to(store, submit, status)
    with pytest.raises(StoreDamaged, match=r"never|only a running"), store.writing() as tx:
        tx.execute(text(statement))
    with store.reading() as tx:
        assert jobs.find(tx, job.job_id) == job


def test_a_stored_result_never_changes(store: Store, submit: SubmitJob) -> None:
    bring_to(store, submit, Status.DONE)
    with pytest.raises(StoreDamaged, match="never changes"), store.writing() as tx:
        tx.execute(text("UPDATE experiments SET data = x'00'"))


def test_a_result_goes_only_with_its_job(store: Store, submit: SubmitJob) -> None:
    job, _ = bring_to(store, submit, Status.DONE)
    with pytest.raises(StoreDamaged, match="only with its job"), store.writing() as tx:
        tx.execute(text("DELETE FROM experiments"))
    with store.writing() as tx:
        tx.execute(text("DELETE FROM jobs WHERE seq = :seq"), {"seq": job.seq})
        assert list(experiments.results_of(tx, job.seq)) == []


def test_no_final_state_has_a_move() -> None:
    assert all(bool(MOVES[status]) is (status not in FINAL) for status in Status)


def test_release_lost_by_state(store: Store, submit: SubmitJob) -> None:
    """RUNNING is charged and queued, VALIDATING starts again, a wanted end is given."""
    running, _ = bring_to(store, submit, Status.RUNNING)
    unwanted, _ = bring_to(store, submit, Status.RUNNING)
    validating, _ = bring_to(store, submit, Status.VALIDATING)
    with store.writing() as tx:
        cancels.request_cancel(tx, unwanted.seq, now_us=NOW_US)
        # No row says in which boot the lost worker lived, so this counts as a restart: not charged.
        releases.release_lost(tx, new_worker_id="worker-2", boot_id="this boot", now_us=NOW_US)
        ends = [jobs.find(tx, job.job_id) for job in (running, unwanted, validating)]
    assert [end.status for end in ends] == [Status.QUEUED, Status.CANCELLED, Status.INITIALIZING]
    assert ends[0].attempts_charged == 0
    assert ends[2].validations == 0


def test_release_lost_leaves_the_new_workers_jobs_alone(store: Store, submit: SubmitJob) -> None:
    job, _ = bring_to(store, submit, Status.RUNNING)
    with store.writing() as tx:
        assert releases.release_lost(tx, new_worker_id=WORKER, boot_id="b", now_us=NOW_US) == []
        assert jobs.find(tx, job.job_id) == job


def test_durations_are_never_negative_when_the_clock_is_set_back(store: Store, submit: SubmitJob) -> None:
    job = submit(experiments_total=1, threads=1)
    with store.writing() as tx:
        (claimed,) = claims.claim(tx, WORKER, limit=1, now_us=5)
        one_job.record_experiments(tx, claimed.claim, [result()])
        assert one_job.finish(tx, claimed.claim, engine="e", now_us=3)
        ended = jobs.find(tx, job.job_id)
    assert ended.started_us is not None
    assert ended.finished_us is not None
    assert ended.submitted_us <= ended.started_us <= ended.finished_us


def test_claims_go_by_priority_then_submission(store: Store, submit: SubmitJob) -> None:
    planned = {"experiments_total": 1, "threads": 1}
    first, second = submit(**planned), submit(**planned)
    urgent, idle = submit(priority=5, **planned), submit(priority=-1, **planned)
    with store.writing() as tx:
        three = claims.claim(tx, WORKER, limit=3, now_us=NOW_US)
        rest = claims.claim(tx, WORKER, limit=3, now_us=NOW_US)
    assert [item.job.seq for item in three] == [urgent.seq, first.seq, second.seq]
    assert [item.job.seq for item in rest] == [idle.seq]


@pytest.mark.parametrize("status", [status for status in Status if status not in FINAL])
def test_the_words_of_whoever_cancels_become_the_message(store: Store, submit: SubmitJob, status: Status) -> None:
    job, held = bring_to(store, submit, status)
    with store.writing() as tx:
        cancels.request_cancel(tx, job.seq, now_us=NOW_US, message="wrong angle")
        cancels.request_cancel(tx, job.seq, now_us=NOW_US + 1, message="too late")
        if status is Status.RUNNING:
            assert held is not None
            assert jobs.find(tx, job.job_id).cancel_requested_us == NOW_US
            assert lifecycle.cancel_held(tx, held, now_us=NOW_US + 2)
        ended = jobs.find(tx, job.job_id)
    assert (ended.status, ended.message) == (Status.CANCELLED, "wrong angle")


def test_a_lost_workers_job_ends_with_the_words_of_the_wish(store: Store, submit: SubmitJob) -> None:
    job, _ = bring_to(store, submit, Status.RUNNING)
    with store.writing() as tx:
        cancels.request_cancel(tx, job.seq, now_us=NOW_US, message="enough")
        releases.release_lost(tx, new_worker_id="worker-2", boot_id="b", now_us=NOW_US)
        assert jobs.find(tx, job.job_id).message == "enough"


@pytest.mark.parametrize("verb", ["crash", "give_back"])
def test_a_wish_that_the_worker_has_not_seen_ends_the_job(store: Store, submit: SubmitJob, verb: str) -> None:
    job, held = bring_to(store, submit, Status.RUNNING)
    assert held is not None
    with store.writing() as tx:
        cancels.request_cancel(tx, job.seq, now_us=NOW_US, message="enough")
        assert GUARDED[verb][0](tx, held)
        ended = jobs.find(tx, job.job_id)
    assert (ended.status, ended.reason, ended.message) == (Status.CANCELLED, Reason.USER_CANCELLED, "enough")


def test_many_cancels_are_those_of_each(store: Store, submit: SubmitJob) -> None:
    # In this order each claim takes the job that was made for it.
    found = {status: bring_to(store, submit, status)[0] for status in reversed(Status)}
    assert len({job.seq for job in found.values()}) == len(Status)
    more = [submit() for _ in range(600)]
    with store.writing() as tx:
        seqs = [job.seq for job in (*found.values(), *more)]
        answers = cancels.request_cancels(tx, [*seqs, 10_000], now_us=NOW_US)
        after = jobs.find_many(tx, seqs)
        history = events.history(tx, more[-1].seq)
    assert answers.pop(10_000) is cancels.CancelAnswer.WAS_FINAL
    for status, job in found.items():
        if status in FINAL:
            assert (answers[job.seq], after[job.seq]) == (cancels.CancelAnswer.WAS_FINAL, job)
        elif status is Status.RUNNING:
            assert answers[job.seq] is cancels.CancelAnswer.REQUESTED
        else:
            assert (answers[job.seq], after[job.seq].status) == (cancels.CancelAnswer.ENDED, Status.CANCELLED)
    assert all(after[job.seq].status is Status.CANCELLED for job in more)
    assert (history[-1].from_status, history[-1].to_status) == (Status.INITIALIZING, Status.CANCELLED)


def test_a_refusal_says_where(store: Store, submit: SubmitJob) -> None:
    job, held = bring_to(store, submit, Status.VALIDATING)
    assert held is not None
    with store.writing() as tx:
        lifecycle.fail(tx, held, Reason.INVALID_CIRCUIT, "bad", stderr_tail=None, now_us=NOW_US, line=6, column=11)
        found = jobs.find(tx, job.job_id)
    assert (found.error_line, found.error_column) == (6, 11)


def test_the_executor_noted_is_that_of_the_attempt(store: Store, submit: SubmitJob) -> None:
    job, held = bring_to(store, submit, Status.RUNNING)
    assert held is not None
    with store.writing() as tx:
        assert lifecycle.note_executor(tx, held, pid=7, started="then")
        noted = jobs.find(tx, job.job_id)
        assert lifecycle.give_back(tx, held, why="drained", now_us=NOW_US)
        assert not lifecycle.note_executor(tx, held, pid=8, started="later")
        (again,) = claims.claim(tx, WORKER, limit=1, now_us=NOW_US)
    assert (noted.executor_pid, noted.executor_started) == (7, "then")
    assert (again.job.executor_pid, again.job.executor_started) == (None, None)


def test_a_claim_reads_the_queue_in_its_order_and_sorts_nothing(store: Store, submit: SubmitJob) -> None:
    for _ in range(50):
        submit(experiments_total=1, threads=1)
    plans: list[str] = []

    def explain(conn: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if statement.startswith("SELECT jobs.seq"):
            explained = conn.connection.cursor()
            explained.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[3] for row in explained.fetchall())

    with store.writing() as tx:
        event.listen(tx, "before_cursor_execute", explain)
        assert len(claims.claim(tx, "w", limit=2, now_us=store.now_us())) == 2
        event.remove(tx, "before_cursor_execute", explain)
    assert any("ix_jobs_queue" in step for step in plans), plans
    assert not any("TEMP B-TREE" in step for step in plans), plans
