"""The worker as a user service of systemd: its unit file, and what `systemctl --user` is told."""

from __future__ import annotations

import contextlib
import getpass
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from aerjob_cli.cli.services.programs import run_quietly, shell_line
from aerjob_cli.cli.services.service import Change, Definition, stem_for
from aerjob_cli.cli.services.unit_file import unit_text
from aerjob_cli.frozen import dataclass
from aerjob_cli.settings import default_home

_LINGERING = Path("/var/lib/systemd/linger")
_WANTED_BY = "default.target.wants"
_ANSWERS_WITHIN_S = 10.0
# A worker that makes room has 30 s for its jobs, unless it was started with another grace.
_STARTS_WITHIN_S = 60.0
# A stop takes as long as the grace; the unit has its own limit.
_STOPS_WITHIN_S = 600.0


@dataclass(frozen=True)
class SystemdUnit:
    """The unit of one store, in the user's folder of units."""

    home: Path
    environment: Mapping[str, str]

    manager = "systemd"

    @classmethod
    def of(cls, home: Path) -> SystemdUnit:
        """Give the unit of a store, in this process's environment."""
        return cls(home, os.environ)

    @property
    def name(self) -> str:
        return f"{stem_for(self.home, default_home())}.service"

    @property
    def path(self) -> Path:
        return self._folder / self.name

    @property
    def logs(self) -> str | None:
        return shell_line("journalctl", "--user", "-u", self.name)

    @property
    def start_line(self) -> str:
        return shell_line("systemctl", "--user", "restart", self.name)

    def described(self, definition: Definition) -> str:
        return unit_text(definition)

    def enable(self, definition: Definition) -> Change:
        text = self.described(definition)
        is_new = not self._has(text)
        if is_new:
            self._folder.mkdir(parents=True, exist_ok=True)
            draft = self.path.with_name(f".{self.name}.{os.getpid()}")
            draft.write_text(text, encoding="utf-8")
            draft.replace(self.path)
        if not self._answers():
            return Change("written", hints=(*self._by_hand("daemon-reload", "enable --now"), *self._lingering_hint()))
        for order in (("daemon-reload",), ("enable", "--quiet", self.name)):
            done = self._systemctl(*order)
            if done is None or done.returncode != 0:
                return Change("written", problem=_complaint(f"systemctl {order[0]}", done))
        if not is_new and self._state() == "active":
            return Change("already_enabled", started=True, hints=self._lingering_hint())
        # A unit that failed too often would not be started again.
        self._systemctl("reset-failed", self.name)
        done = self._systemctl("restart", self.name, within_s=_STARTS_WITHIN_S)
        if done is None:
            waiting = "the service waits for another worker to end; `aerjob worker status` shows it"
            return Change("enabled", hints=(waiting, *self._lingering_hint()))
        if done.returncode != 0:
            return Change("enabled", problem=f"the service does not start; `{self.logs}` says why")
        return Change("enabled", started=True, hints=self._lingering_hint())

    def disable(self) -> Change:
        if not self._is_there():
            return Change("not_enabled")
        answers = self._answers()
        if answers:
            done = self._systemctl("disable", "--now", "--quiet", self.name, within_s=_STOPS_WITHIN_S)
            if done is None or done.returncode != 0:
                return Change("not_disabled", problem=_complaint("systemctl disable", done))
        for leftover in (self._link, self.path):
            with contextlib.suppress(FileNotFoundError):
                leftover.unlink()
        if not answers:
            return Change("disabled", hints=self._by_hand("stop", "daemon-reload"))
        self._systemctl("daemon-reload")
        self._systemctl("reset-failed", self.name)
        return Change("disabled")

    def halt(self) -> bool:
        if not self._answers():
            return False
        done = self._systemctl("stop", self.name, within_s=_STOPS_WITHIN_S)
        return done is not None and done.returncode == 0

    def is_enabled(self) -> bool:
        return self.path.exists() and os.path.lexists(self._link)

    def runs(self, pid: int) -> bool | None:
        try:
            groups = Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        return any(line.rpartition("/")[2] == self.name for line in groups.splitlines())

    @property
    def _folder(self) -> Path:
        configured = self.environment.get("XDG_CONFIG_HOME")
        # The specification of XDG: a relative path is to be ignored.
        base = Path(configured) if configured and Path(configured).is_absolute() else Path.home() / ".config"
        return base / "systemd" / "user"

    @property
    def _link(self) -> Path:
        return self._folder / _WANTED_BY / self.name

    def _has(self, text: str) -> bool:
        try:
            return self.path.read_text(encoding="utf-8") == text
        except (OSError, ValueError):
            return False

    def _is_there(self) -> bool:
        return os.path.lexists(self.path) or os.path.lexists(self._link)

    def _answers(self) -> bool:
        done = self._systemctl("show-environment")
        return done is not None and done.returncode == 0

    def _state(self) -> str:
        done = self._systemctl("is-active", self.name)
        return "" if done is None else done.stdout.strip()

    def _systemctl(
        self, *arguments: str, within_s: float = _ANSWERS_WITHIN_S
    ) -> subprocess.CompletedProcess[str] | None:
        return run_quietly("systemctl", "--user", *arguments, environment=self._bus_environment(), within_s=within_s)

    def _bus_environment(self) -> dict[str, str]:
        runtime = f"/run/user/{os.getuid()}"
        # Cron and sudo do not set it, and the user's manager may be there all the same.
        usual = {"XDG_RUNTIME_DIR": runtime} if os.path.isdir(runtime) else {}
        return usual | dict(self.environment)

    def _by_hand(self, *orders: str) -> tuple[str, ...]:
        needs_name = ("enable", "stop")
        lines = (
            shell_line("systemctl", "--user", *order.split(), *([self.name] if order.startswith(needs_name) else []))
            for order in orders
        )
        return ("the user's systemd does not answer from here; in a session of the user, run:", *lines)

    def _lingering_hint(self) -> tuple[str, ...]:
        user = getpass.getuser()
        if (_LINGERING / user).exists():
            return ()
        return (
            "the service runs only while you are logged in; to have it run from boot to shutdown: "
            + shell_line("loginctl", "enable-linger", user),
        )


def _complaint(what: str, done: subprocess.CompletedProcess[str] | None) -> str:
    if done is None:
        return f"`{what}` does not come to an end"
    return f"`{what}` failed: {done.stderr.strip() or f'it ended with code {done.returncode}'}"
