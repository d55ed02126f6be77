"""The store cannot be written, or another process keeps everybody from it: a sentence, and no harm."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from aerjob_cli.api.requests import Plan
from aerjob_cli.errors import StoreBusy
from aerjob_cli.states import Status
from aerjob_cli.store.database import Store
from tests.faults.support.inner_commands import InnerCommands
from tests.faults.support.sample_store import no_worker_for
from tests.support.circuits import BELL, layers
from tests.support.command_line import DEADLINE_S, CommandLine
from tests.support.matrix import Matrix
from tests.support.running import Scene

UNUSABLE = 5
NOBODY = 65534

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="users and locks as Linux has them")

READING = ("list", "status last", "show last", "store info", "store check")
WRITING = ("cancel last", "tag last --add x", "submit {bell}")
REPAIRING = "store check --repair"


@pytest.fixture
def public_place() -> Iterator[Path]:
    """A folder that an unprivileged user can reach."""
    place = Path(tempfile.mkdtemp(prefix="aerjob-test-", dir="/tmp"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


def as_nobody(program: str, *arguments: str) -> int:
    """Run a function of this module in a child that has no privileges; give its exit code."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(NOBODY, NOBODY, NOBODY)
                os.setresuid(NOBODY, NOBODY, NOBODY)
            globals()[program](*arguments)
            code = 0
        except BaseException as error:  # noqa: BLE001 - the child of a test has no other way to tell
            os.write(2, f"{error!r}\n".encode())
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def try_all(home: str, bell: str) -> None:
    """Try all commands on a store that cannot be written."""
    aerjob, database = InnerCommands(Path(home)), Path(home) / "aerjob.db"
    before = database.read_bytes()
    for command in READING:
        ended = aerjob(*command.split())
        assert ended.exit_code in (0, UNUSABLE), ended
        assert ended.exit_code == 0 or "aerjob: the store " in ended.stderr, ended
    for command in WRITING:
        ended = aerjob(*command.format(bell=bell).split())
        assert ended.exit_code == UNUSABLE, ended
        assert "aerjob: the store " in ended.stderr, ended
    assert database.read_bytes() == before
    # Its modes are its owner's to change.
    ended = aerjob(*REPAIRING.split())
    assert ended.exit_code == 0, ended
    assert "600" in ended.stdout
    assert aerjob("tag", "last", "--add", "y").exit_code == 0


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_store_that_can_only_be_read_is_not_written_and_says_so(public_place: Path, what: str) -> None:
    home = public_place / "home"
    scene = Scene(home)
    scene.put(scene.request(BELL))
    scene.client.close()
    (public_place / "bell.qasm").write_text(BELL)
    with no_worker_for(scene.paths):
        # All that a command imports late is imported before privileges are dropped.
        for command in (*READING, *WRITING, REPAIRING):
            InnerCommands(home)(*command.format(bell=public_place / "bell.qasm").split())
        for path in (home, *home.rglob("*")):
            if os.geteuid() == 0:
                os.chown(path, NOBODY, pwd.getpwuid(NOBODY).pw_gid)
        scene.paths.database.chmod(0o400)
        if what == "folder":
            scene.paths.home.chmod(0o500)
        assert as_nobody("try_all", str(home), str(public_place / "bell.qasm")) == 0


HOLDS_THE_LOCK = """
import sys, time
from pathlib import Path
from aerjob_cli.store.connections import raw_connection
connection = raw_connection(Path(sys.argv[1]), busy_timeout_s=60)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


def test_while_another_process_holds_the_write_lock_nothing_is_lost_and_all_goes_on_after(
    scene: Scene, tmp_path: Path, matrix: Matrix
) -> None:
    held_s = 60.0 if matrix.is_full else 3.0
    (tmp_path / "bell.qasm").write_text(BELL)
    (warm,) = scene.put(scene.request(BELL))
    process = scene.start_worker("--slots", "1", "--lease", "1.5")
    scene.wait_for_status(warm, Status.DONE)
    # It ends while nobody can write.
    (job,) = scene.put(scene.request(layers(18, 30), plan=Plan(1, 1)))
    scene.wait_for_status(job, Status.RUNNING)
    command = [sys.executable, "-c", HOLDS_THE_LOCK, str(scene.paths.database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        submitting = CommandLine(scene.paths.home, tmp_path).start("submit", "bell.qasm")
        impatient = Store.open(scene.paths, busy_timeout_s=held_s)
        with pytest.raises(StoreBusy, match="is locked by another process"), impatient.writing():
            pass
        impatient.close()
        # Those who only look are not kept waiting.
        assert scene.client.find(warm.job_id).status is Status.DONE
        assert process.poll() is None
        holder.communicate()
    stdout, stderr = submitting.communicate(timeout=DEADLINE_S)
    assert "Traceback" not in stderr
    # The busy timeout of a client is 60 s, so that after the full hold it may have given up.
    assert submitting.returncode in ((0, UNUSABLE) if matrix.is_full else (0,)), stderr
    done = scene.wait_for_status(job, Status.DONE)
    assert (done.attempt, done.worker_id) == (1, scene.worker().worker_id)
    if submitting.returncode == 0:
        scene.wait_for_status(scene.client.find(stdout.strip()), Status.DONE)
    else:
        assert "is locked by another process" in stderr
    assert process.poll() is None
