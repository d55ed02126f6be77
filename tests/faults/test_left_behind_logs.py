"""What a killed process leaves beside the database, SQLite's log or its rollback journal: the next one recovers it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from aerjob_cli.api.client import Client
from aerjob_cli.settings import Settings, StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store.connections import set_journal_mode
from aerjob_cli.store.dbapi import sqlite_library
from aerjob_cli.store.inspection import inspect_store
from tests.faults.support.inner_commands import InnerCommands
from tests.support.circuits import BELL
from tests.support.running import Scene

# Submits a job, and then is killed in the middle of a write that has reached the database file already.
DIES_WRITING = """
import os, signal, sys
from pathlib import Path
from aerjob_cli.api.client import Client
from aerjob_cli.api.requests import CircuitBytes, Plan, Request
from aerjob_cli.settings import Settings, StorePaths
client = Client(Settings(paths=StorePaths(Path(sys.argv[1]))))
client._launcher.call = lambda: None
circuits = (CircuitBytes("c", "openqasm2", sys.argv[2].encode()),)
request = Request(circuits=circuits, backend="qasm_simulator", shots=1, plan=Plan(1, 1))
print(client.submit([request])[0].job_id, flush=True)
with client.store.writing() as tx:
    tx.exec_driver_sql("PRAGMA cache_size=1")  # so that it does not wait for the commit
    tx.exec_driver_sql("UPDATE jobs SET status = 'CANCELLED', reason = 'USER_CANCELLED', finished_us = submitted_us")
    tx.exec_driver_sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) "
        "INSERT INTO events (job_seq, at_us, to_status, attempt, why) "
        "SELECT 1, 0, 'QUEUED', 0, hex(zeroblob(50)) FROM n"
    )
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_log_or_journal_left_behind_is_recovered_and_nothing_acknowledged_is_lost(
    scene: Scene, tmp_path: Path, mode: str
) -> None:
    if mode == "wal" and not sqlite_library().has_sound_wal:
        pytest.skip("this SQLite has no sound log")
    jobs = scene.put(*(scene.request(BELL) for _ in range(3)))
    scene.client.close()
    assert set_journal_mode(scene.paths.database, mode) == mode
    command = [sys.executable, "-c", DIES_WRITING, str(scene.paths.home), BELL]
    dead = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert dead.returncode == -9, dead
    left = scene.paths.database.with_name(f"aerjob.db-{'wal' if mode == 'wal' else 'journal'}")
    assert left.stat().st_size > 20_000
    # What a backup program of the system copies at that moment; without the shared memory.
    copied = StorePaths(tmp_path / "copied")
    shutil.copytree(scene.paths.home, copied.home, ignore=shutil.ignore_patterns("*-shm"))
    acknowledged = [*(job.job_id for job in jobs), dead.stdout.strip()]
    for paths in (scene.paths, copied):
        client = Client(Settings(paths=paths))
        found = client.resolve(acknowledged)
        assert [job.status for job in found] == [Status.INITIALIZING] * 3 + [Status.QUEUED]
        assert inspect_store(paths).is_sound
        client.close()
        assert InnerCommands(paths.home)("list", "--json").exit_code == 0


def test_a_journal_of_noise_does_no_harm(scene: Scene) -> None:
    (job,) = scene.put(scene.request(BELL))
    scene.client.close()
    for suffix in ("-journal", "-wal", "-shm"):
        place = scene.paths.database.with_name(f"aerjob.db{suffix}")
        place.write_bytes(bytes(range(256)) * 200)
        place.chmod(0o600)
    aerjob = InnerCommands(scene.paths.home)
    assert aerjob("status", job.job_id).exit_code == 0
    assert aerjob("store", "check").exit_code == 0
