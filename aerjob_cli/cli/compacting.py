"""Giving the room of what was removed back to the disk at the end of a command, and what there is to say about it."""

from __future__ import annotations

from aerjob_cli.cli.sizes import show_size
from aerjob_cli.errors import StoreUnusable
from aerjob_cli.store.compaction import compact
from aerjob_cli.store.database import Store


def compacted(store: Store) -> tuple[int, tuple[str, ...]]:
    """Write the database anew where that is worth it; give how many bytes that frees, and why it frees no more.

    Where it cannot be, that is said and no error: what was removed is, and that it takes room still harms nobody.
    """
    try:
        done = compact(store)
    except StoreUnusable as error:
        return 0, (f"the database stays as large as it is, since it could not be written anew: {error.message}",)
    if done.left_bytes:
        return done.freed_bytes, (
            f"the database keeps {show_size(done.left_bytes)} of free room, since writing it anew would keep the "
            "worker from writing; `aerjob worker stop`, then `aerjob store clean`, gives it back",
        )
    if not done.is_over:
        return done.freed_bytes, (
            "somebody reads what was there before, so the disk has the room when that is over; "
            "`aerjob store clean` sees to it",
        )
    return done.freed_bytes, ()
