"""The worker is killed in the middle of a job of many experiments; how soon the next worker runs it again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import func, select

from aerjob_cli.states import Status
from aerjob_cli.store import jobs
from aerjob_cli.store.tables import experiments
from benchmarks.circuits import big_circuit
from benchmarks.figures.figure import Bench, Figure, Line, Sample, Setting
from benchmarks.site import Site, site_in, until

_EXPERIMENTS = 40
_QUBITS = 17  # some tens of milliseconds each
_DONE_BEFORE_KILL = 8


@contextmanager
def _set_up(setting: Setting) -> Iterator[Bench]:
    with site_in(setting.folder / "home") as site:
        yield Bench(lambda number: _killed(site, number))


def _killed(site: Site, seed: int) -> Sample:
    site.start_worker()
    circuits = [big_circuit(_QUBITS, 1000 * seed + number) for number in range(_EXPERIMENTS)]
    job_id = site.provider.get_backend("qasm_simulator").run(circuits).job_id()

    def peek() -> tuple[Status, int, int]:
        with site.store.reading() as tx:
            record = jobs.find(tx, job_id)
        return record.status, record.attempt, record.experiments_done

    until(lambda: peek()[2] >= _DONE_BEFORE_KILL or None)
    site.kill_worker()
    kept = peek()[2]
    if kept == _EXPERIMENTS:
        raise RuntimeError("the job ended before the worker was killed")
    began_s = time.perf_counter()
    site.spawn_worker()
    until(lambda: peek()[:2] == (Status.RUNNING, 2) or None)
    running_s = time.perf_counter() - began_s
    until(lambda: peek()[2] > kept or None)
    advanced_s = time.perf_counter() - began_s
    until(lambda: peek()[0].is_final or None)
    repeated = kept - _of_first_attempt(site, job_id)
    site.kill_worker()
    return {"running": running_s, "advanced": advanced_s, "repeated": repeated}


def _of_first_attempt(site: Site, job_id: str) -> int:
    with site.store.reading() as tx:
        record = jobs.find(tx, job_id)
        query = select(func.count()).where(experiments.c.job_seq == record.seq, experiments.c.attempt == 1)
        return int(tx.execute(query).scalar_one())


RECOVERY = Figure(
    "recovery",
    "kill -9 of the worker in the middle of a job, and the start of the next one",
    (
        Line("until the job is RUNNING again", lambda s: s["running"], unit="s", at_most=1.5, source="bound"),
        Line("until its next result is committed", lambda s: s["advanced"], unit="s"),
        Line("experiments run again that were done", lambda s: s["repeated"], unit="", at_most=0, source="bound"),
    ),
    _set_up,
)
