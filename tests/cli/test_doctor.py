"""`aerjob doctor` says what is wrong, with a remedy and an exit code, and changes nothing."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Put
from tests.support.command_line import DEADLINE_S, CommandLine
from tests.support.old_stores import unpack

Finding = dict[str, Any]


def troubles(value: dict[str, Any], state: str = "wrong") -> dict[str, Finding]:
    """Give the findings in that state by their subjects."""
    return {finding["subject"]: finding for finding in value["findings"] if finding["state"] == state}


def test_where_no_store_is_none_is_made(aerjob: CommandLine) -> None:
    value = aerjob.json("doctor")
    assert not troubles(value)
    assert "does not exist yet" in troubles(value, "note")["folder"]["fact"]
    assert not aerjob.home.exists()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    above = tmp_path / "above"
    above.mkdir(mode=0o700)
    program = f"""
import os
from pathlib import Path
from aerjob_cli.cli.checkup import place
from aerjob_cli.settings import StorePaths
if os.geteuid() == 0:
    os.setuid(65534)
else:
    os.chmod({str(above)!r}, 0)
first = next(iter(place.examine(StorePaths(Path({str(above / "store")!r})))))
print(first.state, first.fact)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("wrong "), done
    assert "cannot be made" in done.stdout


def test_a_sound_store_with_a_worker(working: CommandLine, bell: Path) -> None:
    assert working("run", bell).returncode == 0
    done = working("doctor")
    assert done.returncode == 0, done
    rows = {row.split("\t")[1]: row.split("\t") for row in done.stdout.splitlines()}
    assert not [row for row in rows.values() if row[0] == "wrong"]
    assert rows["worker"][2].endswith("takes jobs")
    assert rows["worker lock"][2] == "held by the worker"
    assert rows["store"][2].startswith("sound")


def test_jobs_that_nobody_works_on(idle: CommandLine, put: Put) -> None:
    put()
    value = idle.json("doctor", exit_code=70)
    assert value["error"]["code"] == "trouble_found"
    assert value["error"]["subjects"] == ["worker"]
    found = troubles(value)["worker"]
    assert "1 job waits" in found["fact"]
    assert "aerjob worker start" in found["remedy"]


def test_a_silent_worker(aerjob: CommandLine, bell: Path) -> None:
    assert aerjob("worker", "start", "--lease", "1").returncode == 0
    pid = aerjob.json("worker", "status")["workers"][0]["pid"]
    os.kill(pid, signal.SIGSTOP)
    deadline_s = time.monotonic() + DEADLINE_S
    while "worker" not in (found := troubles(aerjob_value(aerjob))):
        assert time.monotonic() < deadline_s
    os.kill(pid, signal.SIGCONT)
    assert f"pid {pid} has been silent for" in found["worker"]["fact"]
    assert "worker stop --force" in found["worker"]["remedy"]


def aerjob_value(aerjob: CommandLine) -> dict[str, Any]:
    """Give what the doctor says, whatever it ends with."""
    value: dict[str, Any] = json.loads(aerjob("doctor", "--json").stdout)
    return value


def test_a_folder_that_others_can_write(idle: CommandLine) -> None:
    idle.home.chmod(0o777)
    found = troubles(idle.json("doctor", exit_code=5))
    assert f"chmod 700 {idle.home}" in found["folder"]["fact"]
    assert idle.home.stat().st_mode & 0o777 == 0o777


def test_a_store_of_an_earlier_version(aerjob: CommandLine) -> None:
    unpack("0001", aerjob.home)
    before = (aerjob.home / "aerjob.db").read_bytes()
    found = troubles(aerjob.json("doctor", exit_code=5))
    assert "aerjob store upgrade" in found["store"]["fact"]
    assert (aerjob.home / "aerjob.db").read_bytes() == before


def test_a_database_that_is_gone(idle: CommandLine) -> None:
    (idle.home / "aerjob.db").unlink()
    assert not troubles(idle.json("doctor"))  # nobody has worked here yet
    (idle.home / "worker.log").write_text("")
    found = troubles(idle.json("doctor", exit_code=5))
    assert "restore it from a backup" in found["store"]["remedy"]
    assert not (idle.home / "aerjob.db").exists()


def test_a_guard_that_is_missing(idle: CommandLine) -> None:
    with sqlite3.connect(idle.home / "aerjob.db") as connection:
        connection.execute("DROP TRIGGER jobs_final_is_final")
    connection.close()
    found = troubles(idle.json("doctor", exit_code=5))
    assert "jobs_final_is_final" in found["store"]["fact"]


def test_a_writer_that_does_not_end(idle: CommandLine) -> None:
    connection = sqlite3.connect(idle.home / "aerjob.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        found = troubles(idle.json("doctor", exit_code=5))
    finally:
        connection.close()
    assert "kept everybody from writing" in found["write lock"]["fact"]


def test_a_qiskit_that_cannot_be_imported(aerjob: CommandLine) -> None:
    broken = aerjob.folder / "broken" / "qiskit"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('libgomp.so.1 is not there')\n")
    done = aerjob("doctor", env={"PYTHONPATH": str(broken.parent)})
    assert done.returncode == 70
    (row,) = (row for row in done.stdout.splitlines() if row.startswith("wrong"))
    assert "libgomp.so.1 is not there" in row
    assert "pip install --force-reinstall" in row
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a small disk")
def test_a_disk_that_is_nearly_full(aerjob: CommandLine) -> None:
    aerjob.home.mkdir(mode=0o700)
    mount = f'mount -t tmpfs -o size=4m,mode=700 none {aerjob.home} && exec "$0" "$@"'
    prefix = ("unshare", "--map-root-user", "--mount", "sh", "-c", mount)
    if subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("nobody may mount anything here")
    value = CommandLine(aerjob.home, aerjob.folder, prefix).json("doctor", exit_code=5)
    assert "free some space" in troubles(value)["disk"]["remedy"]
    assert "tmpfs is in memory" in troubles(value, "note")["file system"]["fact"]


def test_a_terminal_shows_all_of_a_remedy(idle: CommandLine, put: Put) -> None:
    put()
    shown = idle.on_a_terminal("doctor")
    assert "none runs, and 1 job waits" in shown
    assert "→ run: aerjob worker start" in shown
