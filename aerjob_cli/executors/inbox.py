"""What an executor is sent: messages ahead of time, of which it takes those that it may begin."""

from __future__ import annotations

import contextlib
import socket
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice

from aerjob_cli.executors.grants import Permits
from aerjob_cli.executors.messages import Message, MessageError, Reassembly
from aerjob_cli.executors.sharing import JOBS_PER_CALL, sharing

_READ_AT_ONCE = 1 << 20


class Inbox:
    """The executor's side of the conversation."""

    def __init__(
        self, connection: socket.socket, permits: Permits, *, may_share: Callable[[Message], bool] = lambda _: True
    ) -> None:
        """``may_share`` tells of a job that was just begun whether it may run in one call with others."""
        self._connection = connection
        self._permits = permits
        self._may_share = may_share
        self._reassembly = Reassembly()
        self._waiting: deque[Message] = deque()
        self._apart: Message | None = None
        self._is_open = True

    def tasks(self) -> Iterator[list[Message]]:
        """Give one message after the other, or several that share a call, until the worker closes the connection.

        Blocks for the next one. A message that was withdrawn meanwhile is dropped. Raises ``MessageError``.
        """
        while self._receive():
            together = self._begun_together(sharing(list(islice(self._waiting, JOBS_PER_CALL))))
            if together:
                yield together
            if self._apart is not None:
                apart, self._apart = self._apart, None
                yield [apart]

    def _begun_together(self, count: int) -> list[Message]:
        """Begin the next jobs, up to ``count`` that may share a call; one that may not is ``apart`` then."""
        if count == 1:
            message = self._begin()
            return [] if message is None else [message]
        begun: list[Message] = []
        for _ in range(count):
            message = self._begin()
            # What comes behind one that was withdrawn does not follow on those before it.
            if message is None:
                break
            if not self._may_share(message):
                self._apart = message
                break
            begun.append(message)
        return begun

    def _begin(self) -> Message | None:
        message = self._waiting.popleft()
        (is_allowed,) = self._permits.take([_number_of(message)])
        return message if is_allowed else None

    def _receive(self) -> bool:
        """Take in all that has come, or wait for a message where none has; return False when there will be none."""
        with contextlib.suppress(BlockingIOError):
            while self._is_open and self._read(socket.MSG_DONTWAIT):
                pass
        while self._is_open and not self._waiting:
            self._read(0)
        return bool(self._waiting)

    def _read(self, flags: int) -> bool:
        data = self._connection.recv(_READ_AT_ONCE, flags)
        self._is_open = bool(data)
        self._reassembly.feed(data)
        self._waiting.extend(self._reassembly.messages())
        return self._is_open


def _number_of(message: Message) -> int:
    number = message.header.get("number")
    if not isinstance(number, int):
        raise MessageError(f"the worker sent {message.kind!r} without a number")
    return number
