"""Sharing the cores: big jobs one after another, small ones beside them, and nobody waits for ever."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aerjob_cli.worker.cores import Choice, executors_at_most, is_big, only_small_may_begin, startable
from aerjob_cli.worker.demands import Demand
from aerjob_cli.worker.patience import Patience

BIG = 8


@pytest.mark.parametrize(
    ("waiting", "running", "slots", "room_behind", "chosen"),
    [
        # Small ones fill the slots, and then the room behind those that run.
        ([1, 1, 1], [], 2, 0, [0, 1]),
        ([1, 1, 1], [1], 2, 0, [0]),
        ([1, 1, 1], [1, 1], 2, 2, [0, 1]),
        ([None, 1], [], 1, 0, [0]),
        # One big job at a time; small ones pass those that wait for it.
        ([BIG, BIG, 1], [], 4, 0, [0, 2]),
        ([BIG, 1, BIG, 1], [BIG], 4, 0, [1, 3]),
        ([BIG, BIG], [BIG], 4, 8, []),
        # Also one of fewer threads than there are cores: else such jobs could keep one of all cores waiting for ever.
        ([2], [BIG], 4, 0, []),
        # It begins beside small ones that run.
        ([BIG], [1, 1, 1], 4, 0, [0]),
        # One that waits for an executor only is passed by nobody, in the room behind neither.
        ([BIG, 1, 1], [1, 1], 2, 9, []),
        ([1, BIG, 1], [1], 2, 9, [0]),
        ([1, BIG, 1], [1, 1], 2, 9, [0]),
        # A big one waits for no slot that a big one has.
        ([BIG, 1], [BIG], 1, 0, []),
        # Beside a big one, small ones have half of the cores at most.
        ([1] * 8, [BIG], 8, 0, [0, 1, 2, 3]),
        ([1] * 8, [BIG, 1, 1, 1, 1], 8, 2, [0, 1]),
        ([], [BIG], 8, 4, []),
    ],
)
def test_what_may_begin(
    waiting: Sequence[int | None], running: Sequence[int | None], slots: int, room_behind: int, chosen: list[int]
) -> None:
    demands = [Demand(threads) for threads in waiting]
    assert startable(demands, running, cores=BIG, slots=slots, room_behind=room_behind) == Choice(chosen)


@pytest.mark.parametrize(
    ("sizes", "free", "firm", "chosen"),
    [
        ([5, 5], 10, [], Choice([0, 1])),
        # What needs more than is left waits, and smaller ones pass it.
        ([5, 6, 5, 0], 10, [], Choice([0, 2, 3], short=[1])),
        ([11, 0, 0, 12], 10, [], Choice([1, 2], short=[0, 3])),
        # Unless they may not any more.
        ([5, 6, 5, 0], 10, [1], Choice([0], short=[1])),
        ([11, 0, 12, 0], 10, [2], Choice([1], short=[0, 2])),
        # A firm one for which there is enough keeps nobody waiting.
        ([5, 5, 0], 10, [0, 1], Choice([0, 1, 2])),
    ],
)
def test_what_lacks_memory_waits(sizes: Sequence[int], free: int, firm: list[int], chosen: Choice) -> None:
    demands = [Demand(1, size) for size in sizes]
    assert startable(demands, [], cores=8, slots=8, free_bytes=free, firm=firm) == chosen


def test_what_needs_memory_is_not_sent_ahead() -> None:
    demands = [Demand(1, 5), Demand(1), Demand(1, 5)]
    assert startable(demands, [1], cores=1, slots=1, room_behind=3, free_bytes=99) == Choice([])
    assert startable(demands[1:], [1], cores=1, slots=1, room_behind=3, free_bytes=99) == Choice([0])


def test_patience_ends_for_each_that_was_passed_whatever_came_in_between() -> None:
    patience = Patience(30.0)
    patience.note([7], [], 100.0)
    assert patience.over([6, 7, 8], 129.0) == []
    # It is not seen for a while, and another one that is more urgent lacks memory as well.
    patience.note([], [], 110.0)
    assert not patience.is_waited_for()
    patience.note([9, 7], [], 120.0)
    assert patience.is_waited_for()
    assert patience.over([9, 7, 8], 130.0) == [1]
    assert patience.over([9, 7, 8], 150.0) == [0, 1]
    # One that has begun, and comes back to the queue, is passed again.
    patience.note([9], [7], 150.0)
    assert patience.over([9, 7], 150.0) == [0]


def test_patience_forgets_the_oldest_of_very_many() -> None:
    patience = Patience(1.0)
    patience.note(range(5000), [], 1.0)
    assert patience.over([0, 4999], 2.0) == [1]


@pytest.mark.parametrize(
    ("running", "cores", "slots", "places"),
    [([], 8, 8, 8), ([1, 1], 8, 3, 3), ([8], 8, 8, 5), ([1, 8], 8, 2, 2), ([2], 2, 2, 2), ([4], 1, 4, 2)],
)
def test_how_many_executors_may_be_at_work(running: Sequence[int], cores: int, slots: int, places: int) -> None:
    assert executors_at_most(running, cores=cores, slots=slots) == places


def test_big_ones_are_not_looked_for_while_one_runs() -> None:
    assert only_small_may_begin([1, BIG])
    assert not only_small_may_begin([1, None])


class Machine:
    """Executors that run what `startable` chooses from a queue that is shown in part, as a claim shows it."""

    def __init__(self, queue: Sequence[int], *, cores: int, slots: int, depth: int, shown: int) -> None:
        self.queue = deque(enumerate(queue))
        self.cores, self.slots, self.depth, self.shown = cores, slots, depth, shown
        self.executors: list[deque[tuple[int, int]]] = []
        self.ended: list[tuple[int, int]] = []

    @property
    def running(self) -> list[int]:
        return [jobs[0][1] for jobs in self.executors]

    def turn(self) -> None:
        wanted = [job for job in self.queue if not (only_small_may_begin(self.running) and is_big(job[1]))]
        small = [jobs for jobs in self.executors if not is_big(jobs[0][1])]
        chosen = startable(
            [Demand(threads) for _, threads in wanted[: self.shown]],
            self.running,
            cores=self.cores,
            slots=self.slots,
            room_behind=sum(self.depth - len(jobs) for jobs in small),
        )
        for place in chosen.places:
            job = wanted[place]
            self.queue.remove(job)
            places = executors_at_most([*self.running, job[1]], cores=self.cores, slots=self.slots)
            if is_big(job[1]) or len(self.executors) < places:
                self.executors.append(deque([job]))
            else:
                min(small, key=len).append(job)
        assert sum(map(is_big, self.running)) <= 1
        assert len(self.executors) <= self.slots

    def end(self, executor: int) -> None:
        jobs = self.executors[executor % len(self.executors)]
        self.ended.append(jobs.popleft())
        if not jobs:
            self.executors.remove(jobs)


@settings(max_examples=50)
@given(
    queue=st.lists(st.sampled_from([1, 1, 1, 4]), max_size=30),
    slots=st.integers(1, 6),
    depth=st.integers(1, 4),
    shown=st.integers(1, 8),
    ends=st.lists(st.integers(0, 5), min_size=1, max_size=8),
)
def test_every_job_ends_and_big_ones_in_their_order(
    queue: list[int], slots: int, depth: int, shown: int, ends: list[int]
) -> None:
    machine = Machine(queue, cores=4, slots=slots, depth=depth, shown=shown)
    for turn in range(len(queue)):
        machine.turn()
        machine.end(ends[turn % len(ends)])
    assert sorted(machine.ended) == list(enumerate(queue))
    big = [number for number, threads in machine.ended if is_big(threads)]
    assert big == sorted(big)


@settings(max_examples=30)
@given(slots=st.integers(1, 4), depth=st.integers(1, 8), ends=st.lists(st.integers(0, 3), min_size=1, max_size=8))
def test_a_big_job_does_not_wait_for_small_ones_behind_it(slots: int, depth: int, ends: list[int]) -> None:
    # Twice the room that there is for small ones, the big one, and more small ones than ever end here.
    ahead = 2 * slots * depth
    machine = Machine([1] * ahead + [4] + [1] * 500, cores=4, slots=slots, depth=depth, shown=2 * slots * depth)
    turn = 0
    while not any(map(is_big, machine.running)):
        machine.turn()
        if not any(map(is_big, machine.running)):
            machine.end(ends[turn % len(ends)])
        turn += 1
    assert {number for number, _ in machine.ended} <= set(range(ahead))


@settings(max_examples=30)
@given(slots=st.integers(2, 4), shown=st.integers(1, 4))
def test_small_jobs_pass_any_number_of_big_ones(slots: int, shown: int) -> None:
    machine = Machine([4] * 50 + [1] * 5, cores=4, slots=slots, depth=2, shown=shown)
    for _ in range(8):
        machine.turn()
        small = [place for place, threads in enumerate(machine.running) if not is_big(threads)]
        if small:
            machine.end(small[0])
    assert sorted(number for number, _ in machine.ended) == [50, 51, 52, 53, 54]
    assert machine.running == [4]
