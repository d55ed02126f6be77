"""A statevector of hundreds of MB on its way to the disk and back, beside the same bytes written and read plainly."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from qiskit import QuantumCircuit

from aerjob_cli import BasicAerProvider
from aerjob_cli.executors.incoming import write_incoming
from aerjob_cli.settings import StorePaths

_BLOCK_BYTES = 2**20
_PEAK = "int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]) // 1024"
_READ = f"""
import sys
from aerjob_cli import BasicAerProvider
job = BasicAerProvider(sys.argv[1]).retrieve_job(sys.argv[2])
before = {_PEAK}
job.result()
print({_PEAK} - before)
"""


def table(home: Path, qubits: int) -> list[str]:
    """Store the state of so many qubits, read it in each way, and give lines: what, seconds, MiB per second."""
    backend = BasicAerProvider(home).get_backend("statevector_simulator")
    job = backend.run(_rotations(qubits))
    job.result()
    place = max(StorePaths(home).objects.glob("??/*"), key=lambda path: path.stat().st_size)
    content = memoryview(place.read_bytes())
    aside = home / "plain"
    target = home / "state.npy"
    command = [sys.executable, "-m", "aerjob_cli", "result", job.job_id(), "--format", "npy", "--force", "-o"]
    environment = {**os.environ, "AERJOB_HOME": str(home)}
    lines = [
        _line("SHA-256 alone", content.nbytes, lambda: hashlib.sha256(content).digest()),
        _line("written and synced plainly", content.nbytes, lambda: _write_plainly(aside, content)),
        _line("written by an executor", content.nbytes, lambda: write_incoming(home, [content]).path.unlink()),
        _line("read plainly", content.nbytes, lambda: _read_plainly(place)),
        _line("result() in Python", content.nbytes, lambda: job.__class__(backend, job.job_id()).result()),
        _line(
            "aerjob result --format npy -o",
            content.nbytes,
            lambda: subprocess.run([*command, str(target)], env=environment, check=True),
        ),
    ]
    read = [sys.executable, "-c", _READ, str(home), job.job_id()]
    grown = subprocess.run(read, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    lines.append(f"{'memory that result() takes, MiB':<34} {grown:>8}  of {content.nbytes >> 20}")
    for path in (aside, target):
        path.unlink()
    return lines


def _line(what: str, size_bytes: int, action: Callable[[], object]) -> str:
    taken_s = []
    for _ in range(3):
        began_s = time.perf_counter()
        action()
        taken_s.append(time.perf_counter() - began_s)
    middle_s = sorted(taken_s)[1]
    return f"{what:<34} {middle_s:>8.2f} s {size_bytes / 2**20 / middle_s:>8.0f} MiB/s"


def _rotations(qubits: int) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits)
    for qubit in range(qubits):
        circuit.ry(0.3 + 0.1 * qubit, qubit)
    return circuit


def _write_plainly(path: Path, content: memoryview) -> None:
    with path.open("wb", buffering=0) as file:
        for start in range(0, content.nbytes, _BLOCK_BYTES):
            file.write(content[start : start + _BLOCK_BYTES])
        os.fsync(file.fileno())


def _read_plainly(path: Path) -> None:
    block = bytearray(_BLOCK_BYTES)
    with path.open("rb", buffering=0) as file:
        while file.readinto(block):
            pass
