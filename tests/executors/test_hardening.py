"""What the kernel says of a real executor: what it may do, and what it was given. Also of the process that draws."""

from __future__ import annotations

import os
import re
import signal
import stat
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest

from aerjob_cli.api.requests import CircuitBytes
from aerjob_cli.cli.drawings import draw
from aerjob_cli.executors.environment import executor_environment
from aerjob_cli.executors.hardening import OPEN_FILES
from aerjob_cli.memory import MIB, usable_memory_mb
from aerjob_cli.states import Status
from tests.support.circuits import BELL, layers
from tests.support.running import DEADLINE_S, Scene, scene_in, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

SECRETS = {
    "QISKIT_IBM_TOKEN": "a-secret",
    "AWS_SECRET_ACCESS_KEY": "a-secret",
    "GITHUB_TOKEN": "a-secret",
    "PYTHON_TOKEN": "a-secret",
    "SSH_AUTH_SOCK": "/run/agent",
    "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/bus",
    "http_proxy": "http://user:a-secret@proxy",
}
KEPT = {"LC_TIME": "C.UTF-8", "OMP_DYNAMIC": "FALSE", "CUDA_VISIBLE_DEVICES": "0", "TZ": "Asia/Tokyo"}
OOM_SCORE = 800


@dataclass(frozen=True)
class Process:
    """A process, as /proc tells of it."""

    pid: int

    @property
    def folder(self) -> Path:
        return Path(f"/proc/{self.pid}")

    def status(self, name: str) -> str:
        (line,) = re.findall(rf"^{name}:\s*(.*)$", (self.folder / "status").read_text(), re.MULTILINE)
        return str(line)

    def limits(self, name: str) -> tuple[str, str]:
        """Give the soft and the hard limit."""
        (found,) = re.findall(rf"^{name} +(\S+) +(\S+)", (self.folder / "limits").read_text(), re.MULTILINE)
        return str(found[0]), str(found[1])

    def environment(self) -> dict[str, str]:
        """Give what the process, or the one it was forked from, was started with."""
        settings = (self.folder / "environ").read_text().split("\0")
        return dict(setting.split("=", 1) for setting in settings if setting)

    def descriptors(self) -> dict[int, str]:
        return {int(entry.name): os.readlink(entry) for entry in (self.folder / "fd").iterdir()}


@dataclass(frozen=True)
class Family:
    """A worker that has run a job, and what it has started."""

    scene: Scene
    worker: Process
    template: Process
    executors: tuple[Process, ...]

    @property
    def hardened(self) -> tuple[Process, ...]:
        return (self.template, *self.executors)


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Family]:
    """The processes of a store whose worker was started in a shell with secrets, and with a lax umask."""
    with pytest.MonkeyPatch.context() as patch, scene_in(tmp_path_factory.mktemp("hardened") / "home") as scene:
        for name, value in (SECRETS | KEPT).items():
            patch.setenv(name, value)
        lax = os.umask(0o000)
        try:
            (job,) = scene.put(scene.request(BELL))
            scene.start_worker("--slots", "1")
        finally:
            os.umask(lax)
        scene.wait_for_status(job, Status.DONE)

        def both(_: object) -> tuple[Process, ...] | None:
            # One has validated, one has run.
            children = tuple(Process(child.pid) for child in scene.worker().children)
            return children if len(children) == 3 else None

        template, *executors = scene.wait(both)
        yield Family(scene, Process(scene.worker().pid), template, tuple(executors))


def test_no_executor_leaves_a_core_dump_or_opens_or_writes_without_limit(family: Family) -> None:
    memory = str(usable_memory_mb() * MIB)
    for process in family.hardened:
        assert process.limits("Max core file size") == ("0", "0")
        assert process.limits("Max open files") == (str(OPEN_FILES), str(OPEN_FILES))
        assert process.limits("Max file size") == (memory, memory)


def test_no_executor_gains_privileges(family: Family) -> None:
    for process in family.hardened:
        assert process.status("NoNewPrivs") == "1"
        assert process.status("Seccomp") == Process(os.getpid()).status("Seccomp")


