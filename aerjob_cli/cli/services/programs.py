"""Calling the programs of service managers: never a shell, never without an end."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping


def run_quietly(
    *command: str, environment: Mapping[str, str], within_s: float
) -> subprocess.CompletedProcess[str] | None:
    """Run a program to its end and keep what it prints; None when it is not there or takes too long."""
    try:
        return subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=within_s,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def shell_line(*command: str) -> str:
    """Write a command as somebody would type it."""
    return shlex.join(command)
