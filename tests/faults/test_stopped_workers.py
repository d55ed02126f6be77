"""Workers that stand still and go on again, or begin together: one of them has the store, and the other one leaves."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, update

from aerjob_cli.api.requests import CircuitBytes, Plan, Request
from aerjob_cli.errors import StoreBusy
from aerjob_cli.settings import EXIT_ANOTHER_RUNS, StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store import events, jobs, releases, workers
from aerjob_cli.store.database import Store
from aerjob_cli.store.flocks import try_flock
from aerjob_cli.store.records import Claim, JobRecord
from aerjob_cli.store.tables import workers as rows_of_workers
from tests.faults.support import moves
from tests.faults.support.histories import require_legal
from tests.faults.support.racing import Racers
from tests.faults.support.results import result_sums
from tests.store.conftest import submission
from tests.support.circuits import BELL, layers
from tests.support.matrix import Matrix
from tests.support.running import Scene, until

# A second or two of work; the state of the second one is kept in a file.
LONG = layers(20, 25)
LARGE_STATE = layers(18, 50).replace("measure q -> c;", "")
SENTENCE = "another worker already runs on this store; this one leaves"


def stopped_outside_a_write(scene: Scene, pid: int) -> bool | None:
    """Stop a process, or let it go on when it was in the middle of a write."""
    os.kill(pid, signal.SIGSTOP)
    impatient = Store.open(scene.paths, busy_timeout_s=0.2)
    try:
        with impatient.writing():
            return True
    except StoreBusy:
        os.kill(pid, signal.SIGCONT)
        return None
    finally:
        impatient.close()


# A worker that falls silent in the middle of a write.
SILENT_WRITER = """
import sys
from pathlib import Path
from aerjob_cli.settings import StorePaths, WorkerSettings
from aerjob_cli.store import workers
from aerjob_cli.store.database import Store
from aerjob_cli.store.doorbell import Doorbell
from aerjob_cli.store.flocks import try_flock
from aerjob_cli.worker.daemon import _record
store = Store.open(StorePaths(Path(sys.argv[1])))
lock, bell = try_flock(store.paths.worker_lock), Doorbell.hang(store.paths.doorbell)
with store.writing() as tx:
    workers.register(tx, _record(store, WorkerSettings(lease_s=0.2)))