def test_an_executor_has_what_it_needs_of_the_environment_and_no_secret(family: Family) -> None:
    assert SECRETS.items() <= family.worker.environment().items()
    for process in family.hardened:
        environment = process.environment()
        assert not SECRETS.keys() & environment.keys()
        assert "a-secret" not in str(environment)
        assert KEPT.items() <= environment.items()
        assert environment["PATH"] == os.environ["PATH"]
        assert environment["OPENBLAS_NUM_THREADS"] == "1"


def test_each_executor_works_in_a_private_folder_of_its_own_in_the_store(family: Family) -> None:
    own = family.scene.paths.incoming / family.scene.worker().worker_id
    assert all(process.environment()["TMPDIR"] == str(own) for process in family.hardened)
    folders = [Path(os.readlink(process.folder / "cwd")) for process in family.executors]
    assert sorted(folders) == [own / "1", own / "2"]
    for folder in (own, *folders):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_what_an_executor_makes_is_its_users_alone(family: Family) -> None:
    for process in (family.worker, *family.hardened):
        assert process.status("Umask") == "0077"


def test_an_executor_holds_its_pipes_and_its_output_and_nothing_of_others(family: Family) -> None:
    for process in family.executors:
        held = process.descriptors()
        assert sorted(held) == [0, 1, 2, 3, 4]
        assert held[0] == os.devnull
        assert held[1] == held[2]
        assert held[1].endswith("(deleted)")
        assert held[3].startswith("socket:")
        assert held[4].startswith("pipe:")


def test_the_kernel_takes_an_executor_first_when_memory_runs_out(family: Family) -> None:
    for process in family.executors:
        assert (process.folder / "oom_score_adj").read_text() == f"{OOM_SCORE}\n"
    assert (family.worker.folder / "oom_score_adj").read_text() == "0\n"


def test_an_executor_ends_of_a_signal_at_once(family: Family) -> None:
    """A handler of Python's would wait for the end of the simulation."""
    ends = sum(1 << (number - 1) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGSEGV, signal.SIGABRT))
    for process in family.executors:
        assert int(process.status("SigIgn"), 16) & ends == 0
        assert int(process.status("SigCgt"), 16) & ends == 0


def test_the_process_that_draws_has_no_secret_and_may_write_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    slow = CircuitBytes("c", "openqasm2", layers(20, 40).encode())
    drawing = Thread(target=draw, args=([slow],), kwargs={"width": 80, "experiment": None, "subject": "it"})
    drawing.start()

    def drawer() -> Process | None:
        for pid in map(Process, children_of_any_thread()):
            with suppress(OSError, ValueError):
                if b"drawing_child" in (pid.folder / "cmdline").read_bytes() and pid.limits("Max file size")[1] == "0":
                    return pid
        assert drawing.is_alive(), "it has been drawn unseen"
        return None

    process = until(drawer)
    assert not SECRETS.keys() & process.environment().keys()
    assert process.status("NoNewPrivs") == "1"
    assert process.limits("Max core file size") == ("0", "0")
    assert process.limits("Max open files") == (str(OPEN_FILES), str(OPEN_FILES))
    drawing.join(timeout=DEADLINE_S)


def children_of_any_thread() -> list[int]:
    tasks = Path("/proc/self/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def test_how_threads_wait_is_left_to_whoever_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.delenv(name, raising=False)
    assert not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & executor_environment().keys()
    monkeypatch.setenv("GOMP_SPINCOUNT", "7")
    assert executor_environment()["GOMP_SPINCOUNT"] == "7"


def test_freed_states_go_back_to_the_system_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GLIBC_TUNABLES", "LD_PRELOAD", "MALLOC_MMAP_THRESHOLD_"):
        monkeypatch.delenv(name, raising=False)
    assert executor_environment()["MALLOC_MMAP_THRESHOLD_"] == str(2**20)
    monkeypatch.setenv("MALLOC_ARENA_MAX", "2")
    assert "MALLOC_MMAP_THRESHOLD_" not in executor_environment()
