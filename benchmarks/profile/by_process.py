"""Which process spends the CPU while many small jobs run, and how much of it is Aer's."""

from __future__ import annotations

import random
import time
from pathlib import Path

from aerjob_cli.settings import usable_cores
from benchmarks.circuits import SHOTS, two_qubit_texts
from benchmarks.durable_jobs import DurableJobs, circuits_of
from benchmarks.family_meter import FamilyMeter
from benchmarks.profile.table import Row, Table


def spent_by_processes(durable: DurableJobs, jobs: int, seed: int) -> Table:
    """Queue jobs while the worker is stopped; then say what each process spends until the last has ended."""
    circuits = circuits_of(two_qubit_texts(jobs, random.Random(seed)))
    site = durable.site
    with site.held_worker():
        began_client_s = time.process_time()
        submitted = durable.backend.run_many(circuits, shots=SHOTS)
        client_s = time.process_time() - began_client_s
        meter, worker = FamilyMeter(site), site.worker().pid
        written = _written_bytes(worker)
        began_s = time.perf_counter()
    durable.await_ends()
    wall_s, spent = time.perf_counter() - began_s, meter.read()
    written_kb = (_written_bytes(worker) - written) / jobs / 1000
    ids = [job.job_id() for job in submitted]
    durable.require_done(ids)
    aer_s = durable.aer_s(ids)
    cores_s = wall_s * usable_cores()

    def row(part: str, seconds: float) -> Row:
        return Row(part, 1e6 * seconds / jobs, seconds / cores_s)

    return Table(
        f"{jobs} jobs in {wall_s:.2f} s ({jobs / wall_s:.0f}/s), {written_kb:.1f} kB written by the worker for each: "
        "CPU time for each, share of all cores' time",
        "µs",
        (
            row("client: check, encode, store (before the clock)", client_s),
            row("worker", spent.worker_s),
            row("template and executors, Aer's own time not included", spent.executors_s - aer_s),
            row("executors, Aer's own time as it tells it", aer_s),
            row("cores that did nothing, or something else", cores_s - spent.all_s),
        ),
    )


def _written_bytes(pid: int) -> int:
    fields = dict(line.split(": ") for line in Path(f"/proc/{pid}/io").read_text().splitlines())
    return int(fields["write_bytes"])
