"""Finding jobs: ids, prefixes, the queue, retries; and taking the same request twice."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aerjob_cli.errors import AmbiguousJobId, IdempotencyConflict, JobNotFound
from aerjob_cli.store import claims, events, experiments, jobs, submissions
from aerjob_cli.store.database import Store
from aerjob_cli.store.records import ExperimentRecord, Payload
from tests.store.conftest import SubmitJob, submission
from tests.support import one_job

ONE = "11112222-0000-4000-8000-000000000001"
TWO = "11112222-0000-4000-8000-000000000002"
OTHER = "33334444-0000-4000-8000-000000000003"


def test_references(store: Store, submit: SubmitJob) -> None:
    for job_id in (ONE, OTHER, TWO):
        submit(job_id=job_id)
    with store.reading() as tx:
        assert jobs.resolve(tx, ONE).job_id == ONE
        assert jobs.resolve(tx, "3333").job_id == OTHER
        assert jobs.resolve(tx, "3333444").job_id == OTHER
        assert jobs.resolve(tx, OTHER.upper()).job_id == OTHER
        assert jobs.resolve(tx, "last").job_id == TWO
        with pytest.raises(AmbiguousJobId) as caught:
            jobs.resolve(tx, "1111")
        assert caught.value.fields["candidates"] == [ONE, TWO]
        for unknown in ("ffff", "333", "", "%%%%", "____", ONE + "0"):
            with pytest.raises(JobNotFound):
                jobs.resolve(tx, unknown)


def test_last_of_an_empty_store(store: Store) -> None:
    with store.reading() as tx, pytest.raises(JobNotFound, match="none was submitted here"):
        jobs.resolve(tx, "last")


def test_queue_position_counts_those_before(store: Store, submit: SubmitJob) -> None:
    planned = {"experiments_total": 1, "threads": 1}
    first, second, urgent = submit(**planned), submit(**planned), submit(priority=1, **planned)
    waiting = submit()
    with store.reading() as tx:
        assert [jobs.queue_position(tx, job) for job in (first, second, urgent, waiting)] == [2, 3, 1, None]


def test_retries_are_found_by_what_they_were_made_of(store: Store, submit: SubmitJob) -> None:
    original, other = submit(), submit()
    first, second = submit(retry_of=original.job_id), submit(retry_of=original.job_id)
    again = submit(retry_of=first.job_id)
    with store.reading() as tx:
        assert jobs.retries_of(tx, original.job_id) == [first.job_id, second.job_id]
        assert jobs.retries_of(tx, first.job_id) == [again.job_id]
        assert jobs.retries_of(tx, other.job_id) == []


def test_an_idempotency_key_gives_the_first_job_again(store: Store, submit: SubmitJob) -> None:
    first = submit(idempotency_key="k", seed=1)
    # The seed was drawn, so the repetition has drawn another one.
    again = submit(idempotency_key="k", seed=2)
    assert again == first
    with pytest.raises(IdempotencyConflict) as caught:
        submit(idempotency_key="k", shots=99)
    assert caught.value.fields["job_id"] == first.job_id


def test_jobs_taken_in_at_once_are_what_a_look_at_each_finds(store: Store) -> None:
    wanted = [
        submission(tags=("b", "a", "b"), options={"method": "stabilizer"}, metadata={"runs": [1, None]}, name="first"),
        submission(experiments_total=3, threads=2, memory=True, counts_required=False, submitted_by={"host": "here"}),
        submission(time_limit_s=1.5, max_memory_mb=7, priority=-1, retry_of=ONE, seed=2**63 - 1),
    ]
    with store.writing() as tx:
        made = submissions.submit_all(tx, wanted, now_us=store.now_us())
    with store.reading() as tx:
        assert made == [jobs.find(tx, item.job_id) for item in wanted]
        assert [tuple(submissions.payloads_of(tx, job.seq)) for job in made] == [item.payloads for item in wanted]
        assert [[event.to_status for event in events.history(tx, job.seq)] for job in made] == [
            [job.status] for job in made
        ]
    assert [job.seq for job in made] == sorted(job.seq for job in made)


def test_a_key_means_one_job_within_one_call_too(store: Store, submit: SubmitJob) -> None:
    earlier = submit(idempotency_key="earlier")
    keyed = [submission(idempotency_key=key, seed=seed) for seed, key in enumerate(["k", "earlier", None, "k"])]
    with store.writing() as tx:
        first, again, other, repeated = submissions.submit_all(tx, keyed, now_us=store.now_us())
    assert again == earlier
    assert repeated == first
    assert len({first.job_id, earlier.job_id, other.job_id}) == 3
    both = [submission(idempotency_key="new"), submission(idempotency_key="new", shots=99)]
    with pytest.raises(IdempotencyConflict), store.writing() as tx:
        submissions.submit_all(tx, both, now_us=store.now_us())
    with store.reading() as tx, pytest.raises(JobNotFound):
        jobs.find(tx, both[0].job_id)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(total=st.integers(1, 40), stored=st.sets(st.integers(0, 39)))
def test_missing_ranges_are_what_is_not_stored(store: Store, submit: SubmitJob, total: int, stored: set[int]) -> None:
    stored = {position for position in stored if position < total}
    job = submit(experiments_total=total, threads=1, priority=1)
    with store.writing() as tx:
        (claimed,) = claims.claim(tx, "w", limit=1, now_us=1)
        assert claimed.job.seq == job.seq
        results = [ExperimentRecord(at, 1, 1, Payload("n", "f", "s", 1, b"x")) for at in sorted(stored)]
        assert one_job.record_experiments(tx, claimed.claim, results)
        ranges = experiments.missing_ranges(tx, job.seq, total)
        assert jobs.find(tx, job.job_id).experiments_done == len(stored)
    missing = [position for start, stop in ranges for position in range(start, stop)]
    assert missing == sorted(set(range(total)) - stored)
    assert all(start < stop for start, stop in ranges)
