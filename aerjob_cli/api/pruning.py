"""Retention: letting go of what old jobs take room for, whole or in part, and never of what others still need."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from aerjob_cli.api.matched import Matched
from aerjob_cli.errors import AerjobError
from aerjob_cli.states import Part
from aerjob_cli.store import deletions, dependencies, prunings
from aerjob_cli.store.database import Store
from aerjob_cli.store.garbage import remove_unreferenced
from aerjob_cli.store.listing import still_fitting

if TYPE_CHECKING:
    from sqlalchemy import Connection


def prunable(store: Store, matched: Matched) -> list[int]:
    """Give the numbers of the jobs of which something would be removed now: none for which a pending one waits."""
    with store.reading_directly() as tx:
        return _prunable(tx, matched)


def size_of(store: Store, seqs: Sequence[int], parts: Sequence[Part]) -> int:
    """Give how many bytes of circuits and results these jobs have; files shared with others are counted, too."""
    with store.reading_directly() as tx:
        return sum(prunings.size_of(tx, seqs, part) for part in parts)


def prune(store: Store, matched: Matched, parts: Sequence[Part]) -> tuple[list[int], int]:
    """Remove results, circuits or both, or, without ``parts``, whole jobs.

    Give the numbers of the jobs, and how many bytes of files that frees.
    """
    with store.writing_directly() as tx:
        seqs = _prunable(tx, matched)
        large = deletions.objects_of(tx, seqs)
        for part in parts:
            prunings.prune(tx, seqs, part, now_us=store.now_us())
        if not parts:
            deletions.delete_final(tx, seqs)
    # Files that stay behind are waste, which harms nobody and is swept up another time.
    with contextlib.suppress(OSError, AerjobError):
        if large:
            return seqs, remove_unreferenced(store, large)
    return seqs, 0


def _prunable(tx: Connection, matched: Matched) -> list[int]:
    # Numbers only: of a hundred thousand jobs, all that is known of them would take ten seconds to read.
    seqs = still_fitting(tx, matched.wanted, matched.seqs)
    awaited = dependencies.awaited_of(tx, seqs)
    return [seq for seq in seqs if seq not in awaited]
