"""`worker enable|disable` on Linux: what is written, and what systemd is told; a stand-in for `systemctl` notes it."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import CommandLine, end_workers
from tests.support.running import until
from tests.support.unit_files import AWKWARD, command_of, environment_of, fields_of

# Answers as the manager of a user would, and keeps the orders.
SYSTEMCTL = """#!/bin/sh
shift
echo "$@" >> "$SYSTEMCTL_ORDERS"
case "$1" in
    is-active) echo "$SYSTEMCTL_STATE" ;;
    "$SYSTEMCTL_FAILS") echo "it cannot be" >&2; exit 1 ;;
esac
"""


class Manager:
    """A user's folder of units, and a `systemctl` that does nothing but note what it is asked."""

    def __init__(self, aerjob: CommandLine, place: Path) -> None:
        self.aerjob = aerjob
        self.units = place / "config" / "systemd" / "user"
        self._orders = place / "orders"
        self._programs = place / "programs"
        self._programs.mkdir()
        self.environment = {
            "XDG_CONFIG_HOME": str(place / "config"),
            "PATH": f"{self._programs}:/usr/bin:/bin",
            "SYSTEMCTL_ORDERS": str(self._orders),
            "SYSTEMCTL_STATE": "inactive",
        }

    def answers(self, **settings: str) -> None:
        """Have a manager there from now on; ``settings`` say how it is."""
        program = self._programs / "systemctl"
        program.write_text(SYSTEMCTL)
        program.chmod(0o755)
        self.environment |= {f"SYSTEMCTL_{name.upper()}": value for name, value in settings.items()}

    def json(self, *arguments: str, exit_code: int = 0) -> dict[str, Any]:
        done = self.aerjob(*arguments, "--json", env=self.environment)
        assert done.returncode == exit_code, done
        return dict(json.loads(done.stdout))

    def orders(self) -> list[str]:
        """Give what `systemctl --user` was told since the last time, but for the questions whether it is there."""
        told = self._orders.read_text().splitlines() if self._orders.exists() else []
        self._orders.unlink(missing_ok=True)
        return [order for order in told if not order.startswith(("show-environment", "is-active"))]


@pytest.fixture
def manager(aerjob: CommandLine, tmp_path: Path) -> Manager:
    return Manager(aerjob, tmp_path)


@pytest.fixture
def nobody(manager: Manager) -> Manager:
    """No manager of the user is in reach, whatever this machine has."""
    manager.answers(fails="show-environment")
    return manager


def test_printing_changes_nothing(nobody: Manager) -> None:
    done = nobody.aerjob("worker", "enable", "--print", "--slots", "3", "--drain-grace", "1m", env=nobody.environment)
    fields = fields_of(done.stdout)
    assert done.returncode == 0
    assert command_of(done.stdout)[1:] == (
        ["-P", "-m", "aerjob_cli", "worker", "run", "--take-over", "--idle-exit=0", "--slots=3", "--drain-grace=60"]
    )
    assert Path(command_of(done.stdout)[0]).is_absolute()
    assert environment_of(done.stdout) == {"AERJOB_HOME": str(nobody.aerjob.home)}
    assert (fields["Type"], fields["KillMode"], fields["Restart"]) == ("notify", "mixed", "on-failure")
    assert int(fields["TimeoutStopSec"]) > 60
    assert not nobody.units.exists()
    assert not nobody.aerjob.home.exists()
    assert nobody.orders() == []


def test_without_a_manager_the_commands_are_told(nobody: Manager) -> None:
    answer = nobody.json("worker", "enable")
    unit = nobody.units / answer["service"]
    assert (answer["outcome"], answer["started"], answer["path"]) == ("written", False, str(unit))
    assert f"systemctl --user enable --now {unit.name}" in answer["hints"]
    assert any("loginctl enable-linger" in hint for hint in answer["hints"])
    assert nobody.json("worker", "enable")["outcome"] == "written"
    service = nobody.json("worker", "status")["service"]
    assert (service["name"], service["enabled"]) == (unit.name, False)

    assert nobody.json("worker", "disable")["outcome"] == "disabled"
    assert not unit.exists()
    assert nobody.json("worker", "disable")["outcome"] == "not_enabled"
    assert nobody.json("worker", "status")["service"] is None


