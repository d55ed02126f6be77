"""Is the store sound, and can it be written now?"""

from __future__ import annotations

import os
from collections.abc import Iterator

from aerjob_cli.cli.checkup.finding import Finding, Part, good, wrong
from aerjob_cli.cli.plurals import count_of
from aerjob_cli.cli.sizes import show_size
from aerjob_cli.errors import StoreBusy, StoreUnusable
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.database import Store
from aerjob_cli.store.inspection import inspect_store
from aerjob_cli.store.inventory import object_files

# No transaction of aerjob's takes this long.
_WRITERS_TAKE_AT_MOST_S = 5.0
# More are counted, and `store check` lists them.
_PROBLEMS_NAMED = 3


def examine(paths: StorePaths) -> Iterator[Finding]:
    """Look at the schema, the guards, the references and the write lock; checksums are left to `store check`."""
    if not os.path.lexists(paths.database):
        yield from _absence(paths)
        return
    try:
        store = Store.open(paths, busy_timeout_s=_WRITERS_TAKE_AT_MOST_S)
    except StoreUnusable as error:
        yield wrong("store", error.message, None, Part.STORE)
        return
    try:
        yield from _soundness(paths)
        yield _write_lock(store)
    finally:
        store.close()


def _absence(paths: StorePaths) -> Iterator[Finding]:
    """Tell of a database that was there: without it the next command makes an empty one."""
    if os.path.lexists(paths.worker_log) or next(object_files(paths), None) is not None:
        fact = f"{paths.database} is not there, and jobs have run in this folder"
        yield wrong("store", fact, "restore it from a backup before anything else makes an empty one", Part.STORE)


def _soundness(paths: StorePaths) -> Iterator[Finding]:
    try:
        findings = inspect_store(paths, quick=True)
    except StoreUnusable as error:
        yield wrong("store", error.message, None, Part.STORE)
        return
    for problem in findings.problems[:_PROBLEMS_NAMED]:
        yield wrong("store", problem.message, "`aerjob store check` tells more", Part.STORE)
    if findings.problems_total > _PROBLEMS_NAMED:
        more = findings.problems_total - _PROBLEMS_NAMED
        yield wrong("store", f"and {count_of(more, 'more problem')}", "`aerjob store check` lists them", Part.STORE)
    if findings.is_sound:
        waste = f"; {show_size(findings.unreferenced_bytes)} of it waste" if findings.unreferenced else ""
        objects = f"{count_of(findings.objects, 'object file')}, {show_size(findings.objects_bytes)}{waste}"
        yield good("store", f"sound, {objects} (checksums: `aerjob store check`)")


def _write_lock(store: Store) -> Finding:
    try:
        with store.writing_directly():
            pass
    except StoreBusy:
        fact = f"another process has kept everybody from writing for {_WRITERS_TAKE_AT_MOST_S:g} s"
        return wrong(
            "write lock", fact, f"see who has {store.paths.database} open, for example with `fuser`", Part.STORE
        )
    except StoreUnusable as error:
        return wrong("write lock", error.message, None, Part.STORE)
    return good("write lock", "free")
