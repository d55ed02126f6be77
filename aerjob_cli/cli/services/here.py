"""Which service manager there is on this system."""

from __future__ import annotations

import sys
from pathlib import Path

from aerjob_cli.cli.services.service import Service


def service_of(home: Path) -> Service:
    """Give the service of a store, whether it has been enabled or not."""
    if sys.platform == "darwin":
        from aerjob_cli.cli.services.launchd import LaunchAgent

        return LaunchAgent.of(home)
    from aerjob_cli.cli.services.systemd import SystemdUnit

    return SystemdUnit.of(home)