with store.writing() as tx:
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_silent_worker_that_keeps_everybody_from_writing_is_ended(scene: Scene) -> None:
    (job,) = scene.put(scene.request(BELL))
    command = [sys.executable, "-c", SILENT_WRITER, str(scene.paths.home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as silent:
        assert silent.stdout is not None
        assert silent.stdout.readline() == b"held\n"
        scene.start_successor()
        assert silent.wait(timeout=60) == -signal.SIGKILL
    scene.wait_for_status(job, Status.DONE)


def test_a_stopped_worker_that_was_succeeded_changes_nothing(scene: Scene) -> None:
    (job,) = scene.put(scene.request(LONG))
    first = scene.start_worker("--lease", "1")
    scene.wait_for_executor(job)
    silent = scene.worker()
    until(lambda: stopped_outside_a_write(scene, first.pid))
    try:
        # The lease runs on the monotonic clock; until it is over the second one leaves, as it must.
        second = scene.start_successor()
        done = scene.wait_for_status(job, Status.DONE)
        assert (done.attempt, done.attempts_charged) == (2, 1)
        assert done.worker_id != silent.worker_id
        history = scene.peek(lambda tx: events.history(tx, job.seq))
        results = result_sums(scene.client, done)
    finally:
        os.kill(first.pid, signal.SIGCONT)
    assert first.wait(timeout=60) == 0
    assert scene.client.find(job.job_id) == done
    assert scene.peek(lambda tx: events.history(tx, job.seq)) == history
    assert result_sums(scene.client, done) == results
    assert f"job {job.job_id} attempt 1 is no longer this worker's: its" in scene.log()
    assert "was refused and changes nothing" in scene.log()
    assert second.poll() is None
    # The one that woke up has not taken the lock or the bell of its successor along.
    (after,) = scene.put(scene.request(BELL))
    scene.wait_for_status(after, Status.DONE)


def test_a_stopped_workers_result_is_refused_while_the_next_attempt_runs(scene: Scene) -> None:
    """The genuine finish comes after the rescue: the first worker has the result in its hands, and is too late."""
    circuit = CircuitBytes("state", "openqasm2", LARGE_STATE.encode())
    (job,) = scene.put(Request(circuits=(circuit,), backend="statevector_simulator", plan=Plan(1, 1)))
    first = scene.start_worker("--lease", "1")
    scene.wait_for_executor(job)
    with scene.store.writing():
        # It cannot write what its executor tells it, and holds it: the file has its name by then.
        until(lambda: has_named_files(scene.paths) or None)
        os.kill(first.pid, signal.SIGSTOP)
    try:
        second = scene.start_successor()
        scene.wait(lambda tx: (jobs.find(tx, job.job_id).attempt == 2) or None)
        executor = scene.wait_for_executor(job)
        # However long the first one takes to leave.
        os.kill(executor, signal.SIGSTOP)
    finally:
        os.kill(first.pid, signal.SIGCONT)
    assert first.wait(timeout=60) == 0
    now = scene.client.find(job.job_id)
    assert (now.status, now.attempt) == (Status.RUNNING, 2), "the second attempt had ended before the first one went on"
    assert scene.worker().pid == second.pid
    assert f"job {job.job_id} attempt 1 is no longer this worker's: its Chunk was refused" in scene.log()
    os.kill(executor, signal.SIGCONT)
    done = scene.wait_for_status(job, Status.DONE)
    assert require_legal(scene.store, job.job_id).attempts_charged == 1
    (again,) = scene.client.retry([done])
    assert result_sums(scene.client, done) == result_sums(scene.client, scene.wait_for_status(again, Status.DONE))


def has_named_files(paths: StorePaths) -> bool:
    return any(folder != paths.incoming and any(folder.iterdir()) for folder in paths.objects.iterdir())


# The rescue and the genuine finish, as two processes that show their claims to one store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(StorePaths(tmp_path / "home"))
    for name in ("one", "another"):
        moves.register(opened, moves.worker_record(name, boot_id="this boot"))
    yield opened
    opened.close()


def run_to_its_last_step(store: Store) -> tuple[JobRecord, Claim]:
    """Have a job whose results are stored and which is to be finished next."""
    moves.take_in(store, submission(experiments_total=1, threads=1))
    (item,) = moves.take(store, "one")
    assert moves.record(store, item.claim, [moves.result_at(0)])
    return item.job, item.claim


def shut_out(store: Store, move: moves.Move) -> bool:
    """Tell whether a move can not even begin, because somebody else is in the middle of one."""
    impatient = Store.open(store.paths, busy_timeout_s=0.05)
    try:
        move(impatient)
    except StoreBusy:
        return True
    finally:
        impatient.close()
    return False


def test_a_finish_that_the_rescue_comes_before_is_refused(store: Store, matrix: Matrix) -> None:
    job, held = run_to_its_last_step(store)
    finish = partial(moves.finish, held=held)
    with Racers(store.paths, 1, chance=matrix.random("rescue first")) as racers:
        with store.writing() as tx:
            (released,) = releases.release_lost(tx, new_worker_id="another", boot_id="this boot", now_us=store.now_us())
            assert racers.do(partial(shut_out, move=finish))
        assert (released.job_id, released.target) == (job.job_id, Status.QUEUED)
        assert racers.do(finish) is False
        assert racers.do(partial(moves.record, held=held, results=[moves.result_at(0, b"late")])) is False
    queued = require_legal(store, job.job_id)
    assert (queued.status, queued.attempts_charged, queued.experiments_done) == (Status.QUEUED, 1, 1)


def test_a_rescue_that_the_finish_comes_before_finds_nothing(store: Store, matrix: Matrix) -> None:
    job, held = run_to_its_last_step(store)
    rescue = partial(moves.rescue, new_worker_id="another", boot_id="this boot")
    with Racers(store.paths, 1, chance=matrix.random("finish first")) as racers:
        with store.writing() as tx:
            assert moves.finish_in(tx, held, store.now_us())
            assert racers.do(partial(shut_out, move=rescue))
        assert racers.do(rescue) == []
    done = require_legal(store, job.job_id)
    assert (done.status, done.attempt, done.attempts_charged) == (Status.DONE, 1, 0)


def test_of_a_rescue_and_a_finish_at_once_one_lands(store: Store, matrix: Matrix) -> None:
    seen: set[bool] = set()
    with Racers(store.paths, 2, chance=matrix.random("rescue and finish")) as racers:
        for number in matrix.rounds(sample=20, full=2000, is_enough=lambda: len(seen) == 2):
            job, held = run_to_its_last_step(store)
            finish = partial(moves.finish, held=held)
            is_finished, rescued = racers.race(
                finish, partial(moves.rescue, new_worker_id="another", boot_id="this boot")
            )
            told = (f"round {number}, seed {matrix.seed}", is_finished, rescued)
            assert (is_finished, rescued) in ((True, []), (False, [job.job_id])), told
            seen.add(is_finished)
            if rescued:
                # Its result is there already: the second attempt has nothing to do but to finish.
                (item,) = moves.take(store, "one")
                assert moves.finish(store, item.claim), told
            done = require_legal(store, job.job_id, told)
            expected = (Status.DONE, 1, 0) if is_finished else (Status.DONE, 2, 1)
            assert (done.status, done.attempt, done.attempts_charged) == expected, told
            assert not finish(store), told
    assert seen == {True, False}, "one of the orders never came about"


# Two that begin together

# It has imported all that a worker needs, so that two forks of it are at the lock within microseconds.
TWINS = """
import os, sys, time
from aerjob_cli.worker.__main__ import main
for _ in sys.stdin:
    start_s = time.monotonic() + 0.02
    pids = []
    for _ in range(2):
        pid = os.fork()
        if pid == 0:
            os.setsid()
            while time.monotonic() < start_s:
                pass
            code = 1
            try:
                code = main(["--home", sys.argv[1]])
            finally:
                os._exit(code)
        pids.append(pid)
    print(*pids, flush=True)
    for _ in pids:
        pid, status = os.wait()
        print(pid, os.waitstatus_to_exitcode(status), flush=True)
"""


def nobody_was_there(tx: Connection) -> None:
    tx.execute(update(rows_of_workers).values(ended_us=1, end="of old"))


def somebody_was_killed(tx: Connection) -> None:
    """His row says that he is alive, and his lease runs on."""


def the_machine_was_restarted(tx: Connection) -> None:
    """His row says that he is alive, and it is certain that he is not."""
    tx.execute(update(rows_of_workers).where(rows_of_workers.c.ended_us.is_(None)).values(boot_id="the boot before"))


@pytest.mark.parametrize("past", [nobody_was_there, somebody_was_killed, the_machine_was_restarted])
def test_of_two_workers_that_start_in_the_same_millisecond_one_leaves(scene: Scene, matrix: Matrix, past: Any) -> None:
    rounds = matrix.times(sample=1, full=50)
    command = [sys.executable, "-c", TWINS, str(scene.paths.home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as twins:
        assert twins.stdin is not None
        assert twins.stdout is not None
        for number in range(rounds):
            told = (f"round {number}", past.__name__)
            with scene.store.writing() as tx:
                past(tx)
            twins.stdin.write("\n")
            twins.stdin.flush()
            pids = set(map(int, twins.stdout.readline().split()))
            loser, code = map(int, twins.stdout.readline().split())
            (winner,) = pids - {loser}
            try:
                assert code == EXIT_ANOTHER_RUNS, told
                assert scene.log().count(SENTENCE) == number + 1, told
                alone = scene.wait(lambda tx: [worker.pid for worker in workers.alive(tx)] or None)
                assert alone == [winner], told
                if number == rounds - 1 and past is the_machine_was_restarted:
                    (job,) = scene.put(scene.request(BELL))
                    assert scene.wait_for_status(job, Status.DONE).attempt == 1
            finally:
                os.kill(winner, signal.SIGKILL)
                assert twins.stdout.readline() == f"{winner} {-signal.SIGKILL}\n"
        twins.stdin.close()


def test_a_worker_that_stood_still_while_it_began_leaves_the_store_to_the_next(scene: Scene) -> None:
    """After a restart of the machine: it has the lock and no row yet, and another one takes over from the dead."""
    moves.register(scene.store, moves.worker_record("dead", boot_id="the boot before"))
    with scene.store.writing():
        first = scene.spawn_worker()
        # Who has the lock and cannot write is not registered.
        until(lambda: is_locked(scene.paths.worker_lock) or None)
        os.kill(first.pid, signal.SIGSTOP)
    try:
        second = scene.start_worker()
        (job,) = scene.put(scene.request(LONG))
        scene.wait_for_executor(job)
    finally:
        os.kill(first.pid, signal.SIGCONT)
    assert first.wait(timeout=60) == EXIT_ANOTHER_RUNS
    assert SENTENCE in scene.log()
    done = scene.wait_for_status(job, Status.DONE)
    assert (done.attempt, done.attempts_charged) == (1, 0)
    assert second.poll() is None
    with scene.store.reading() as tx:
        assert [worker.pid for worker in workers.alive(tx)] == [second.pid]


def is_locked(path: Path) -> bool:
    lock = try_flock(path)
    with contextlib.ExitStack() as stack:
        if lock is not None:
            stack.callback(lock.release)
        return lock is None
