"""The right to begin a job that was sent ahead: a number in a pipe, which whoever reads it first has.

A worker sends an executor jobs before it has ended those that it runs, so that it never waits for the next one. With
each job goes a number into a pipe of which both have the reading end. The executor takes the number before it begins
the job. The worker takes back what is left there when the jobs ahead turn out to be long; the kernel sees to it that a
number goes to one of the two. Nothing here blocks.
"""

from __future__ import annotations

import os
import struct
from collections import deque

_NUMBER = struct.Struct("!I")
_READ_AT_ONCE = 64 * 1024 // _NUMBER.size * _NUMBER.size


class Grants:
    """The worker's end. ``reading`` is the descriptor that an executor gets as well."""

    def __init__(self) -> None:
        """Make the pipe; raises ``OSError``."""
        self.reading, self._writing = os.pipe()
        for end in (self.reading, self._writing):
            os.set_blocking(end, False)
        self._last = 0
        self._tickets: dict[int, str] = {}
        self._numbers: dict[str, int] = {}

    def grant(self, ticket: str) -> int:
        """Allow a job to be begun, and give its number. Raises ``OSError`` when far too many are waiting."""
        number = self._last + 1
        os.write(self._writing, _NUMBER.pack(number))
        self._last = number
        self._tickets[number] = ticket
        self._numbers[ticket] = number
        return number

    def withdraw(self) -> frozenset[str]:
        """Take back all that has not been begun, and give the tickets: they never will be."""
        tickets = frozenset(self._tickets[number] for number in _read(self.reading, _READ_AT_ONCE))
        for ticket in tickets:
            self.forget(ticket)
        return tickets

    def forget(self, ticket: str) -> None:
        """Drop what is kept of a job that has ended."""
        number = self._numbers.pop(ticket, None)
        if number is not None:
            del self._tickets[number]

    def close(self) -> None:
        os.close(self.reading)
        os.close(self._writing)


class Permits:
    """The executor's end."""

    def __init__(self, reading: int) -> None:
        self._reading = reading
        self._taken: deque[int] = deque()

    def take(self, numbers: list[int]) -> list[bool]:
        """Tell for each of the numbers, which are the next ones that were sent, whether its job may be begun."""
        missing = [number for number in numbers if number not in self._taken]
        if missing:
            self._taken.extend(_read(self._reading, len(missing) * _NUMBER.size))
        allowed = [number in self._taken for number in numbers]
        # What is before them was sent before them, and is decided.
        while self._taken and self._taken[0] <= numbers[-1]:
            self._taken.popleft()
        return allowed


def _read(descriptor: int, size_bytes: int) -> list[int]:
    try:
        data = os.read(descriptor, size_bytes)
    except BlockingIOError:
        return []
    return [number for (number,) in _NUMBER.iter_unpack(data)]
