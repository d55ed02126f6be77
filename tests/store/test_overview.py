"""Looking at the whole store: what the verbs find, and that they need not read all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine

from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store import events, overview
from aerjob_cli.store.database import Store
from tests.store.conftest import SubmitJob
from tests.support.staging import Stage

QUEUE = "SCAN jobs USING COVERING INDEX ix_jobs_queue"


@pytest.fixture
def stage(paths: StorePaths, store: Store) -> Iterator[Stage]:
    with Stage(paths) as opened:
        yield opened


def test_endings_are_found_from_an_event_on(store: Store, stage: Stage, submit: SubmitJob) -> None:
    first, second, third = submit(), submit(), submit()
    stage.run_through(first)
    with store.reading() as tx:
        seen = overview.latest_event(tx)
        assert [ending.job_seq for ending in overview.endings_after(tx, 0)] == [first.seq]
        assert overview.endings_after(tx, seen) == []
    stage.validate(second, experiments=3)
    stage.start(second)
    stage.record(second, 0, 1)
    stage.fail(second)
    with store.reading() as tx:
        (ending,) = overview.endings_after(tx, seen)
        assert (ending.job_seq, ending.status, ending.experiments_done) == (second.seq, Status.ERROR, 2)
        assert ending.started_us is not None
        assert ending.started_us <= ending.finished_us
        assert overview.count_ended(tx) == {Status.DONE: 1, Status.ERROR: 1}
        assert overview.last_ended(tx, limit=9) == [second.seq, first.seq]
        assert overview.last_ended(tx, limit=1) == [second.seq]
        assert [job.seq for job in overview.to_be_validated(tx, limit=9)] == [third.seq]
        assert overview.running(tx, limit=9) == []


def test_the_queue_is_in_its_order(store: Store, stage: Stage, submit: SubmitJob) -> None:
    jobs = [submit(priority=priority) for priority in (0, 5, 0, 5)]
    for job in jobs:
        stage.validate(job, experiments=1)
    with store.reading() as tx:
        assert [job.seq for job in overview.next_queued(tx, limit=3)] == [jobs[1].seq, jobs[3].seq, jobs[0].seq]
        assert overview.count_ended(tx) == {}
    stage.start(jobs[1])
    with store.reading() as tx:
        assert [job.seq for job in overview.running(tx, limit=9)] == [jobs[1].seq]


def note_at(tx: Connection, job_seq: int, *times_us: int) -> None:
    for time_us in times_us:
        events.note(tx, [job_seq], at_us=time_us, source=None, target=Status.QUEUED, why="written by the test")


def test_the_last_event_before_a_time(store: Store, submit: SubmitJob) -> None:
    with store.reading() as tx:
        assert overview.latest_event_before(tx, 10**18) == 0
    job, other = submit(), submit()
    with store.writing() as tx:
        tx.exec_driver_sql("DELETE FROM events")
        note_at(tx, job.seq, 100, 200, 200)
        note_at(tx, other.seq, *range(201, 250))
        note_at(tx, job.seq, 300, 400)
        # Its numbers are missing then.
        tx.exec_driver_sql("DELETE FROM jobs WHERE seq = ?", (other.seq,))
        numbers = [item.seq for item in events.history(tx, job.seq)]
        times = [item.at_us for item in events.history(tx, job.seq)]
        for time_us in (0, 100, 101, 200, 201, 225, 300, 301, 400, 401):
            found = overview.latest_event_before(tx, time_us)
            # Whoever reads from there on misses nothing of that time, and reads nothing from before it.
            assert [seq for seq in numbers if seq > found] == [
                seq for seq, at_us in zip(numbers, times, strict=True) if at_us >= time_us
            ]


def test_no_verb_reads_all_jobs(store: Store) -> None:
    asked: list[tuple[str, tuple[object, ...]]] = []

    def note(_c: object, _cursor: object, statement: str, parameters: tuple[object, ...], *_: object) -> None:
        asked.append((statement, parameters))

    with store.reading() as tx, closing(Listening(note)):
        overview.count_ended(tx)
        overview.latest_event_before(tx, 10**18)
        overview.endings_after(tx, 0)
        overview.last_ended(tx, limit=50)
        overview.running(tx, limit=50)
        overview.to_be_validated(tx, limit=50)
        overview.next_queued(tx, limit=50)
    assert len(asked) >= 8
    with store.reading() as tx:
        for statement, parameters in asked:
            plan = [row[3] for row in tx.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            for step in plan:
                # The last events are read backwards, and the queue from its head, until there are enough.
                reads_some = "LIMIT" in statement and step in ("SCAN events", "SCAN first_awaited", QUEUE)
                assert "SCAN" not in step or reads_some, (statement, plan)
                assert "TEMP B-TREE" not in step, (statement, plan)


class Listening:
    """Hears every statement until it is closed."""

    def __init__(self, listener: Callable[..., None]) -> None:
        self._listener = listener
        event.listen(Engine, "before_cursor_execute", listener)

    def close(self) -> None:
        event.remove(Engine, "before_cursor_execute", self._listener)
