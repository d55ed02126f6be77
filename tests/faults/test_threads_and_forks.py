"""Threads, forks, event loops and signals of a program that uses the Python API: it works, or a sentence says why not.

No worker runs but in the tests that wait for results: what is looked at is the store.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from qiskit import QuantumCircuit

from aerjob_cli import BasicAerJob, BasicAerProvider
from aerjob_cli.errors import StoreUsedAtFork
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.flocks import try_flock
from aerjob_cli.store.garbage import objects_kept, remove_unreferenced
from aerjob_cli.store.inspection import inspect_store
from tests.support.command_line import end_workers
from tests.support.running import DEADLINE_S, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="/proc tells of locks and descriptors")

FORK, SPAWN = multiprocessing.get_context("fork"), multiprocessing.get_context("spawn")
# A child of a fork that does not come to an end is ended by this signal.
ALARM_S = 60
# What a busy machine may make of it; what is deaf stays so for a minute, or for good.
AT_ONCE_S = 5.0


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[BasicAerProvider]:
    """A provider of a store in which no worker can be started; at the end all of the store is sound."""
    made = BasicAerProvider(tmp_path / "home")
    lock = try_flock(made.client.store.paths.starter_lock)
    assert lock is not None
    yield made
    lock.release()
    made.client.close()
    assert inspect_store(StorePaths(tmp_path / "home"), quick=False).is_sound


@pytest.fixture(scope="module")
def working(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BasicAerProvider]:
    """A provider whose jobs run."""
    home = tmp_path_factory.mktemp("working") / "home"
    made = BasicAerProvider(home)
    yield made
    made.client.close()
    end_workers(home)
    assert inspect_store(StorePaths(home), quick=False).is_sound


def bell() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


def submit_some(provider: BasicAerProvider, count: int) -> list[str]:
    backend = provider.get_backend("qasm_simulator")
    return [backend.run(bell(), shots=10).job_id() for _ in range(count)]


def ids_in(provider: BasicAerProvider) -> set[str]:
    return {job.job_id() for job in provider.jobs(limit=None)}


def in_a_fork(work: Callable[[], object]) -> Callable[[], Any]:
    """Fork, do the work in the child, and give what waits for its answer."""
    reads, writes = os.pipe()
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            signal.alarm(ALARM_S)
            try:
                answer = work()
            except Exception as error:  # noqa: BLE001 - the test looks at it
                answer = f"{type(error).__name__}: {error}"
            os.write(writes, json.dumps(answer).encode())
        os._exit(0)
    os.close(writes)

    def answer_of_child() -> Any:
        with open(reads, "rb") as pipe:
            said = pipe.read()
        os.waitpid(pid, 0)
        assert said, "the child has not come to an end"
        return json.loads(said)

    return answer_of_child


def test_eight_threads_share_one_provider(working: BasicAerProvider) -> None:
    backend = working.get_backend("qasm_simulator")

    def use(number: int) -> None:
        for _ in range(2):
            done, cancelled = (backend.run(bell(), shots=100, seed_simulator=number) for _ in range(2))
            if cancelled.cancel():
                with pytest.raises(CancelledError):
                    cancelled.result(timeout=DEADLINE_S)
            counts = done.result(timeout=DEADLINE_S).get_counts()
            assert sum(counts.values()) == 100
            assert working.retrieve_job(done.job_id()).result().get_counts() == counts

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(use, range(8)))


def test_more_threads_write_at_once_than_a_pool_has_connections(provider: BasicAerProvider) -> None:
    with ThreadPoolExecutor(40) as threads:
        given = list(threads.map(lambda _: submit_some(provider, 1)[0], range(80)))
    assert len(set(given)) == 80
    assert ids_in(provider) == set(given)


def test_a_provider_made_before_the_fork_serves_the_parent_and_a_pool_of_children(provider: BasicAerProvider) -> None:
    before = submit_some(provider, 1)
    with FORK.Pool(3) as pool:
        promised = pool.starmap_async(submit_some, [(provider, 2)] * 6)
        own = submit_some(provider, 5)
        given = [job_id for job_ids in promised.get(timeout=DEADLINE_S) for job_id in job_ids]
    everything = [*before, *own, *given]
    assert len(set(everything)) == 18
    assert ids_in(provider) == set(everything)


def test_a_provider_is_given_to_spawned_children(provider: BasicAerProvider) -> None:
    with SPAWN.Pool(1) as pool:
        given = pool.apply(submit_some, (provider, 2))
    assert ids_in(provider) == set(given)


def test_forks_while_threads_submit_lose_no_job(provider: BasicAerProvider) -> None:
    is_over, given = threading.Event(), []

    def submit_on() -> None:
        while not is_over.is_set():
            given.extend(submit_some(provider, 1))

    threads = [threading.Thread(target=submit_on) for _ in range(4)]
    for thread in threads:
        thread.start()
    answers = [in_a_fork(lambda: submit_some(provider, 3)) for _ in range(8)]
    in_children = [answer() for answer in answers]
    is_over.set()
    for thread in threads:
        thread.join()
    for job_ids in in_children:
        assert isinstance(job_ids, list), job_ids
        given += job_ids
    assert ids_in(provider) == set(given)


def test_a_fork_waits_until_no_thread_is_in_the_middle_of_a_transaction(provider: BasicAerProvider) -> None:
    store = provider.client.store
    is_inside, may_leave, left = threading.Event(), threading.Event(), threading.Event()

    def be_inside() -> None:
        with store.writing():
            is_inside.set()
            may_leave.wait(DEADLINE_S)
        left.set()

    def has_left() -> bool:
        may_leave.set()
        return left.wait(DEADLINE_S)

    thread = threading.Thread(target=be_inside)
    thread.start()
    is_inside.wait(DEADLINE_S)
    threading.Timer(0.2, may_leave.set).start()
    answer = in_a_fork(lambda: [may_leave.is_set(), submit_some(provider, 1)])
    was_over, job_ids = answer()
    assert was_over
    assert has_left()
    thread.join()
    assert ids_in(provider) == set(job_ids)


def test_no_connection_is_carried_into_a_child_and_its_own_have_their_locks(provider: BasicAerProvider) -> None:
    submit_some(provider, 1)
    store = provider.client.store
    database = os.stat(store.paths.database)

    def look() -> list[list[str]]:
        inherited = [name for name in opened() if name.startswith(str(store.paths.database))]
        with store.reading() as tx:
            tx.exec_driver_sql("SELECT count(*) FROM jobs").scalar()
            mine = [line for line in Path("/proc/locks").read_text().splitlines() if f" {os.getpid()} " in line]
        return [inherited, [line for line in mine if f":{database.st_ino} " in line]]

    inherited, locks = in_a_fork(look)()
    assert inherited == []
    assert locks, "the child reads without a lock on the database"


def opened() -> list[str]:
    names = []
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            names.append(os.readlink(entry))
    return names


def test_what_a_child_commits_after_its_parent_has_gone_is_kept(provider: BasicAerProvider) -> None:
    """The last process to close a database removes its log; the child must count as one that has it open."""
    submit_some(provider, 1)
    parent_closed, parent_closes = os.pipe()

    def submit_before_and_after() -> list[str]:
        os.close(parent_closes)
        before = submit_some(provider, 1)
        os.read(parent_closed, 1)
        return before + submit_some(provider, 1)

    answer = in_a_fork(submit_before_and_after)
    os.close(parent_closed)
    until(lambda: len(ids_in(provider)) == 2 or None)
    provider.client.store.close()
    os.close(parent_closes)
    given = answer()
    assert isinstance(given, list), given
    assert set(given) <= ids_in(provider)


def test_a_child_forked_within_a_transaction_refuses_and_leaves_its_parents_alone(provider: BasicAerProvider) -> None:
    store = provider.client.store
    (job_id,) = submit_some(provider, 1)
    with store.writing() as tx:

        def end_as_programs_do() -> str:
            try:
                submit_some(provider, 1)
            except StoreUsedAtFork as error:
                refused = f"{type(error).__name__}: {error}"
            tx.get_transaction().rollback()  # type: ignore[union-attr]
            tx.close()
            provider.client.close()
            gc.collect()
            return refused

        tx.exec_driver_sql("UPDATE jobs SET name = 'written before the fork'")
        refused = in_a_fork(end_as_programs_do)()
        tx.exec_driver_sql('UPDATE jobs SET metadata = \'{"written": "after it"}\'')
    assert str(refused).startswith(StoreUsedAtFork.__name__), refused
    assert "forked in the middle of a transaction" in str(refused)
    job = provider.retrieve_job(job_id)
    assert (job.name, job.metadata) == ("written before the fork", {"written": "after it"})


def test_no_lock_is_carried_into_a_child(provider: BasicAerProvider) -> None:
    paths, is_over = provider.client.store.paths, threading.Event()

    def lock_again_and_again() -> None:
        while not is_over.is_set():
            remove_unreferenced(provider.client.store, ["0" * 64])

    thread = threading.Thread(target=lock_again_and_again)
    thread.start()
    go_on, end = os.pipe()

    def keep_what_is_inherited() -> str:
        os.close(end)
        return os.read(go_on, 1).decode()

    answers = [in_a_fork(keep_what_is_inherited) for _ in range(20)]
    is_over.set()
    thread.join()
    with objects_kept(paths, timeout_s=1.0):
        pass
    os.close(end)
    assert [answer() for answer in answers] == [""] * 20
    os.close(go_on)


def test_results_are_given_within_a_running_event_loop(working: BasicAerProvider) -> None:
    backend = working.get_backend("qasm_simulator")

    async def cell_of_a_notebook() -> tuple[int, int]:
        at_once = backend.run(bell(), shots=100).result(timeout=DEADLINE_S)
        jobs: list[BasicAerJob] = [backend.run(bell(), shots=100) for _ in range(4)]
        beside = await asyncio.gather(*(asyncio.to_thread(job.result, DEADLINE_S) for job in jobs))
        return sum(at_once.get_counts().values()), sum(sum(result.get_counts().values()) for result in beside)

    assert asyncio.run(cell_of_a_notebook()) == (100, 400)


# What a program does that is told to stop while it waits: for a result, and for the database.
WAITING_PROGRAM = """
import signal, sys, time
from qiskit import QuantumCircuit
from aerjob_cli import BasicAerProvider
numbers = [number for number in signal.valid_signals() if number not in (signal.SIGKILL, signal.SIGSTOP)]
before = [signal.getsignal(number) for number in numbers]
circuit = QuantumCircuit(1)
circuit.measure_all()
backend = BasicAerProvider(sys.argv[1]).get_backend("qasm_simulator")
def wait_for_it(name, wait):
    try:
        print(name, flush=True)
        wait()
    except KeyboardInterrupt:
        print("interrupted", time.monotonic(), flush=True)
job = backend.run(circuit)
wait_for_it("result", job.result)
sys.stdin.readline()
wait_for_it("database", lambda: backend.run(circuit))
assert [signal.getsignal(number) for number in numbers] == before
print("no handler was installed", flush=True)
"""


def test_ctrl_c_ends_waiting_at_once_and_no_signal_handler_is_installed(provider: BasicAerProvider) -> None:
    command = [sys.executable, "-c", WAITING_PROGRAM, str(provider.client.store.paths.home)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        assert program.stdout.readline() == "result\n"
        time.sleep(0.3)  # so that it has begun to wait
        assert interrupted_within_s(program) < AT_ONCE_S
        with provider.client.store.writing():
            program.stdin.write("\n")
            program.stdin.flush()
            assert program.stdout.readline() == "database\n"
            time.sleep(0.5)
            assert interrupted_within_s(program) < AT_ONCE_S
        assert program.stdout.read() == "no handler was installed\n"
    assert program.returncode == 0


def interrupted_within_s(program: subprocess.Popen[str]) -> float:
    assert program.stdout is not None
    sent_s = time.monotonic()
    program.send_signal(signal.SIGINT)
    word, at_s = program.stdout.readline().split()
    assert word == "interrupted"
    return float(at_s) - sent_s
