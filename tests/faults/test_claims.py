"""Sixteen processes take jobs from one queue until it is empty: each job goes to one of them, in the queue's order."""

from __future__ import annotations

import random
import time
from functools import partial
from itertools import groupby, pairwise
from pathlib import Path

from sqlalchemy import select

from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store import jobs, submissions
from aerjob_cli.store.database import Store
from aerjob_cli.store.tables import events
from aerjob_cli.store.tables import jobs as rows_of_jobs
from tests.faults.support import moves
from tests.faults.support.racing import Racers
from tests.store.conftest import submission
from tests.support.matrix import Matrix

PROCESSES = 16
AT_MOST_AT_ONCE = 16
FEEDING_TAKES_S = 0.02
SUBMITTED_AT_ONCE = 1000
DEADLINE_S = 1800.0  # for a hundred thousand, on a machine that is busy elsewhere


def take_all(store: Store, worker_id: str, seed: str) -> list[int]:
    """Take jobs, a few at a time, until none is left; give their sequence numbers."""
    chance = random.Random(seed)
    taken: list[int] = []
    while batch := moves.take(store, worker_id, limit=chance.randint(1, AT_MOST_AT_ONCE)):
        taken += [item.job.seq for item in batch]
        # As long as a worker takes to feed its executors: who has had the lock is not the next one every time.
        time.sleep(chance.uniform(0, FEEDING_TAKES_S))
    return taken


def fill(store: Store, count: int, chance: random.Random) -> dict[int, tuple[int, int]]:
    """Submit jobs of several priorities; give each one's place in the order of the queue."""
    places = {}
    for start in range(0, count, SUBMITTED_AT_ONCE):
        with store.writing() as tx:
            for _ in range(min(SUBMITTED_AT_ONCE, count - start)):
                wanted = submission(experiments_total=1, threads=1, priority=chance.randint(-1, 1))
                job = submissions.submit(tx, wanted, now_us=store.now_us())
                places[job.seq] = (-job.priority, job.seq)
    return places


def test_no_job_is_claimed_twice_and_none_is_left_behind(tmp_path: Path, matrix: Matrix) -> None:
    store = Store.open(StorePaths(tmp_path / "home"))
    chance = matrix.random("claims of sixteen")
    places = fill(store, matrix.times(sample=1_000, full=100_000), chance)
    with Racers(store.paths, PROCESSES, chance=chance) as racers:
        names = [f"worker {number}" for number in range(PROCESSES)]
        moves_of_all = (partial(take_all, worker_id=name, seed=f"{matrix.seed}/{name}") for name in names)
        taken = racers.race(*moves_of_all, deadline_s=DEADLINE_S)
    assert sum(map(bool, taken)) > PROCESSES / 2, f"most processes found nothing to take, seed {matrix.seed}"
    assert sorted(seq for batch in taken for seq in batch) == sorted(places), f"seed {matrix.seed}"
    holders = {seq: name for name, batch in zip(names, taken, strict=True) for seq in batch}
    with store.reading() as tx:
        assert not jobs.has_waiting(tx)
        query = select(rows_of_jobs.c.seq, rows_of_jobs.c.worker_id, rows_of_jobs.c.attempt, rows_of_jobs.c.status)
        held = tx.execute(query).all()
        begun = tx.execute(
            select(events.c.job_seq, events.c.worker_id, events.c.at_us)
            .where(events.c.to_status == Status.RUNNING)
            .order_by(events.c.seq)
        ).all()
    store.close()
    # The store agrees with those who took them, and has each taken once.
    assert {row.seq: row.worker_id for row in held} == holders
    assert {(row.attempt, row.status) for row in held} == {(1, Status.RUNNING)}
    assert sorted(row.job_seq for row in begun) == sorted(places)
    # Whoever took them: the more urgent first, then the ones that were submitted first.
    batches = [sorted(places[row.job_seq] for row in rows) for _, rows in groupby(begun, key=lambda row: row.worker_id)]
    assert all(earlier[-1] < later[0] for earlier, later in pairwise(batches)), f"seed {matrix.seed}"
