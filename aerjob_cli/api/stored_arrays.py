"""The arrays of a stored result, read when they are asked for."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from aerjob_cli.settings import StorePaths
from aerjob_cli.store import large_objects, objects
from aerjob_cli.store.records import Payload

# Gives the payload of an array for as long as it is being read, and tells of a job that is deleted meanwhile.
Finding = Callable[[], AbstractContextManager[Payload]]


@dataclass(frozen=True)
class StoredArray:
    """An array of a result, as ``.npy``; its bytes are read when they are asked for.

    Reading raises ``PayloadDamaged``, or ``JobNotFound`` for a deleted job.
    """

    name: str
    size_bytes: int
    sha256: str
    _paths: StorePaths = field(repr=False, compare=False)
    _found: Finding = field(repr=False, compare=False)

    def load(self) -> bytes:
        """Read all bytes and verify their checksum."""
        with self._found() as payload:
            return objects.load(self._paths, payload)

    def load_apart(self) -> bytes | mmap.mmap:
        """Read all bytes and verify their checksum; a large array's are in memory that an array can lie in."""
        with self._found() as payload:
            return large_objects.load_apart(self._paths, payload)

    def parts(self, *, verified_first: bool) -> Generator[bytes]:
        """Read the bytes in parts, never all at once; a checksum that is not theirs is told at the end, or first.

        To know first means to read twice.
        """
        with self._found() as payload:
            yield from large_objects.parts(self._paths, payload, verified_first=verified_first)
