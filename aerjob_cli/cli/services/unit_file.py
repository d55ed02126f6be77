"""A systemd unit as text, by the rules of systemd.syntax(7), systemd.unit(5) and systemd.service(5). Nothing is run."""

from __future__ import annotations

import shlex

from aerjob_cli.cli.cleaning import clean
from aerjob_cli.cli.services.service import Definition
from aerjob_cli.errors import UsageError

# Beyond the grace: to kill what is left, to write what came of it, to end Python.
_STOP_SLACK_S = 15.0
# Usage is as wrong the second time.
_NOT_AGAIN = 2
# SIGTERM while it still waits for another worker, before there is anything to drain.
_TERMINATED = 143
_RESTART_AFTER_S = 5
_STARTS_AT_MOST = 20
_STARTS_WITHIN_S = 600
# systemd refuses these in the path of a program, however they are written.
_NOT_IN_A_PROGRAM = frozenset("'\"\\$")


def unit_text(definition: Definition) -> str:
    """Write the unit. Raises ``UsageError`` for a path that is not text in UTF-8."""
    _require_text(str(definition.home), str(definition.python))
    home = clean(str(definition.home)).replace("%", "%%")
    return f"""\
# Written by `aerjob worker enable`, removed by `aerjob worker disable`.
[Unit]
Description=aerjob worker of ({home})
StartLimitIntervalSec={_STARTS_WITHIN_S}
StartLimitBurst={_STARTS_AT_MOST}

[Service]
Type=notify
Environment={_quoted(f"AERJOB_HOME={definition.home}")}
ExecStart={_command_line(definition.command)}
Restart=on-failure
RestartSec={_RESTART_AFTER_S}
RestartPreventExitStatus={_NOT_AGAIN}
SuccessExitStatus={_TERMINATED}
KillMode=mixed
TimeoutStartSec=infinity
TimeoutStopSec={definition.drain_grace_s + _STOP_SLACK_S:.0f}
OOMPolicy=continue

[Install]
WantedBy=default.target
"""


def _command_line(command: tuple[str, ...]) -> str:
    if _NOT_IN_A_PROGRAM.isdisjoint(command[0]) and command[0].isprintable():
        return " ".join(map(_quoted, command))
    return " ".join(_quoted(word).replace("$", "$$") for word in ("/usr/bin/env", *command))


def _quoted(word: str) -> str:
    """Write a word so that it is read as it is; bare where nothing in it could be misread."""
    if shlex.quote(word) == word and "%" not in word:
        return word
    escaped = "".join(_escaped(character) for character in word)
    return f'"{escaped}"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character == "%":
        return "%%"
    if character.isprintable() or character == " ":
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode())


def _require_text(*paths: str) -> None:
    for path in paths:
        try:
            path.encode()
        except UnicodeEncodeError:
            raise UsageError(f"the path {path!r} is not text in UTF-8, which a unit must be; move the folder") from None
