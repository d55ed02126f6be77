"""The worker as a launch agent of macOS: its property list, and what `launchctl` is told (launchd.plist(5))."""

from __future__ import annotations

import contextlib
import os
import plistlib
from collections.abc import Mapping
from pathlib import Path

from aerjob_cli.cli.services.programs import run_quietly, shell_line
from aerjob_cli.cli.services.service import Change, Definition, stem_for
from aerjob_cli.errors import UsageError
from aerjob_cli.frozen import dataclass
from aerjob_cli.settings import StorePaths, default_home

_STOP_SLACK_S = 15.0
_PRIVATE_UMASK = 0o077
_ANSWERS_WITHIN_S = 60.0


@dataclass(frozen=True)
class LaunchAgent:
    """The agent of one store, in the user's folder of agents."""

    home: Path
    environment: Mapping[str, str]

    manager = "launchd"
    logs = None

    @classmethod
    def of(cls, home: Path) -> LaunchAgent:
        """Give the agent of a store, in this process's environment."""
        return cls(home, os.environ)

    @property
    def name(self) -> str:
        return stem_for(self.home, default_home())

    @property
    def path(self) -> Path:
        return Path.home() / "Library" / "LaunchAgents" / f"{self.name}.plist"

    @property
    def start_line(self) -> str:
        return shell_line("launchctl", "kickstart", self._target)

    def described(self, definition: Definition) -> str:
        return plist(self.name, definition)

    def enable(self, definition: Definition) -> Change:
        text = self.described(definition)
        is_new = not self._has(text)
        if is_new:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(text, encoding="utf-8")
        elif self._launchctl("print", self._target):
            return Change("already_enabled", started=True)
        # The text of an agent that is loaded already is read only when it is loaded anew.
        self._launchctl("bootout", self._target)
        if not self._launchctl("bootstrap", self._domain, str(self.path)):
            by_hand = shell_line("launchctl", "bootstrap", self._domain, str(self.path))
            return Change(
                "written", hints=("launchd did not take it from here; in a session of the user, run:", by_hand)
            )
        return Change("enabled", started=True, hints=("it runs while you are logged in",))

    def disable(self) -> Change:
        if not os.path.lexists(self.path):
            return Change("not_enabled")
        is_told = self._launchctl("bootout", self._target) or not self._launchctl("print", self._target)
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        return Change("disabled", hints=() if is_told else (shell_line("launchctl", "bootout", self._target),))

    def halt(self) -> bool:
        # It is started again only after a failure; for one that was killed, that is now.
        return self._launchctl("bootout", self._target)

    def is_enabled(self) -> bool:
        return self.path.exists()

    def runs(self, pid: int) -> bool | None:
        return None

    @property
    def _domain(self) -> str:
        return f"gui/{os.getuid()}"

    @property
    def _target(self) -> str:
        return f"{self._domain}/{self.name}"

    def _has(self, text: str) -> bool:
        try:
            return self.path.read_text(encoding="utf-8") == text
        except (OSError, ValueError):
            return False

    def _launchctl(self, *arguments: str) -> bool:
        done = run_quietly("launchctl", *arguments, environment=self.environment, within_s=_ANSWERS_WITHIN_S)
        return done is not None and done.returncode == 0


def plist(label: str, definition: Definition) -> str:
    """Write the property list. Raises ``UsageError`` for a path that XML cannot hold."""
    log = str(StorePaths(definition.home).worker_log)
    content = {
        "Label": label,
        "ProgramArguments": list(definition.command),
        "EnvironmentVariables": {"AERJOB_HOME": str(definition.home)},
        "RunAtLoad": True,
        # An ordered stop ends with 0 and is for good; anything else is not.
        "KeepAlive": {"SuccessfulExit": False},
        "ExitTimeOut": round(definition.drain_grace_s + _STOP_SLACK_S),
        # The worker rotates it, and keeps its own output in it.
        "StandardOutPath": log,
        "StandardErrorPath": log,
        "Umask": _PRIVATE_UMASK,
    }
    try:
        return plistlib.dumps(content).decode()
    except (ValueError, UnicodeEncodeError):
        raise UsageError(f"the path {str(definition.home)!r} cannot be written in XML; move the folder") from None
