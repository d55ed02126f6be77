"""`store info|check|backup|clean|upgrade` at the command line."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from aerjob_cli.api.requests import CircuitBytes
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.connections import raw_connection
from aerjob_cli.store.garbage import YOUNG_S
from aerjob_cli.store.inventory import object_files
from aerjob_cli.store.revisions import HEAD
from tests.cli.conftest import Put
from tests.support.circuits import BELL
from tests.support.command_line import CommandLine
from tests.support.old_stores import rows_of, schema_of, unpack

LARGE = BELL + "// as many bytes as it takes to be a file\n" * 7000


def put_large(put: Put) -> str:
    """Put a job whose circuits are a file; give its id."""
    return put(circuits=(CircuitBytes("large", "openqasm2", LARGE.encode()),)).job_id


def the_object(home: Path) -> Path:
    (file,) = object_files(StorePaths(home))
    return file.path


def mounted(aerjob: CommandLine, script: str) -> CommandLine:
    """Give a command line in a mount namespace of its own, where ``script`` has been run, or skip the test."""
    unshare = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--user", "--map-root-user"]
    try:
        able = subprocess.run([*unshare, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no unshare")
    if able.returncode:
        pytest.skip("nothing may be mounted here")
    return replace(aerjob, prefix=[*unshare, "sh", "-ec", f'{script}; exec "$@"', "sh"])


def test_info(idle: CommandLine, put: Put) -> None:
    put()
    job = put()
    assert idle("cancel", job.job_id).returncode == 0
    answer = idle.json("store", "info")
    assert answer["path"] == str(idle.home)
    assert (answer["schema"], answer["worker_pids"], answer["experiments"]) == (HEAD, [], 0)
    assert answer["jobs"] == {
        **dict.fromkeys(("validating", "queued", "running", "done", "error"), 0),
        "initializing": 1,
        "cancelled": 1,
    }
    assert answer["jobs_total"] == 2
    assert answer["size"]["database_bytes"] == StorePaths(idle.home).database.stat().st_size
    assert answer["size"]["total_bytes"] >= sum(
        answer["size"][part] for part in ("database_bytes", "wal_bytes", "objects_bytes", "log_bytes")
    )
    assert {"library", "version", "journal_mode"} == set(answer["sqlite"])
    lines = dict(line.split("\t") for line in idle("store", "info").stdout.splitlines())
    assert lines["store"] == str(idle.home)
    assert lines["jobs"] == "2: 1 INITIALIZING, 1 CANCELLED"
    assert lines["worker"] == "not running"


def test_a_sound_store_with_a_worker(working: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "large.qasm").write_text(LARGE)
    assert working("run", "large.qasm").returncode == 0
    info = working.json("store", "info")
    (pid,) = info["worker_pids"]
    assert f"pid {pid}" in working("store", "info").stdout
    assert (info["objects"], info["experiments"]) == (1, 1)
    answer = working.json("store", "check")
    assert answer["sound"] is True
    assert answer["problems"] == []
    assert answer["checked"] == {"circuits": 1, "results": 1, "arrays": 0}
    assert answer["objects"]["count"] == 1
    quick = working("store", "check", "--quick")
    assert (quick.returncode, quick.stderr) == (0, "")
    assert quick.stdout.startswith("sound\t")


def test_damage_is_listed_and_told_by_the_exit_code(idle: CommandLine, put: Put) -> None:
    job_id = put_large(put)
    the_object(idle.home).write_text(LARGE.replace("h q[0]", "x q[0]"))
    assert idle("store", "check", "--quick").returncode == 0
    answer = idle.json("store", "check", exit_code=5)
    (problem,) = answer["problems"]
    assert (answer["sound"], problem["kind"]) == (False, "altered")
    assert problem["job_id"] == job_id
    assert answer["error"]["code"] == "store_damaged"
    the_object(idle.home).unlink()
    done = idle("store", "check", "--quick")
    assert done.returncode == 5
    assert done.stdout.startswith("missing\t")
    assert done.stdout.count("\n") == 1
    assert "has a problem" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_repair_says_what_it_did_and_what_remains(idle: CommandLine, put: Put) -> None:
    put_large(put)
    connection = raw_connection(StorePaths(idle.home).database, busy_timeout_s=0)
    connection.execute("DROP TRIGGER jobs_final_is_final")
    connection.close()
    assert "aerjob store check --repair" in idle("list").stderr
    the_object(idle.home).unlink()
    answer = idle.json("store", "check", "--repair", exit_code=5)
    assert ["jobs_final_is_final" in sentence for sentence in answer["repaired"]] == [True]
    assert [problem["kind"] for problem in answer["problems"]] == ["missing"]
    assert "cannot be repaired without guessing" in answer["error"]["message"]
    assert idle("list").returncode == 0
    idle.home.chmod(0o755)
    done = idle("store", "check", "--quick", "--repair")
    assert done.stdout.splitlines()[0].startswith("repaired\tthe mode of")
    assert idle.json("store", "check", exit_code=5)["repaired"] == []


def noise(database: Path) -> None:
    with database.open("r+b") as file:
        file.seek(0)
        file.write(os.urandom(8192))


def emptied(database: Path) -> None:
    os.truncate(database, 0)


def halved(database: Path) -> None:
    os.truncate(database, database.stat().st_size // 2)


@pytest.mark.parametrize("spoil", [noise, emptied, halved])
def test_a_damaged_database_has_a_sentence_in_every_verb(
    idle: CommandLine, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    database = StorePaths(idle.home).database
    spoil(database)
    before = database.read_bytes()
    for verb in (["info"], ["check"], ["backup", "copy"], ["clean"], ["upgrade"]):
        done = idle("store", *verb)
        assert done.returncode == 5, done
        assert done.stderr.startswith("aerjob: the store ")
        assert "Traceback" not in done.stderr
    assert not (tmp_path / "copy").exists()
    assert database.read_bytes() == before


@pytest.mark.parametrize("verb", ["check", "backup", "clean", "upgrade"])
def test_where_no_store_is_none_is_made(aerjob: CommandLine, verb: str) -> None:
    done = aerjob("store", verb, *(["copy"] if verb == "backup" else []))
    assert done.returncode == 5
    assert "does not exist yet" in done.stderr
    assert not aerjob.home.exists()


def test_a_backup_is_used_by_naming_it(working: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "bell.qasm").write_text(BELL)
    assert working("run", "bell.qasm", "--seed", "7", "--name", "kept").returncode == 0
    counts = working.json("result", "last")["experiments"][0]["counts"]
    answer = working.json("store", "backup", "copy")
    assert (answer["path"], answer["damaged"]) == (str(tmp_path / "copy"), [])
    copy = replace(working, home=tmp_path / "copy")
    assert copy.json("result", "last")["experiments"][0]["counts"] == counts
    assert copy.json("store", "info")["worker_pids"] == []
    assert copy.json("store", "check")["sound"] is True
    assert working.json("store", "info")["store_uuid"] != copy.json("store", "info")["store_uuid"]

    again = working("store", "backup", "copy")
    assert again.returncode == 2
    assert "is not empty" in again.stderr
    assert working.json("store", "backup", "copy", exit_code=2)["error"]["code"] == "backup_misplaced"
    assert working("store", "backup", tmp_path / "second").stdout.startswith(f"{tmp_path / 'second'}: ")


def test_a_backup_of_a_store_with_a_lost_file_is_made_and_says_so(idle: CommandLine, put: Put, tmp_path: Path) -> None:
    put_large(put)
    the_object(idle.home).unlink()
    answer = idle.json("store", "backup", "copy", exit_code=5)
    assert len(answer["damaged"]) == 1
    assert answer["error"]["code"] == "store_damaged"
    assert replace(idle, home=tmp_path / "copy").json("list")["jobs"] != []


def test_a_backup_for_which_there_is_no_room(idle: CommandLine, put: Put, tmp_path: Path) -> None:
    put_large(put)
    (tmp_path / "small").mkdir()
    for size_kib in (64, 300):  # where the database has no room, and where an object has none
        full = mounted(idle, f"mount -t tmpfs -o size={size_kib}k none {tmp_path}/small")
        done = full("store", "backup", "small/copy")
        assert done.returncode == 5, done
        assert "no room is left" in done.stderr
    assert idle.json("store", "check")["sound"] is True


def test_a_backup_where_nothing_can_be_written(idle: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "fixed").mkdir()
    fixed = mounted(idle, f"mount -t tmpfs -o ro none {tmp_path}/fixed")
    done = fixed("store", "backup", "fixed/copy")
    assert done.returncode == 5
    assert "no backup was made" in done.stderr


def test_a_check_of_a_store_that_can_only_be_read(idle: CommandLine, put: Put) -> None:
    put()
    fixed = mounted(idle, f"mount --bind {idle.home} {idle.home}; mount -o remount,ro,bind {idle.home}")
    done = fixed("store", "check")
    assert (done.returncode, done.stderr) == (0, ""), done


def test_clean(idle: CommandLine) -> None:
    waste = StorePaths(idle.home).objects / "ab" / ("c" * 62)
    waste.parent.mkdir()
    waste.write_bytes(b"w" * 2048)
    assert idle("store", "clean").stdout == "0 B freed\n"  # somebody may be about to refer to it
    then_s = time.time() - 2 * YOUNG_S
    os.utime(waste, (then_s, then_s))
    check = idle("store", "check")
    assert check.returncode == 0
    assert "aerjob store clean" in check.stderr
    assert idle.json("store", "clean")["freed_bytes"] == 2048
    assert not waste.exists()


def test_of_many_upgrades_at_once_one_does_it(home: Path, aerjob: CommandLine) -> None:
    old = unpack("0001", home)
    before = rows_of(old.database)
    upgrades = [aerjob.start("store", "upgrade") for _ in range(8)]
    answers = [process.communicate(timeout=120) for process in upgrades]
    assert [process.returncode for process in upgrades] == [0] * 8, answers
    assert [stderr for _, stderr in answers] == [""] * 8
    assert sum("upgraded from schema 0001" in stdout for stdout, _ in answers) == 1
    assert sum("already current" in stdout for stdout, _ in answers) == 7
    (backup,) = home.glob("aerjob.db.before-*")
    assert (schema_of(backup), rows_of(backup)) == ("0001", before)
