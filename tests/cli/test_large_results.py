"""Arrays of many MB are read in little memory, and a damaged one is told of before any of it is given."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from qiskit.result.models import ExperimentResult, ExperimentResultData

from aerjob_cli.codec.arrays import encode_npy
from aerjob_cli.codec.results import encode_experiment
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.records import JobRecord
from tests.cli.conftest import Put
from tests.support.command_line import CommandLine
from tests.support.staging import Stage

MIB = 2**20
LARGE_BYTES = 64 * MIB
_PEAK = "int(re.search(r'VmHWM:\\s*(\\d+)', open('/proc/self/status').read()).group(1)) * 1024"
# The command line, which at its end writes the most memory that it had to the file of the first argument.
_COMMAND = f"""
import atexit, re, runpy, sys
report = sys.argv.pop(1)
atexit.register(lambda: open(report, "w").write(str({_PEAK})))
runpy.run_module("aerjob_cli", run_name="__main__", alter_sys=True)
"""
_READ_RESULT = f"""
import re, sys
from aerjob_cli import BasicAerProvider
small, large = (BasicAerProvider().retrieve_job(job_id) for job_id in sys.argv[1:])
small.result()
before = {_PEAK}
state = large.result().data(0)["state"]
state[0] = 1
assert state[-1] == 0.5
print({_PEAK} - before)
"""


def done_with(array_bytes: int, put: Put, paths: StorePaths) -> JobRecord:
    state = np.full(array_bytes // 16, 0.5, complex)
    header = {"name": "circuit", "n_qubits": 0, "memory_slots": 0, "creg_sizes": []}
    data = ExperimentResultData(state=state)
    encoded = encode_experiment(ExperimentResult(shots=1, success=True, meas_level=2, data=data, header=header))
    job = put()
    with Stage(paths) as stage:
        stage.validate(job, experiments=1)
        stage.start(job)
        stage.record_arrays(job, encoded.data, {name: encode_npy(array) for name, array in encoded.arrays})
        stage.finish(job)
    return job


@pytest.fixture
def jobs(put: Put, home: Path) -> tuple[JobRecord, JobRecord]:
    """Give a job whose result is a small array, and one whose is a large one."""
    paths = StorePaths(home)
    return done_with(MIB, put, paths), done_with(LARGE_BYTES, put, paths)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_command_holds_an_array(jobs: tuple[JobRecord, JobRecord], idle: CommandLine, tmp_path: Path) -> None:
    def peak_bytes(job: JobRecord, *form: str) -> int:
        command = [sys.executable, "-c", _COMMAND, str(report), "result", job.job_id, *form]
        subprocess.run(command, env=idle.environment(None), check=True, stdout=subprocess.DEVNULL)
        return int(report.read_text())

    report = tmp_path / "peak"
    small, large = jobs
    usual_bytes = peak_bytes(small)
    for form in ([], ["--json"], ["--format", "npy", "--output", str(tmp_path / "state.npy")]):
        assert peak_bytes(large, *form) - usual_bytes < LARGE_BYTES / 3
    state = np.load(tmp_path / "state.npy", mmap_mode="r")
    assert (state.nbytes, state[-1]) == (LARGE_BYTES, 0.5)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_python_has_an_array_once(jobs: tuple[JobRecord, JobRecord], idle: CommandLine) -> None:
    command = [sys.executable, "-c", _READ_RESULT, *(job.job_id for job in jobs)]
    told = subprocess.run(command, env=idle.environment(None), check=True, stdout=subprocess.PIPE, text=True).stdout
    assert LARGE_BYTES / 2 < int(told) < 1.3 * LARGE_BYTES


def test_a_damaged_array_becomes_no_file(
    jobs: tuple[JobRecord, JobRecord], idle: CommandLine, home: Path, tmp_path: Path
) -> None:
    _, job = jobs
    place = max(StorePaths(home).objects.glob("??/*"), key=lambda path: path.stat().st_size)
    with place.open("r+b") as file:
        file.seek(LARGE_BYTES // 2)
        file.write(b"damage")
    target = tmp_path / "state.npy"
    for form in (["--json"], ["--format", "npy", "--output", str(target)], ["--format", "npy"]):
        done = subprocess.run(
            idle.command("result", job.job_id, *form), env=idle.environment(None), capture_output=True, check=False
        )
        assert done.returncode == 5
        assert b"checksum" in done.stdout + done.stderr
        assert b"NUMPY" not in done.stdout
        assert not target.exists()
