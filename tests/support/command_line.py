"""The command line as a user has it: a process of its own, on a private store."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aerjob_cli.errors import AerjobError
from aerjob_cli.processes import is_running, kill_exactly
from aerjob_cli.settings import StorePaths
from aerjob_cli.store import workers
from aerjob_cli.store.database import Store
from aerjob_cli.store.flocks import try_flock
from tests.support.prepared_python import PreparedPython

# Generous: the machines of tests are small and shared. A command that takes this long has failed.
DEADLINE_S = 120.0
_LOOK_EVERY_S = 0.02
# What would change what a command prints, or make it compile every module anew.
_UNWANTED = (
    *("AERJOB_BACKEND", "AERJOB_SHOTS", "AERJOB_OUTPUT", "AERJOB_DEBUG"),
    *("NO_COLOR", "FORCE_COLOR", "COLUMNS", "PYTHONDONTWRITEBYTECODE"),
)


@dataclass(frozen=True)
class CommandLine:
    """Runs `aerjob` with ``AERJOB_HOME`` at ``home``, in the folder ``folder``."""

    home: Path
    folder: Path
    prefix: Sequence[str] = field(default=())

    def __call__(
        self,
        *arguments: str | Path,
        timeout: float = DEADLINE_S,
        input: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        done = self.in_bytes(*arguments, timeout=timeout, input=(input or "").encode(), env=env)
        return subprocess.CompletedProcess(done.args, done.returncode, _text(done.stdout), _text(done.stderr))

    def in_bytes(
        self,
        *arguments: str | Path,
        timeout: float = DEADLINE_S,
        input: bytes = b"",
        env: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run one command to its end; what it prints is not decoded."""
        wanted = self.environment(env)
        if not self.prefix and (python := _prepared_python()).can_give(wanted):
            return python.run_module(
                "aerjob_cli",
                *map(str, arguments),
                folder=self.folder,
                environment=wanted,
                input=input,
                timeout_s=timeout,
            )
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=wanted,
            input=input,
            capture_output=True,
            timeout=timeout,
            check=False,
        )

    def json(self, *arguments: str | Path, exit_code: int = 0) -> dict[str, Any]:
        """Run one command with ``--json`` and give the one value that it printed."""
        done = self(*arguments, "--json")
        assert done.returncode == exit_code, done
        value = json.loads(done.stdout)
        assert value["schema_version"] == 1
        return dict(value)

    def start(self, *arguments: str | Path, **options: Any) -> subprocess.Popen[str]:
        """Start a command and leave it to the caller to end it."""
        usual = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            text=True,
            **({"env": self.environment(None)} | usual | options),
        )

    def on_a_terminal(self, *arguments: str | Path, **environment: str) -> str:
        """Run one command to its end on a wide terminal of its own, and give all that it sent there."""
        master, slave = pty.openpty()
        wanted = self.environment({"COLUMNS": "200", "TERM": "xterm-256color"} | environment)
        process = self.start(*arguments, stdin=slave, stdout=slave, stderr=slave, env=wanted)
        os.close(slave)
        read = b""
        # An error is Linux's way to say that the other end is closed.
        with contextlib.suppress(OSError):
            while part := os.read(master, 4096):
                read += part
        process.wait(timeout=DEADLINE_S)
        os.close(master)
        return read.decode()

    def shell(self, script: str) -> subprocess.CompletedProcess[str]:
        """Run a shell script in which ``aerjob`` is this command line."""
        words = " ".join(self.command())
        return subprocess.run(
            ["/bin/bash", "-c", f'aerjob() {{ {words} "$@"; }}\n{script}'],
            cwd=self.folder,
            env=self.environment(None),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=DEADLINE_S,
            check=False,
        )

    def command(self, *arguments: str | Path) -> list[str]:
        return [*self.prefix, sys.executable, "-m", "aerjob_cli", *map(str, arguments)]

    def environment(self, changes: Mapping[str, str] | None) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in _UNWANTED}
        return kept | {"AERJOB_HOME": str(self.home), "TERM": "xterm"} | dict(changes or {})


def _text(data: bytes) -> str:
    return data.decode().replace("\r\n", "\n").replace("\r", "\n")


@functools.cache
def _prepared_python() -> PreparedPython:
    return PreparedPython()


def end_workers(home: Path) -> None:
    """End all workers of a store by their identity, those included that are just beginning."""
    paths = StorePaths(home)
    if not paths.database.is_file():
        return
    deadline_s = time.monotonic() + DEADLINE_S
    # Who begins holds the starter's lock until he is registered.
    while (lock := try_flock(paths.starter_lock)) is None:
        assert time.monotonic() < deadline_s, "a worker does not come to begin"
        time.sleep(_LOOK_EVERY_S)
    with contextlib.suppress(AerjobError):  # a test may have damaged its store
        store = Store.open(paths)
        with store.reading() as tx:
            registered = workers.alive(tx)
        store.close()
        for worker in registered:
            kill_exactly(worker.pid, worker.pid_started)
            for child in worker.children:
                kill_exactly(child.pid, child.started, whole_group=True)
        while any(is_running(worker.pid, worker.pid_started) for worker in registered):
            assert time.monotonic() < deadline_s, "a killed worker does not go"
            time.sleep(_LOOK_EVERY_S)
    lock.release()
