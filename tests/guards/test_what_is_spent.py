"""Workers, clients and commands spend no more statements, syncs, bytes, wake-ups and modules than `bounds` has."""

from __future__ import annotations

import re
import select
import sys
from pathlib import Path

import pytest

from aerjob_cli.states import Status
from aerjob_cli.store.records import JobRecord
from tests.faults.support.system_calls import IS_POSSIBLE, attached
from tests.guards import bounds
from tests.guards.observer.sitecustomize import count_statements, libraries
from tests.support.circuits import BELL, layers
from tests.support.command_line import CommandLine
from tests.support.running import Scene, scene_in

JOBS = 200
IDLE_S = 2.0
_OBSERVER = Path(__file__).parent / "observer"
_SYNC = re.compile(r"\b(?:fsync|fdatasync)\(.*\) = 0$", re.MULTILINE)
# With -y, strace tells what a descriptor is.
_TRANSFER = re.compile(r"\b(?:sendto|recvfrom|sendmsg|recvmsg)\(\d+<(?:socket|UNIX).*\) = (\d+)$", re.MULTILINE)
_TRACED = ("fsync", "fdatasync", "sendto", "recvfrom", "sendmsg", "recvmsg")


def submitted(scene: Scene, count: int, *, seed: int) -> list[JobRecord]:
    return scene.put(*(scene.request(layers(2, 3, seed=seed + number)) for number in range(count)))


def work_off(scene: Scene, count: int, *, seed: int) -> None:
    for job in submitted(scene, count, seed=seed):
        scene.wait_for_status(job, Status.DONE)


@pytest.mark.skipif(not IS_POSSIBLE, reason="system calls are counted by strace")
def test_a_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    statements, calls = tmp_path / "statements", tmp_path / "calls"
    monkeypatch.setenv("PYTHONPATH", str(_OBSERVER))
    monkeypatch.setenv("AERJOB_TEST_STATEMENTS", str(statements))
    with scene_in(tmp_path / "home") as scene:
        scene.start_worker()
        work_off(scene, 20, seed=0)
        before = statements.stat().st_size
        with attached(scene.worker().pid, calls, names=_TRACED):
            work_off(scene, JOBS, seed=1000)
        spent = statements.stat().st_size - before
        assert 0 < spent / JOBS <= bounds.STATEMENTS_OF_A_WORKER

        trace = calls.read_text(errors="replace")
        assert 0 < len(_SYNC.findall(trace)) / JOBS <= bounds.SYNCS_OF_A_WORKER
        assert 0 < sum(map(int, _TRANSFER.findall(trace))) / JOBS <= bounds.PIPE_BYTES
        assert 0 < wake_ups_while_idle(scene) / IDLE_S <= bounds.WAKE_UPS

        # Here, since it waits for a worker's verdict.
        (tmp_path / "bell.qasm").write_text(BELL)
        aerjob = CommandLine(scene.paths.home, tmp_path)
        assert 0 < modules_of(aerjob, "submit", "bell.qasm") <= bounds.MODULES["submit"]


def wake_ups_while_idle(scene: Scene) -> int:
    """Count how often the worker and all that it has started began to wait again."""
    worker = scene.worker()
    family = [worker.pid, *(child.pid for child in worker.children)]
    before = sum(map(waits, family))
    select.select([], [], [], IDLE_S)
    return sum(map(waits, family)) - before


def waits(pid: int) -> int:
    """Give how often all threads of a process have let go of the processor by themselves."""
    found = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        (line,) = (line for line in (thread / "status").read_text().splitlines() if line.startswith("voluntary_ctxt"))
        found += int(line.split()[1])
    return found


def test_a_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for library in libraries():
        monkeypatch.setattr(library, "connect", library.connect)  # so that it is put back
    statements = tmp_path / "statements"
    with scene_in(tmp_path / "home") as made:
        submitted(made, 1, seed=0)
    count_statements(str(statements))
    with scene_in(tmp_path / "home") as scene:
        submitted(scene, JOBS, seed=1)
        assert 0 < statements.stat().st_size / JOBS <= bounds.STATEMENTS_OF_A_CLIENT


def modules_of(aerjob: CommandLine, *arguments: str) -> int:
    """Run a command and give the number of modules that it had at its end."""
    modules = aerjob.folder / "modules"
    done = aerjob(*arguments, env={"PYTHONPATH": str(_OBSERVER), "AERJOB_TEST_MODULES": str(modules)})
    assert done.returncode == 0, done
    return int(modules.read_text())


def test_the_modules_of_commands(tmp_path: Path) -> None:
    aerjob = CommandLine(tmp_path / "home", tmp_path)
    with scene_in(aerjob.home) as scene:
        submitted(scene, 1, seed=0)
    commands = [command for command in bounds.MODULES if command != "submit"]
    counted = {command: modules_of(aerjob, *command.split()) for command in commands}
    assert {command: count for command, count in counted.items() if count > bounds.MODULES[command]} == {}
    # It counts what is there, and not what it brings.
    assert all(count > len(sys.builtin_module_names) for count in counted.values())
