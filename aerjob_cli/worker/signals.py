"""Signals only leave a note; the loop reads it. The first asks to drain, the second to stop at once.

As the first process of a container the worker is also the one that orphans are given to, and buries them.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from selectors import EVENT_READ, BaseSelector
from types import FrameType

_ORDERS_TO_STOP = (signal.SIGTERM, signal.SIGINT)
_FIRST_PROCESS = 1


@dataclass
class Signals:
    """The notes. ``stops`` counts the orders to stop."""

    stops: int = 0
    # Who hears of each process that was buried: its pid and its status, as wait(2) has it.
    tells_of_buried: Callable[[int, int], None] | None = None
    _buries: bool = field(default_factory=lambda: os.getpid() == _FIRST_PROCESS)
    _woken: socket.socket = field(init=False)
    _wakes: socket.socket = field(init=False)

    def install(self, selector: BaseSelector, *, foreground: bool) -> None:
        """Take over the signals of this process and have them wake ``selector``."""
        self._woken, self._wakes = socket.socketpair()
        self._woken.setblocking(False)
        self._wakes.setblocking(False)
        signal.set_wakeup_fd(self._wakes.fileno(), warn_on_full_buffer=False)
        selector.register(self._woken, EVENT_READ, self._drain_wakeups)
        for number in _ORDERS_TO_STOP:
            signal.signal(number, self._note_stop)
        # A detached worker outlives its terminal; one in the foreground of a closed terminal drains.
        signal.signal(signal.SIGHUP, self._note_stop if foreground else signal.SIG_IGN)
        if self._buries:
            signal.signal(signal.SIGCHLD, lambda *_: None)

    def let_go(self) -> None:
        """Wake nobody any more: what was woken is about to be closed, which Python would complain about."""
        signal.set_wakeup_fd(-1)

    def _note_stop(self, number: int, frame: FrameType | None) -> None:
        self.stops += 1

    def _drain_wakeups(self) -> None:
        self._woken.recv(4096)
        if self._buries:
            _bury_all(self.tells_of_buried)


def _bury_all(tell: Callable[[int, int], None] | None) -> None:
    # The template may be among them: `subprocess` takes a child that is gone for one that has ended.
    try:
        while (gone := os.waitpid(-1, os.WNOHANG)) != (0, 0):
            if tell is not None:
                tell(*gone)
    except ChildProcessError:
        pass