def test_what_the_manager_is_told(manager: Manager) -> None:
    manager.answers()
    answer = manager.json("worker", "enable", "--slots", "2")
    name = answer["service"]
    assert (answer["outcome"], answer["started"]) == ("enabled", True)
    assert manager.orders() == ["daemon-reload", f"enable --quiet {name}", f"reset-failed {name}", f"restart {name}"]

    # It runs, and nothing is new: a job that runs is not disturbed.
    manager.answers(state="active")
    assert manager.json("worker", "enable", "--slots", "2")["outcome"] == "already_enabled"
    assert f"restart {name}" not in manager.orders()
    assert manager.json("worker", "enable", "--slots", "3")["outcome"] == "enabled"
    assert f"restart {name}" in manager.orders()

    assert manager.json("worker", "disable")["outcome"] == "disabled"
    assert manager.orders() == [f"disable --now --quiet {name}", "daemon-reload", f"reset-failed {name}"]
    assert list(manager.units.glob("*.service")) == []


def test_an_enabled_service_is_not_forgotten_by_start_and_stop(manager: Manager) -> None:
    manager.answers()
    name = manager.json("worker", "enable")["service"]
    link = manager.units / "default.target.wants" / name
    link.parent.mkdir()
    link.symlink_to(manager.units / name)
    manager.orders()

    started = manager.aerjob("worker", "start", env=manager.environment)
    assert f"systemctl --user restart {name}" in started.stderr
    service = manager.json("worker", "status")["service"]
    assert (service["enabled"], service["running"]) == (True, False)
    stopped = manager.aerjob("worker", "stop", env=manager.environment)
    assert stopped.stdout == "the worker has stopped\n"
    assert f"{name} stays enabled" in stopped.stderr
    # It might be waiting for its turn, or for its next start after a failure.
    assert manager.orders() == [f"stop {name}"]


def test_a_service_that_does_not_start(manager: Manager) -> None:
    manager.answers(fails="restart")
    answer = manager.json("worker", "enable", exit_code=70)
    assert (answer["outcome"], answer["started"], answer["error"]["code"]) == ("enabled", False, "service_failed")
    assert "journalctl --user -u" in answer["error"]["message"]
    manager.answers(fails="disable")
    answer = manager.json("worker", "disable", exit_code=70)
    assert (answer["outcome"], Path(answer["path"]).exists()) == ("not_disabled", True)
    assert "it cannot be" in answer["error"]["message"]


def test_a_folder_of_units_that_cannot_be_made(manager: Manager) -> None:
    manager.answers()
    manager.units.parent.parent.write_text("no folder\n")
    error = manager.json("worker", "enable", exit_code=70)["error"]
    assert error["code"] == "service_failed"
    assert "Not a directory" in error["message"]


def test_a_store_that_cannot_be_used_gets_no_service(manager: Manager) -> None:
    manager.answers()
    manager.aerjob.home.mkdir(mode=0o700)
    (manager.aerjob.home / "aerjob.db").write_text("not a database, and long enough to look at " * 100)
    assert manager.json("worker", "enable", exit_code=5)["error"]["code"] == "store_damaged"
    assert not manager.units.exists()


@pytest.fixture
def awkward(tmp_path: Path) -> Iterator[CommandLine]:
    place = tmp_path / AWKWARD / "home"
    yield CommandLine(place, tmp_path)
    end_workers(place)


def test_the_command_of_the_unit_is_a_worker(awkward: CommandLine) -> None:
    text = awkward("worker", "enable", "--print", "--slots", "1").stdout
    environment = {name: value for name, value in awkward.environment(None).items() if name != "AERJOB_HOME"}
    with subprocess.Popen(command_of(text), env=environment | environment_of(text), cwd="/") as process:
        try:

            def worker() -> dict[str, Any] | None:
                found = awkward.json("worker", "status")["workers"]
                return found[0] if found else None

            assert until(worker)["pid"] == process.pid
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()
