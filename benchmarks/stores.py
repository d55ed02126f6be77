"""Stores of any number of jobs, made within seconds: a few jobs are really run, and then copied row by row.

`python -m benchmarks.stores FOLDER --jobs 1000000` builds one; `build` does in Python. What is copied is all that the
tables have of a job, whatever columns they have; new are the id, the number and the times, one job a second up to now.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from qiskit import QuantumCircuit, qasm2

from aerjob_cli.api.requests import CircuitBytes, Request
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.connections import raw_connection, set_journal_mode
from aerjob_cli.store.database import Store
from benchmarks.circuits import two_qubit_texts
from benchmarks.site import Site, site_in

# What the jobs of a store are: the first one is there once, a few kinds are rare, and the rest is of many circuits.
ONCE = "once"
_EVERY = {"rare": 1000, "refused": 100, "cancelled": 70, "statevector": 40}
_COMMON = 8
_QUEUED = "queued"

_CHILDREN = ("payloads", "experiments", "experiment_arrays", "events", "job_tags")
# Numbers that the copies get anew.
_DRAWN = {"payloads": "payload_id", "events": "seq"}
_NEW_ID = (
    "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-a' || "
    "substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))"
)


def build(home: Path, *, jobs: int, queued: int = 0, templates: Path | None = None) -> None:
    """Make a store of that many jobs under ``home``; the last ``queued`` of them are QUEUED, the others are final.

    ``templates`` is where `run_templates` has put its jobs; without it they are run here.
    """
    if templates is None:
        with tempfile.TemporaryDirectory(prefix="aerjob-templates-") as folder:
            run_templates(Path(folder) / "home")
            build(home, jobs=jobs, queued=queued, templates=Path(folder) / "home")
        return
    paths = StorePaths(home)
    store = Store.open(paths)
    now_us = store.now_us()
    store.close()
    # It is not yet anybody's: what a power cut breaks is built again.
    set_journal_mode(paths.database, "delete")
    connection = raw_connection(paths.database, busy_timeout_s=0)
    try:
        for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-1000000"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("ATTACH ? AS templates", (str(StorePaths(templates).database),))
        connection.execute("BEGIN")
        _copy(connection, _plan(connection, jobs, queued), now_us)
        connection.execute("COMMIT")
    finally:
        connection.close()
    set_journal_mode(paths.database, "wal")


def run_templates(home: Path) -> None:
    """Run one job of each kind, really, and leave them in the store under ``home`` without a worker."""
    texts = two_qubit_texts(_COMMON + 2, random.Random(1))
    with site_in(home) as site:
        site.start_worker()
        qasm = site.provider.get_backend("qasm_simulator")
        jobs = [
            qasm.run(_circuit(text), job_name=name, tags=tags, group=ONCE if name == ONCE else None, shots=1024)
            for text, (name, tags) in zip(
                texts,
                [
                    (ONCE, ["once"]),
                    ("rare", ["rare", "nightly"]),
                    *((f"common-{number}", ["nightly"] if number == 0 else []) for number in range(_COMMON)),
                ],
                strict=True,
            )
        ]
        bell = QuantumCircuit(2)
        bell.h(0)
        bell.cx(0, 1)
        jobs.append(site.provider.get_backend("statevector_simulator").run(bell, job_name="statevector"))
        refused = _refused(site)
        for job in jobs:
            job.wait_for_final_state()
        list(site.client.wait([site.client.find(refused)], timeout_s=None))
        with site.held_worker():
            qasm.run(bell.measure_all(inplace=False), job_name="cancelled").cancel()
            qasm.run(bell.measure_all(inplace=False), job_name=_QUEUED)
            site.kill_worker()


def bytes_per_job(home: Path, jobs: int) -> float:
    """Give the size of the database file for each of its jobs."""
    return StorePaths(home).database.stat().st_size / jobs


def _refused(site: Site) -> str:
    circuits = (CircuitBytes("refused", "openqasm2", b"OPENQASM 2.0;\nqreg q[2]\n"),)
    return site.client.submit([Request(circuits=circuits, backend="qasm_simulator", name="refused")])[0].job_id


def _circuit(text: str) -> QuantumCircuit:
    return qasm2.loads(text, include_path=())


def _plan(connection: Any, jobs: int, queued: int) -> list[tuple[int, int]]:
    """Say which template each job is a copy of, by their numbers."""
    numbers = dict(connection.execute("SELECT name, seq FROM templates.jobs").fetchall())

    def kind(seq: int) -> str:
        if seq == 1:
            return ONCE
        if seq > jobs - queued:
            return _QUEUED
        return next((name for name, every in _EVERY.items() if seq % every == every // 2), f"common-{seq % _COMMON}")

    return [(seq, numbers[kind(seq)]) for seq in range(1, jobs + 1)]


def _copy(connection: Any, plan: list[tuple[int, int]], now_us: int) -> None:
    connection.execute("CREATE TEMP TABLE plan (seq INTEGER PRIMARY KEY, template INTEGER, later_us INTEGER)")
    submitted = dict(connection.execute("SELECT seq, submitted_us FROM templates.jobs").fetchall())
    connection.executemany(
        "INSERT INTO plan VALUES (?, ?, ?)",
        ((seq, of, now_us - (len(plan) - seq) * 1_000_000 - submitted[of]) for seq, of in plan),
    )
    # Results are taken from running jobs only, which these have long ceased to be.
    triggers = connection.execute("SELECT name, sql FROM main.sqlite_master WHERE type = 'trigger'").fetchall()
    for name, _ in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute("INSERT INTO main.runtimes SELECT * FROM templates.runtimes")
    _copy_rows(connection, "jobs", "seq", {"seq": "plan.seq", "job_id": _NEW_ID})
    for table in _CHILDREN:
        _copy_rows(connection, table, "job_seq", {"job_seq": "plan.seq"})
    for _, sql in triggers:
        connection.execute(sql)


def _copy_rows(connection: Any, table: str, key: str, replaced: dict[str, str]) -> None:
    found = [row[1] for row in connection.execute(f"PRAGMA main.table_info({table})").fetchall()]
    columns = [name for name in found if name != _DRAWN.get(table)]
    values = [replaced.get(name, f"t.{name} + later_us" if name.endswith("_us") else f"t.{name}") for name in columns]
    order = "t.tag, plan.seq" if table == "job_tags" else "plan.seq"
    connection.execute(
        f"INSERT INTO main.{table} ({', '.join(columns)}) SELECT {', '.join(values)} "  # noqa: S608 - our own names
        f"FROM plan JOIN templates.{table} AS t ON t.{key} = plan.template ORDER BY {order}"
    )


def main(arguments: list[str]) -> int:
    """Build one store and say how large it is."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stores", description=__doc__)
    parser.add_argument("home", type=Path, help="its folder, which must not exist yet")
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--queued", type=int, default=0, help="how many of them are QUEUED, the others are final")
    parser.add_argument("--templates", type=Path, help="a store of templates that is there, or is made")
    options = parser.parse_args(arguments)
    if options.templates is not None and not options.templates.exists():
        run_templates(options.templates)
    began_s = time.monotonic()
    build(options.home, jobs=options.jobs, queued=options.queued, templates=options.templates)
    size = bytes_per_job(options.home, options.jobs)
    print(f"{options.jobs} jobs, {size:.0f} bytes each, built in {time.monotonic() - began_s:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
