"""SIGINT and SIGTERM as an exception, which a short piece of work may put off."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from aerjob_cli.errors import Stopped, StoppedByInterrupt, StoppedByTermination

_ORDERS_TO_STOP = (signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """A signal asked this process to stop. No error: nothing that handles errors may swallow it."""

    def __init__(self, number: signal.Signals) -> None:
        super().__init__(number.name)
        self.signal = number

    def as_error(self) -> Stopped:
        """Give the sentence and the exit code of it."""
        error = StoppedByInterrupt if self.signal is signal.SIGINT else StoppedByTermination
        return error(only_looked=_INTERRUPTS.only_looking)


class _Interrupts:
    """Whether a signal may be raised now, and the one that could not be."""

    def __init__(self) -> None:
        self.only_looking = False
        self._is_put_off = False
        self._noted: signal.Signals | None = None

    def receive(self, number: int, frame: FrameType | None) -> None:
        received = signal.Signals(number)
        if self._is_put_off and self._noted is None:
            self._noted = received
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


_INTERRUPTS = _Interrupts()


@contextmanager
def raised() -> Iterator[None]:
    """Raise ``Interrupted`` for the signals that come during the block; then they have their default effect."""
    taken = []
    _INTERRUPTS.only_looking = False
    for number in _ORDERS_TO_STOP:
        # What the shell told a background job to ignore stays ignored.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _INTERRUPTS.receive)
            taken.append(number)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


def only_looking() -> None:
    """Declare that this command neither submits jobs nor waits for them, so that there are none to speak of."""
    _INTERRUPTS.only_looking = True


@contextmanager
def put_off() -> Iterator[None]:
    """Let the first signal wait for the end of the block, so that its outcome is known; a second one does not wait."""
    with _INTERRUPTS.put_off():
        yield
