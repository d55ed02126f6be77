"""What an executor tells of some results in one message: each result, its arrays, and where the bytes of them are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qiskit.result.models import ExperimentResult

from aerjob_cli.codec import envelope
from aerjob_cli.codec.arrays import Array, encode_npy, npy_parts
from aerjob_cli.codec.pub_results import encode_pub_result
from aerjob_cli.codec.results import EncodedExperiment, encode_experiment
from aerjob_cli.engines.base import Engine, ExperimentRun
from aerjob_cli.executors import messages
from aerjob_cli.executors.incoming import write_incoming
from aerjob_cli.executors.messages import CHUNK_BODY_BYTES, CHUNK_FILES, Outcome, Piece
from aerjob_cli.settings import INLINE_LIMIT_BYTES

# More than the header of an array has.
_HEADER_BYTES = 4096


class Letter:
    """A message being filled. Small pieces go into its body, large ones into files of the folder ``incoming``.

    ``peak_rss_bytes`` is the memory that the experiments of the message took together.
    """

    def __init__(self, incoming: Path, *, peak_rss_bytes: int | None = None) -> None:
        self._incoming = incoming
        self._peak_rss_bytes = peak_rss_bytes
        self._size_bytes = 0
        self._files = 0
        self.outcomes: list[Outcome] = []
        self.bodies: list[bytes] = []

    @property
    def is_full(self) -> bool:
        return self._size_bytes >= CHUNK_BODY_BYTES or self._files >= CHUNK_FILES

    def add(self, run: ExperimentRun) -> None:
        """Add the result of one experiment, or nothing of it; raises ``ResultNotStorable`` or ``OSError``."""
        encoded = _encoded(run)
        pieces: list[Piece] = []
        try:
            pieces.append(self._bytes(run.name, encoded.format, encoded.data))
            pieces.extend(self._array(name, array) for name, array in encoded.arrays)
        except BaseException:
            # A full disk is no better for drafts that nobody will fetch.
            for draft in (piece.path for piece in pieces if piece.path is not None):
                Path(draft).unlink(missing_ok=True)
            raise
        result, *arrays = pieces
        self.outcomes.append(
            Outcome(
                **vars(result),
                index=run.index,
                shots=run.shots,
                seed=run.seed,
                method=run.method,
                threads=run.threads,
                time_taken_s=run.time_taken_s,
                peak_rss_bytes=self._peak_rss_bytes,
                arrays=tuple(arrays),
            )
        )

    def _array(self, name: str, array: Array) -> Piece:
        if array.nbytes > INLINE_LIMIT_BYTES - _HEADER_BYTES:
            draft = write_incoming(self._incoming, npy_parts(array))
            return self._file(name, envelope.NPY, draft.path, draft.sha256, draft.size_bytes)
        return self._bytes(name, envelope.NPY, encode_npy(array))

    def _bytes(self, name: str, format: str, data: bytes) -> Piece:
        if len(data) > INLINE_LIMIT_BYTES:
            draft = write_incoming(self._incoming, [data])
            return self._file(name, format, draft.path, draft.sha256, draft.size_bytes)
        offset = self._size_bytes
        self.bodies.append(data)
        self._size_bytes += len(data)
        return Piece(name=name, format=format, sha256=envelope.sha256_hex(data), size_bytes=len(data), offset=offset)

    def _file(self, name: str, format: str, path: Path, sha256: str, size_bytes: int) -> Piece:
        self._files += 1
        return Piece(name=name, format=format, sha256=sha256, size_bytes=size_bytes, path=str(path))


def _encoded(run: ExperimentRun) -> EncodedExperiment:
    if isinstance(run.result, ExperimentResult):
        return encode_experiment(run.result)
    return encode_pub_result(run.result, name=run.name, shots=run.shots, seed=run.seed)


def end_of(engine: Engine, took_s: float) -> dict[str, Any]:
    """Say of a job that it has ended: how long it took here, and what ran it."""
    return {"took_s": took_s, "engine": engine.version}


def told(ticket: Any, letter: Letter, end: dict[str, Any] | None = None) -> bytes:
    """Make the message of some results; the last ones tell of the end as well, so that both are written at once."""
    if end is None and not letter.outcomes:
        return b""
    header = {"kind": "chunk" if end is None else "done", "ticket": ticket, "experiments": letter.outcomes}
    return messages.encode(header | (end or {}), letter.bodies)
