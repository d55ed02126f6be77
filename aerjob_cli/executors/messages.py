"""What travels over the socket between a worker and an executor.

A frame is two lengths (header: 4 bytes, body: 8 bytes, big endian), a JSON header and raw bytes. The header is always
an object with a ``kind``; bytes that belong to it lie in the body, at the offsets that it gives. There is no pickle:
an executor has parsed what strangers wrote, so the worker believes nothing of it but this form.

worker → executor
    {"kind": "validate", "ticket", "number", "job": JobSpec, "sources": [Source…]}
    {"kind": "run", "ticket", "number", "job": JobSpec, "sources": [Source…], "missing": [[start, stop]…],
     "incoming": folder, "shares"}
    An executor may be sent several, ahead of time. It begins one when it has taken its number (see `grants`), and
    drops it when that is gone. "shares" is how many experiments the job has if it may run in one call with others
    (see `sharing`), or 0.
executor → worker
    {"kind": "ready", "rss_bytes", "runtime"}    what the libraries alone take; names and versions, see `runtime`
    {"kind": "accepted", "ticket", "took_s", "experiments_total", "threads", "estimated_bytes"}
    {"kind": "chunk", "ticket", "experiments": [Outcome…]}            their bytes in the body or in drafts of objects
    {"kind": "done", "ticket", "experiments": [Outcome…], "took_s", "engine"}
    The last results and the end: seconds that the job took here, its part of a shared call.
    {"kind": "failed", "ticket", "reason", "message", "line", "column"}    also the refusal of a validation
    {"kind": "not_stored", "ticket", "message"}    the disk did not take a result, which is no fault of the job's
    After the last two of a run the executor ends: it has begun nothing more by then.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from aerjob_cli.codec.jobspec import JobSpec as JobSpec

_LENGTHS = struct.Struct("!IQ")
HEADER_LIMIT_BYTES = 64 * 1024 * 1024
BODY_LIMIT_BYTES = 1024 * 1024 * 1024
# What an executor says about results of more bytes than this, or in more files, it says in several messages: the
# worker holds them in memory until they are committed, and names the files while everything else waits.
CHUNK_BODY_BYTES = 4 * 1024 * 1024
CHUNK_FILES = 8


class MessageError(Exception):
    """The other side sent what is not a message."""


@dataclass(frozen=True)
class Source:
    """One payload of circuits: its format, checksum and place (``offset`` in the body, or ``path`` of an object)."""

    format: str
    sha256: str
    size_bytes: int
    name: str
    offset: int | None = None
    path: str | None = None


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Bytes to be stored: their format, checksum and place (``offset`` in the body, or ``path`` of a draft)."""

    name: str
    format: str
    sha256: str
    size_bytes: int
    offset: int | None = None
    path: str | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome(Piece):
    """One experiment's result, what the store shows without reading it, and the arrays that it refers to by name.

    How it was run is no part of the result, since that must be the same each time; see ``records.RunFacts``.
    """

    index: int
    shots: int
    seed: int | None
    method: str | None = None
    threads: int | None = None
    time_taken_s: float | None = None
    peak_rss_bytes: int | None = None
    arrays: tuple[Piece, ...] = ()


@dataclass(frozen=True)
class Message:
    """A header and the bytes that belong to it."""

    header: dict[str, Any]
    body: bytes = b""

    @property
    def kind(self) -> str:
        return str(self.header["kind"])


def encode(header: dict[str, Any], bodies: Sequence[bytes] = ()) -> bytes:
    """Make a frame of a header and of byte strings laid one after the other."""
    # ``vars`` and not ``asdict``, which copies all that is in it.
    head = json.dumps(header, default=vars, separators=(",", ":")).encode()
    body = b"".join(bodies)
    return b"".join((_LENGTHS.pack(len(head), len(body)), head, body))


@dataclass
class Reassembly:
    """Frames put together again from whatever pieces a socket gave."""

    _pieces: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> None:
        self._pieces += data

    def messages(self) -> Iterator[Message]:
        """Take out each whole message that has arrived; raises ``MessageError`` for what is none."""
        while (message := self._take()) is not None:
            yield message

    def _take(self) -> Message | None:
        buffer = self._pieces
        if len(buffer) < _LENGTHS.size:
            return None
        head_bytes, body_bytes = _LENGTHS.unpack_from(buffer)
        if head_bytes > HEADER_LIMIT_BYTES or body_bytes > BODY_LIMIT_BYTES:
            raise MessageError(f"a frame announces {head_bytes} + {body_bytes} bytes")
        end = _LENGTHS.size + head_bytes + body_bytes
        if len(buffer) < end:
            return None
        body_start = _LENGTHS.size + head_bytes
        head, body = bytes(buffer[_LENGTHS.size : body_start]), bytes(buffer[body_start:end])
        del buffer[:end]
        return Message(_header(head), body)


def _header(data: bytes) -> dict[str, Any]:
    try:
        header = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise MessageError(f"a header is not JSON: {error}") from None
    if not isinstance(header, dict) or not isinstance(header.get("kind"), str):
        raise MessageError("a header has no kind")
    return header
