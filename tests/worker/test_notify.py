"""What a service manager hears of the worker, on a real socket, and what systemd's journal gets of its log."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from aerjob_cli.store.doorbell import is_heard
from aerjob_cli.worker.notify import Manager
from tests.support.running import DEADLINE_S, Scene, until


@pytest.fixture
def manager(tmp_path: Path) -> socket.socket:
    datagrams = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    datagrams.bind(str(tmp_path / "notify"))
    datagrams.settimeout(DEADLINE_S)
    return datagrams


def told(datagrams: socket.socket) -> dict[str, str]:
    return dict(line.split("=", 1) for line in datagrams.recv(4096).decode().splitlines())


def test_a_worker_under_a_service_manager(scene: Scene, manager: socket.socket) -> None:
    out, into = os.pipe()
    pipe = os.fstat(into)
    environment = os.environ | {
        "NOTIFY_SOCKET": manager.getsockname(),
        "JOURNAL_STREAM": f"{pipe.st_dev}:{pipe.st_ino}",
    }
    command = [sys.executable, "-P", "-m", "aerjob_cli.worker", "--home", str(scene.paths.home), "--foreground"]
    process = subprocess.Popen([*command, "--slots", "3"], env=environment, stderr=into)
    try:
        os.close(into)
        ready = told(manager)
        assert ready["READY"] == "1"
        assert "3 at a time" in ready["STATUS"]
        assert is_heard(scene.paths.doorbell)
        # No other process may speak for the worker.
        template = until(lambda: next(iter(scene.worker().children), None))
        assert b"NOTIFY_SOCKET" not in Path(f"/proc/{template.pid}/environ").read_bytes()
        process.send_signal(signal.SIGTERM)
        assert told(manager)["STOPPING"] == "1"
        assert process.wait(timeout=DEADLINE_S) == 0
    finally:
        process.kill()
        process.wait()
    with open(out, encoding="utf-8") as journal:
        lines = journal.read().splitlines()
    assert lines[0].startswith("<6>worker ")
    assert lines[-1] == "<6>worker ends: drained"
    # The journal keeps them; a file that nobody looks at would only grow.
    assert not scene.paths.worker_log.exists()
    manager.close()


def test_a_name_in_the_abstract_namespace() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
        datagrams.bind("")  # the kernel chooses one
        datagrams.settimeout(DEADLINE_S)
        name = datagrams.getsockname()
        assert name.startswith(b"\0")
        Manager(f"@{name[1:].decode()}").stopping(2)
        assert told(datagrams) == {"STOPPING": "1", "STATUS": "stopping, 2 jobs are running"}


@pytest.mark.parametrize("address", [None, "", "vsock:2:1", "/no/such/socket", "relative"])
def test_nobody_listens(address: str | None) -> None:
    Manager(address).ready(1)


def test_the_address_is_taken_out_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", "@anything")
    Manager.of_this_process()
    assert "NOTIFY_SOCKET" not in os.environ
