"""Cancelling races everything else that can happen to a job: one of them is first, and everybody is told the truth."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store import events, jobs
from aerjob_cli.store.database import Store
from aerjob_cli.store.records import Claim, JobRecord
from tests.faults.support import moves
from tests.faults.support.histories import require_legal
from tests.faults.support.racing import Racers
from tests.store.conftest import submission
from tests.support.circuits import BELL, ENDLESS
from tests.support.command_line import CommandLine
from tests.support.matrix import Matrix
from tests.support.running import Scene

PLAN = {"experiments_total": 1, "threads": 1}


def fresh(store: Store) -> tuple[JobRecord, Claim | None]:
    return moves.take_in(store, submission()), None


def validating(store: Store) -> tuple[JobRecord, Claim | None]:
    moves.take_in(store, submission())
    (item,) = moves.take_for_validation(store)
    return item.job, item.claim


def queued(store: Store) -> tuple[JobRecord, Claim | None]:
    return moves.take_in(store, submission(**PLAN)), None


def running(store: Store) -> tuple[JobRecord, Claim | None]:
    moves.take_in(store, submission(**PLAN))
    (item,) = moves.take(store)
    assert moves.record(store, item.claim, [moves.result_at(0)])
    return item.job, item.claim


def done(store: Store) -> tuple[JobRecord, Claim | None]:
    job, held = running(store)
    assert held is not None
    assert moves.finish(store, held)
    with store.reading() as tx:
        return jobs.find(tx, job.job_id), None


def is_taken(store: Store) -> bool:
    return bool(moves.take(store))


def is_taken_for_validation(store: Store) -> bool:
    return bool(moves.take_for_validation(store))


def is_rescued(store: Store) -> bool:
    return bool(moves.rescue(store, "another", "this boot"))


@dataclass(frozen=True)
class Race:
    """A job that is somewhere, what happens to it while it is cancelled, and how that may end.

    ``ends`` gives the final state for each pair of answers that there can be: the canceller's and the rival's.
    """

    start: Callable[[Store], tuple[JobRecord, Claim | None]]
    rival: Callable[..., bool]
    ends: dict[tuple[str, bool], Status]

    def deed(self, held: Claim | None) -> Callable[[Store], bool]:
        return self.rival if held is None or self.rival is is_rescued else partial(self.rival, held=held)


BEFORE_IT_RUNS = {("ENDED", True): Status.CANCELLED, ("ENDED", False): Status.CANCELLED}
WISH_HEEDED = {("ENDED", True): Status.CANCELLED, ("REQUESTED", True): Status.CANCELLED}
RACES = {
    "the claim for validation": Race(fresh, is_taken_for_validation, BEFORE_IT_RUNS),
    "a good verdict": Race(validating, moves.accept, BEFORE_IT_RUNS),
    "a bad verdict": Race(
        validating, moves.fail, {("WAS_FINAL", True): Status.ERROR, ("ENDED", False): Status.CANCELLED}
    ),
    "the return of a validation": Race(validating, moves.return_unread, BEFORE_IT_RUNS),
    "the claim": Race(queued, is_taken, {("ENDED", False): Status.CANCELLED, ("REQUESTED", True): Status.CANCELLED}),
    "the finish": Race(running, moves.finish, {("WAS_FINAL", True): Status.DONE, ("REQUESTED", True): Status.DONE}),
    "the failure": Race(running, moves.fail, {("WAS_FINAL", True): Status.ERROR, ("REQUESTED", True): Status.ERROR}),
    "the crash": Race(running, moves.crash, WISH_HEEDED),
    "the drain": Race(running, moves.give_back, WISH_HEEDED),
    "the rescue": Race(running, is_rescued, WISH_HEEDED),
}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(StorePaths(tmp_path / "home"))
    yield opened
    opened.close()


@pytest.mark.parametrize("name", RACES)
def test_a_cancel_that_races_is_answered_by_what_came_first(store: Store, matrix: Matrix, name: str) -> None:
    race = RACES[name]
    seen: set[tuple[str, bool]] = set()
    with Racers(store.paths, 2, chance=matrix.random(f"cancel races {name}")) as racers:
        for number in matrix.rounds(sample=8, full=1000, is_enough=lambda: seen == race.ends.keys()):
            job, held = race.start(store)
            answers = tuple(racers.race(partial(moves.cancel, job_seq=job.seq), race.deed(held)))
            told = (f"round {number} of {name}, seed {matrix.seed}", answers)
            assert answers in race.ends, told
            seen.add(answers)
            moves.heed_wishes(store)
            ended = require_legal(store, job.job_id, told)
            assert ended.status is race.ends[answers], told
            # Whoever lost the job changes nothing any more.
            if held is not None:
                assert not any(late(store, held) for late in (moves.accept, moves.finish, moves.crash)), told
            assert require_legal(store, job.job_id, told) == ended, told
    assert seen == race.ends.keys(), "one of the orders never came about"


@pytest.mark.parametrize("start", [fresh, validating, queued, running], ids=lambda start: start.__name__)
def test_of_two_cancels_at_once_one_ends_the_job(
    store: Store, matrix: Matrix, start: Callable[[Store], tuple[JobRecord, Claim | None]]
) -> None:
    winners: set[str | None] = set()
    with Racers(store.paths, 2, chance=matrix.random(f"two cancels {start.__name__}")) as racers:
        for number in matrix.rounds(sample=8, full=1000, is_enough=lambda: len(winners) == 2):
            job, _ = start(store)
            words = ("first", "second")
            answers = racers.race(*(partial(moves.cancel, job_seq=job.seq, message=word) for word in words))
            told = (f"round {number} of {start.__name__}, seed {matrix.seed}", answers)
            if start is running:
                assert answers == ["REQUESTED", "REQUESTED"], told
            else:
                assert sorted(answers) == ["ENDED", "WAS_FINAL"], told
            moves.heed_wishes(store)
            ended = require_legal(store, job.job_id, told)
            assert ended.status is Status.CANCELLED, told
            # The reason that counts is that of whoever was first.
            assert ended.message in words, told
            if start is not running:
                assert ended.message == words[answers.index("ENDED")], told
            winners.add(ended.message)
    assert winners == {"first", "second"}, "one of the orders never came about"


def test_cancelling_a_final_job_changes_nothing_however_many_try(store: Store, matrix: Matrix) -> None:
    with Racers(store.paths, 2, chance=matrix.random("cancel of a final job")) as racers:
        for number in range(matrix.times(sample=8, full=1000)):
            job, _ = done(store)
            answers = racers.race(*[partial(moves.cancel, job_seq=job.seq)] * 2)
            told = (f"round {number}, seed {matrix.seed}", answers)
            assert answers == ["WAS_FINAL", "WAS_FINAL"], told
            assert require_legal(store, job.job_id, told) == job, told


def test_a_cancel_at_any_instant_of_a_running_worker_leaves_one_end(scene: Scene, matrix: Matrix) -> None:
    """The worker claims, validates and finishes meanwhile; of jobs of some milliseconds some are ended, others done."""
    chance = matrix.random("cancel at any instant")
    (warm,) = scene.put(scene.request(BELL))
    scene.start_worker("--slots", "1")
    scene.wait_for_status(warm, Status.DONE)
    del scene.client._launcher.call  # a client as users have it
    ends: set[Status] = set()
    for number in matrix.rounds(sample=8, full=1000, is_enough=lambda: len(ends) == 2):
        (job,) = scene.client.submit([scene.request(BELL, seed=number)])
        time.sleep(chance.uniform(0, 0.03))  # the instant at which it is cancelled
        answer = scene.client.cancel(job)
        told = (f"round {number}, seed {matrix.seed}", answer)
        assert answer.status in (Status.CANCELLED, Status.DONE), told
        assert require_legal(scene.store, job.job_id, told) == answer, told
        assert len(list(scene.client.results(answer))) == (answer.status is Status.DONE), told
        ends.add(answer.status)
    assert ends == {Status.CANCELLED, Status.DONE}, "one of the orders never came about"
    # The worker has lost none of its abilities.
    (after,) = scene.client.submit([scene.request(BELL)])
    assert scene.wait_for_status(after, Status.DONE).attempts_charged == 0


def test_two_commands_that_cancel_one_running_job_are_told_the_same(
    scene: Scene, aerjob: CommandLine, matrix: Matrix
) -> None:
    scene.start_worker("--slots", "1")
    for _ in range(matrix.times(sample=1, full=20)):
        (job,) = scene.client.submit([scene.request(ENDLESS)])
        scene.wait_for_executor(job)
        both = [aerjob.start("cancel", job.job_id, "--json") for _ in range(2)]
        answers = [process.communicate(timeout=120) for process in both]
        assert [process.returncode for process in both] == [0, 0], answers
        assert answers[0][0] == answers[1][0]
        ended = require_legal(scene.store, job.job_id, answers)
        assert ended.status is Status.CANCELLED
        history = scene.peek(lambda tx, seq=job.seq: events.history(tx, seq))  # type: ignore[misc]
        assert history is not None
        assert [event.to_status for event in history].count(Status.CANCELLED) == 1
