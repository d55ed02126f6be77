"""What worker and executors do while many small jobs run, sampled from outside by py-spy, if that is installed."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import which
from sys import executable

from benchmarks.circuits import SHOTS, two_qubit_texts
from benchmarks.durable_jobs import DurableJobs, circuits_of
from benchmarks.meters import Family
from benchmarks.profile.stacks import Frame, parse, table_of
from benchmarks.profile.table import Table
from benchmarks.site import until

_SAMPLES_PER_S = 250


def sampler() -> str | None:
    """Give the path of py-spy, None where it is not installed."""
    beside = Path(executable).with_name("py-spy")
    return str(beside) if beside.exists() else which("py-spy")


def sampled(durable: DurableJobs, jobs: int, seed: int, *, program: str, folder: Path) -> list[Table]:
    """Sample worker and executors, waiting included, from when the worker goes on until the last job has ended."""
    circuits = circuits_of(two_qubit_texts(jobs, random.Random(seed)))
    with durable.site.held_worker():
        submitted = durable.backend.run_many(circuits, shots=SHOTS)
        family = Family.of(durable.site.worker())
    with _sampling(program, (family.worker, *family.executors), folder) as files:
        began_s = time.perf_counter()
        durable.await_ends()
        seconds = time.perf_counter() - began_s
    durable.require_done([job.job_id() for job in submitted])
    worker, *executors = (parse(file.read_text().splitlines()) for file in files)
    return [
        table_of("worker, wall time for each job", worker, seconds=seconds, jobs=jobs),
        table_of(
            f"all {len(executors)} executors together, wall time for each job",
            _together(executors),
            seconds=seconds * len(executors),
            jobs=jobs,
        ),
    ]


@contextmanager
def _sampling(program: str, pids: Iterable[int], folder: Path) -> Iterator[list[Path]]:
    files, samplers = [], []
    for pid in pids:
        file = folder / f"{pid}.stacks"
        how = ["--rate", str(_SAMPLES_PER_S), "--format", "raw", "--idle", "--full-filenames", "--nonblocking"]
        command = [program, "record", "--pid", str(pid), *how, "--output", str(file)]
        samplers.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        files.append(file)
    try:
        yield files
    finally:
        for process in samplers:
            process.send_signal(signal.SIGINT)
        for process in samplers:
            process.wait()
    until(lambda: all(file.exists() for file in files) or None)


def _together(stacks: Iterable[Counter[tuple[Frame, ...]]]) -> Counter[tuple[Frame, ...]]:
    whole: Counter[tuple[Frame, ...]] = Counter()
    for some in stacks:
        whole.update(some)
    return whole
