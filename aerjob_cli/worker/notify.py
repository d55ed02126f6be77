"""Telling a service manager how the worker is: the protocol of sd_notify(3), silent where nobody listens."""

from __future__ import annotations

import contextlib
import os
import socket

_VARIABLE = "NOTIFY_SOCKET"


class Manager:
    """Who started the worker and wants to know when it is ready, if anybody does."""

    def __init__(self, address: str | None) -> None:
        # Of the forms that systemd uses, a path and a name in the abstract namespace are for processes of this host.
        self._address = address if address is not None and address[:1] in ("/", "@") else None

    @classmethod
    def of_this_process(cls) -> Manager:
        """Take the address from the environment, so that no process which the worker starts speaks for it."""
        return cls(os.environ.pop(_VARIABLE, None))

    def waiting(self) -> None:
        """Say that another worker has the store still."""
        self._tell("STATUS=waiting for another worker to end")

    def ready(self, slots: int) -> None:
        """Say that jobs are taken from now on."""
        self._tell("READY=1", f"STATUS=taking jobs, {slots} at a time")

    def stopping(self, jobs: int) -> None:
        """Say that no more jobs are taken, and how many are still running."""
        self._tell("STOPPING=1", f"STATUS=stopping, {jobs} jobs are running")

    def _tell(self, *lines: str) -> None:
        if self._address is None:
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams:
            datagrams.setblocking(False)
            datagrams.sendto("\n".join(lines).encode(), address)
