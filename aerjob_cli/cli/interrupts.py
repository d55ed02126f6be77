"""SIGINT, SIGTERM and SIGHUP as an exception, which a short piece of work may put off."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

from aerjob_cli.errors import Stopped, StoppedByHangUp, StoppedByInterrupt, StoppedByTermination

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_ERRORS: dict[int, type[Stopped]] = {
    signal.SIGINT: StoppedByInterrupt,
    signal.SIGTERM: StoppedByTermination,
    signal.SIGHUP: StoppedByHangUp,
}
# Long enough for a destructor to end, and nothing to a person. During an import it is asked again and again.
_ONCE_MORE_AFTER_S = 0.001


class Interrupted(BaseException):
    """A signal asked this process to stop. No error: nothing that handles errors may swallow it."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number.name)
        self.signal = number

    def as_error(self) -> Stopped:
        """Give the sentence and the exit code of it."""
        return _ERRORS[self.signal](only_looked=_INTERRUPTS.only_looking)


class _Interrupts:
    """Whether a signal may be raised now, and the one that could not be."""

    def __init__(self) -> None:
        self.only_looking = False
        self.is_over = False
        self._is_put_off = False
        self._noted: signal.Signals | None = None
        self._late: signal.Signals | None = None

    def receive(self, number: int, frame: FrameType | None) -> None:
        received = signal.Signals(number)
        if self.is_over:
            # Nobody is there to hear of it any more.
            signal.signal(received, signal.SIG_DFL)
            os.kill(os.getpid(), received)
        if self._is_put_off and self._noted is None:
            self._noted = received
            return
        if self._late is None and _is_importing(frame):
            self._raise_later(received)
            return
        raise Interrupted(received)

    @contextmanager
    def put_off(self) -> Iterator[None]:
        self._is_put_off, self._noted = True, None
        try:
            yield
        finally:
            self._is_put_off = False
        if self._noted is not None:
            raise Interrupted(self._noted)

    def tell_of_unraisable(self, unraisable: UnraisableHookArgs) -> None:
        """Be the hook for what was raised where nothing can be: in a destructor or a callback of the collector.

        A signal that came just then is raised once more a moment later; anything else is told of as always.
        """
        if not isinstance(unraisable.exc_value, Interrupted):
            sys.__unraisablehook__(unraisable)
            return
        self._raise_later(unraisable.exc_value.signal)

    def _raise_later(self, number: signal.Signals) -> None:
        self._late = number
        signal.signal(signal.SIGALRM, self._raise_late)
        signal.setitimer(signal.ITIMER_REAL, _ONCE_MORE_AFTER_S)

    def _raise_late(self, number: int, frame: FrameType | None) -> None:
        late, self._late = self._late, None
        if late is not None and not self.is_over:
            self.receive(late, frame)


def _is_importing(frame: FrameType | None) -> bool:
    """Tell whether a module is being imported: modules in C do not come out of an exception as they went in.

    NumPy cannot be imported a second time then, and what imports it takes it for missing.
    """
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


_INTERRUPTS = _Interrupts()


@contextmanager
def raised() -> Iterator[None]:
    """Raise ``Interrupted`` for the signals that come during the block; then they have their default effect."""
    taken = []
    _INTERRUPTS.only_looking = _INTERRUPTS.is_over = False
    hook, sys.unraisablehook = sys.unraisablehook, _INTERRUPTS.tell_of_unraisable
    try:
        for number in _ERRORS:
            # What the shell told a background job to ignore, or `nohup`, stays ignored.
            if signal.getsignal(number) is not signal.SIG_IGN:
                taken.append(number)
                signal.signal(number, _INTERRUPTS.receive)
        yield
    finally:
        _INTERRUPTS.is_over = True
        for number in taken:
            signal.signal(number, signal.SIG_DFL)
        sys.unraisablehook = hook


def only_looking() -> None:
    """Declare that this command neither submits jobs nor waits for them, so that there are none to speak of."""
    _INTERRUPTS.only_looking = True


@contextmanager
def put_off() -> Iterator[None]:
    """Let the first signal wait for the end of the block, so that its outcome is known; a second one does not wait."""
    with _INTERRUPTS.put_off():
        yield
