"""A filter gives the jobs that the same conditions in Python give, in the order that was asked for."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Reason, Status
from aerjob_cli.store import claims, jobs, lifecycle, list_plans, submissions
from aerjob_cli.store.database import Store
from aerjob_cli.store.listing import JobFilter, SortKey, listed, matching_seqs, short_ids, still_fitting
from aerjob_cli.store.records import ExperimentRecord, JobRecord, Payload
from tests.store.conftest import SubmitJob, submission
from tests.support import one_job

JOBS = 90
NAMES = (None, "bell", "Bell", "bell*", "b[e]ll", "ghz-3", "ghz-30", "名前", "a_b%c", "", "?")
GROUPS = (None, "g", "G", "日本")
TAGS = ("x", "y", "z", "日本")
BACKENDS = ("qasm_simulator", "aer_simulator")
TIMES_US = (1000, 2000, 2000, 3000, 5000)


@dataclass(frozen=True)
class Many:
    """A store, and its jobs in the order of their submission."""

    store: Store
    everything: list[JobRecord] = field(repr=False)


def _end(store: Store, chance: random.Random) -> None:
    """Move the next job of the queue on, to one of the states that it can get into."""
    with store.writing() as tx:
        for item in claims.claim(tx, "w", limit=1, now_us=chance.randrange(6000, 8000)):
            end_us = chance.randrange(8000, 9000)
            match chance.choice(list(Status)):
                case Status.DONE:
                    done = [ExperimentRecord(0, 1, 1, Payload("n", "f", "0" * 64, 1, b"x"))]
                    assert one_job.record_experiments(tx, item.claim, done)
                    assert one_job.finish(tx, item.claim, engine="e", now_us=end_us)
                case Status.ERROR | Status.QUEUED:
                    reason = chance.choice((Reason.TIMED_OUT, Reason.SIMULATION_FAILED))
                    lifecycle.fail(tx, item.claim, reason, "m", stderr_tail=None, now_us=end_us)
                case Status.CANCELLED:
                    lifecycle.cancel_held(tx, item.claim, now_us=end_us)
                case _:
                    pass


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Many]:
    """A store with jobs of all kinds."""
    store = Store.open(StorePaths(tmp_path_factory.mktemp("many")))
    chance = random.Random(20)
    known: list[str] = []
    for number in range(JOBS):
        plan = {"experiments_total": 1, "threads": 1} if number % 5 else {}
        item = submission(
            name=chance.choice(NAMES),
            tags=tuple(chance.sample(TAGS, chance.randrange(len(TAGS)))),
            backend=chance.choice(BACKENDS),
            group_name=chance.choice(GROUPS),
            retry_of=known[-1] if known and chance.random() < 0.3 else None,
            priority=chance.randrange(-1, 2),
            **plan,
        )
        with store.writing() as tx:
            submissions.submit(tx, item, now_us=chance.choice(TIMES_US))
        known.append(item.job_id)
        if chance.random() < 0.7:
            _end(store, chance)
    with store.reading() as tx:
        everything = [job for _, job in sorted(jobs.find_many(tx, range(1, JOBS + 1)).items())]
    assert len(everything) == JOBS
    assert {job.status for job in everything} == set(Status) - {Status.VALIDATING}
    yield Many(store, everything)
    store.close()


def _glob(pattern: str) -> re.Pattern[str]:
    return re.compile("".join({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in pattern), re.DOTALL)


def _fits(wanted: JobFilter, job: JobRecord, retried: frozenset[str | None]) -> bool:
    return (
        (not wanted.statuses or job.status in wanted.statuses)
        and (not wanted.reasons or job.reason in wanted.reasons)
        and set(wanted.tags) <= set(job.tags)
        and (wanted.group is None or job.group_name == wanted.group)
        and (wanted.older_than_us is None or (job.finished_us or job.submitted_us) < wanted.older_than_us)
        and not (wanted.not_retried and job.job_id in retried)
        and (wanted.name is None or (job.name is not None and bool(_glob(wanted.name).fullmatch(job.name))))
        and (wanted.backend is None or job.backend == wanted.backend)
        and (wanted.since_us is None or job.submitted_us >= wanted.since_us)
        and (wanted.until_us is None or job.submitted_us < wanted.until_us)
    )


KEYS: dict[SortKey, Callable[[JobRecord], object]] = {
    SortKey.SUBMITTED: lambda job: job.seq,
    SortKey.STARTED: lambda job: job.started_us,
    SortKey.FINISHED: lambda job: job.finished_us,
    SortKey.STATUS: lambda job: list(Status).index(job.status),
    SortKey.NAME: lambda job: None if job.name is None else job.name.encode(),  # SQLite compares bytes
    SortKey.BACKEND: lambda job: job.backend,
    SortKey.PRIORITY: lambda job: job.priority,
    SortKey.DURATION: lambda job: (
        None if job.finished_us is None or job.started_us is None else job.finished_us - job.started_us
    ),
}


def _ordered(found: list[JobRecord], sort: SortKey, descending: bool) -> list[JobRecord]:
    key = KEYS[sort]
    valued = [job for job in found if key(job) is not None]
    without = [job for job in found if key(job) is None]
    valued.sort(key=lambda job: (key(job), job.seq), reverse=descending)
    return valued + sorted(without, key=lambda job: job.seq, reverse=descending)


def _some(values: tuple[str, ...] | tuple[Status, ...] | tuple[Reason, ...]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(st.sampled_from(values), max_size=3).map(tuple)


times = st.none() | st.integers(0, 6000) | st.sampled_from(TIMES_US)
patterns = st.sampled_from([name for name in NAMES if name is not None]) | st.text("bel*?[]^g-0%_名B", max_size=6)
filters = st.builds(
    JobFilter,
    statuses=_some(tuple(Status)),
    reasons=st.just(()) | _some(tuple(Reason)),
    tags=st.just(()) | _some((*TAGS, "none has it")),
    group=st.none() | st.sampled_from((*GROUPS, "none is in it")),
    not_retried=st.booleans(),
    name=st.none() | patterns,
    backend=st.none() | st.sampled_from((*BACKENDS, "other")),
    since_us=times,
    until_us=times,
    older_than_us=times | st.integers(8000, 9000),
)


def _by_time(found: list[JobRecord], descending: bool) -> list[JobRecord]:
    return sorted(found, key=lambda job: (job.submitted_us, job.seq), reverse=descending)


@pytest.mark.parametrize("few", [10, list_plans.FEW])
@settings(max_examples=200, deadline=None)
@given(
    wanted=filters,
    limit=st.none() | st.integers(1, 20),
    sort=st.sampled_from(SortKey),
    descending=st.booleans(),
)
def test_a_list_is_what_python_gives(
    many: Many, few: int, wanted: JobFilter, limit: int | None, sort: SortKey, descending: bool
) -> None:
    store, everything = many.store, many.everything
    retried = frozenset(job.retry_of for job in everything)
    expected = [job for job in everything if _fits(wanted, job, retried)]
    # What a store of so few jobs has many of, to go each way.
    with store.reading() as tx, pytest.MonkeyPatch.context() as patch:
        patch.setattr(list_plans, "FEW", few)
        found = listed(tx, wanted, limit=limit, sort=sort, descending=descending)
        seqs = matching_seqs(tx, wanted)
        still = still_fitting(tx, wanted, [99, *range(JOBS, 0, -2)])
    is_by_time = sort is SortKey.SUBMITTED and (wanted.since_us, wanted.until_us) != (None, None)
    ordered = _by_time(expected, descending) if is_by_time else _ordered(expected, sort, descending)
    assert found == ordered[:limit]
    assert seqs == [job.seq for job in expected]
    assert still == [seq for seq in range(JOBS, 0, -2) if seq in seqs]


@pytest.mark.parametrize("sort", SortKey)
def test_every_order_puts_jobs_apart(many: Many, sort: SortKey) -> None:
    """The order that a key gives is not the one that there would be without it."""
    store, everything = many.store, many.everything
    with store.reading() as tx:
        up = listed(tx, JobFilter(), sort=sort, descending=False)
    assert up == _ordered(everything, sort, False)
    assert sort is SortKey.SUBMITTED or up != everything


def test_short_ids_mean_one_job_each(store: Store, submit: SubmitJob) -> None:
    alike = [f"11112222-0000-4000-8000-{number:012}" for number in (1, 2, 30)]
    records = [submit(job_id=job_id) for job_id in (*alike, "f" * 8 + alike[0][8:], "f" * 10 + alike[0][10:])]
    with store.reading() as tx:
        short = short_ids(tx, records)
        assert short_ids(tx, []) == {}
        for job_id, beginning in short.items():
            assert jobs.resolve(tx, beginning).job_id == job_id
    assert short == {
        alike[0]: alike[0],
        alike[1]: alike[1],
        alike[2]: alike[2][:-1],
        records[3].job_id: "ffffffff-",
        records[4].job_id: "fffffffff",
    }


def test_a_bracket_is_a_bracket(many: Many) -> None:
    with many.store.reading() as tx:
        found = listed(tx, JobFilter(name="b[e]*"), descending=False)
    assert found == [job for job in many.everything if job.name == "b[e]ll"] != []


def test_a_pattern_of_many_stars_is_no_burden(store: Store, submit: SubmitJob) -> None:
    job = submit(name="a" * 1000)
    with store.reading() as tx:
        assert listed(tx, JobFilter(name="*" * 5000)) == [job]
        assert listed(tx, JobFilter(name="a**b")) == []
