"""Giving the stored result of a job to a new one that was asked for the same.

The new job gets rows of its own, so that it keeps its result when the earlier one is deleted; files of large results
are shared. It is final with the commit that takes it in: nobody claims it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from aerjob_cli.codec.envelope import sha256_hex
from aerjob_cli.frozen import dataclass
from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store import runtimes
from aerjob_cli.store.events import note
from aerjob_cli.store.objects import object_size
from aerjob_cli.store.prepared import prepared
from aerjob_cli.store.records import Reuse

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aerjob_cli.store.statements import reuse as statements
else:
    statements = prepared("reuse")

# Of jobs that were asked for the same. The last ones ran with the versions that are there, or none did.
_CANDIDATES_LOOKED_AT = 10
_ALL = {"first": 0, "last": 2**31 - 1}
_TOKEN = "reuse"  # noqa: S105 - of a claim that ends with the transaction


@dataclass(frozen=True, slots=True)
class Candidate:
    """A job that is DONE and was asked for the same; ``runtimes`` are the facts of all that its experiments ran with.

    ``runtimes`` is None where nobody told what one of them ran with.
    """

    job_seq: int
    job_id: str
    engine: str | None
    runtimes: tuple[Mapping[str, str], ...] | None


def candidates(tx: Connection, result_key: str) -> Iterator[Candidate]:
    """Give the jobs with that key whose results are all stored, the last one first; some, where there are many."""
    for row in tx.execute(statements.DONE_WITH_KEY, {"key": result_key, "limit": _CANDIDATES_LOOKED_AT}).all():
        found = tx.execute(statements.RUNTIMES_OF, {"seq": row.seq}).all()
        if sum(total for _, total in found) != row.experiments_total:
            continue
        ids = [runtime_id for runtime_id, _ in found if runtime_id is not None]
        known = runtimes.known_of(tx, ids)
        is_known = len(ids) == len(found) and all(runtime_id in known for runtime_id in ids)
        facts = tuple(item.facts for item in known.values()) if is_known else None
        yield Candidate(row.seq, row.job_id, row.engine, facts)


def is_sound(tx: Connection, paths: StorePaths, candidate: Candidate) -> bool:
    """Tell whether all bytes of a result have their checksums, and large ones, verified when they are read, a file."""
    return all(
        object_size(paths, sha256) == size_bytes if data is None else sha256_hex(data) == sha256
        for stored in (statements.RESULTS_OF, statements.ARRAYS_OF)
        for sha256, size_bytes, data in tx.execute(stored, {"seq": candidate.job_seq})
    )


def is_there(tx: Connection, paths: StorePaths, reuse: Reuse) -> bool:
    """Tell whether the result that is wanted is still there, with all its files.

    For the transaction that will refer to the files: after it nobody removes them.
    """
    seq = tx.execute(statements.STILL_DONE, {"job_id": reuse.job_id}).scalar()
    return seq is not None and all(
        object_size(paths, sha256) is not None
        for files in (statements.RESULT_FILES, statements.ARRAY_FILES)
        for sha256 in tx.execute(files, {"seq": seq}).scalars()
    )


def give_result(tx: Connection, job_seq: int, reuse: Reuse, *, now_us: int) -> None:
    """Make a job that was just taken in DONE, with the result of another one, which ``is_there``."""
    source_seq = tx.execute(statements.STILL_DONE, {"job_id": reuse.job_id}).scalar()
    both = {"new_seq": job_seq, "source_seq": source_seq}
    tx.execute(statements.BEGIN, {"new_seq": job_seq, "token": _TOKEN})
    if reuse.names is None:
        tx.execute(statements.COPY_EXPERIMENTS, {**both, **_ALL})
    else:
        named = enumerate(reuse.names)
        tx.execute(
            statements.COPY_NAMED_EXPERIMENT,
            [{**both, "first": place, "last": place, "new_name": name} for place, name in named],
        )
    tx.execute(statements.COPY_ARRAYS, {**both, **_ALL})
    # Whence it came at first, which may be gone.
    original = tx.execute(statements.END, {**both, "token": _TOKEN}).scalar()
    why = f"submitted; the result of job {original} was reused"
    note(tx, [job_seq], at_us=now_us, source=None, target=Status.DONE, why=why)
