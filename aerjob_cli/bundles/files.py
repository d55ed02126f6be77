"""The files of a job in a bundle, as what is said of the job names them: results, arrays, and what was submitted."""

from __future__ import annotations

import re

from aerjob_cli.bundles.fields import Fields, NotAsItShouldBe
from aerjob_cli.bundles.layout import array_path, result_path
from aerjob_cli.codec.envelope import NPY, RESULT_FORMATS
from aerjob_cli.frozen import dataclass
from aerjob_cli.settings import CIRCUITS_LIMIT
from aerjob_cli.store.records import ArrayRecord, RanExperiment, RunFacts

COUNT_LIMIT = 2**31 - 1
BYTES_LIMIT = 2**60
SECONDS_LIMIT = 2.0**40
MANY = 100_000

_SEED_LIMIT = 2**64 - 1
_ARRAY_NAME = re.compile(r"[A-Za-z0-9_.~-]{1,400}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class FileOfJob:
    """A file of a bundle that a job names, and what it says of it."""

    path: str
    sha256: str
    size_bytes: int


def result_in(fields: Fields, job_id: str, files: list[FileOfJob]) -> RanExperiment:
    """Read what is said of a result; its files are added to ``files``. Raises ``NotAsItShouldBe``."""
    position = fields.whole("position", 0, CIRCUITS_LIMIT - 1)
    file = file_in(fields, result_path(job_id, position), files)
    arrays = []
    for item in fields.objects("arrays", MANY):
        name = item.matching("name", _ARRAY_NAME, "the name of an array")
        array = file_in(item, array_path(job_id, position, name), files)
        arrays.append(ArrayRecord(name, format_in(item, frozenset({NPY})), array.sha256, array.size_bytes))
    return RanExperiment(
        position=position,
        attempt=fields.whole("attempt", 0, COUNT_LIMIT),
        name=fields.text("name", may_be_empty=True),
        shots=fields.whole("shots", 1, COUNT_LIMIT),
        format=format_in(fields, RESULT_FORMATS),
        sha256=file.sha256,
        size_bytes=file.size_bytes,
        runtime_id=fields.optional("runtime_id", fields.text),
        run=RunFacts(
            seed=fields.optional("seed", lambda name: fields.whole(name, 0, _SEED_LIMIT)),
            method=fields.optional("method", fields.text),
            threads=fields.optional("threads", lambda name: fields.whole(name, 0, COUNT_LIMIT)),
            time_taken_s=fields.optional("time_taken_s", lambda name: fields.number(name, 0.0, SECONDS_LIMIT)),
            peak_rss_bytes=fields.optional("peak_rss_bytes", lambda name: fields.whole(name, 0, BYTES_LIMIT)),
        ),
        arrays=tuple(arrays),
    )


def format_in(fields: Fields, known: frozenset[str]) -> str:
    """Read the format of a file; raises ``NotAsItShouldBe`` for one that is not known."""
    format = fields.text("format")
    if format not in known:
        raise NotAsItShouldBe(f"the format {format!r} is not known; there is {', '.join(sorted(known))}")
    return format


def file_in(fields: Fields, path: str, files: list[FileOfJob]) -> FileOfJob:
    """Read what is said of a file, which must be at ``path``; raises ``NotAsItShouldBe``."""
    if fields.text("path") != path:
        raise NotAsItShouldBe(f"path is {fields.text('path')!r} instead of {path!r}")
    sha256 = fields.matching("sha256", _SHA256, "a SHA-256 in hexadecimal digits")
    file = FileOfJob(path, sha256, fields.whole("size_bytes", 0, BYTES_LIMIT))
    files.append(file)
    return file
