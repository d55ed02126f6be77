"""An import that is killed leaves whole jobs, and the same command does the rest."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from aerjob_cli.settings import INLINE_LIMIT_BYTES, JOBS_PER_TRANSACTION, StorePaths
from aerjob_cli.store.database import Store
from aerjob_cli.store.inspection import inspect_store
from tests.support.bundles import digest, refused, write_bundle
from tests.support.command_line import CommandLine
from tests.support.running import until

JOBS = 2 * JOBS_PER_TRANSACTION + 1


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose jobs come in in three transactions, one of each with a file in the object folder."""
    wanted = [refused(number) for number in range(JOBS)]
    for number in range(0, JOBS, JOBS_PER_TRANSACTION):
        told, files = wanted[number]
        large = b"// %d\n" % number * (INLINE_LIMIT_BYTES // 4)
        (path,) = files
        told["circuits"][0].update(digest(large))
        wanted[number] = told, {path: large}
    return write_bundle(tmp_path_factory.mktemp("bundle") / "many.zip", wanted)


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    opened = Store.open(StorePaths(home))
    yield opened
    opened.close()


def imported(store: Store) -> int:
    """Count the jobs that are in."""
    with store.reading() as tx:
        return int(tx.exec_driver_sql("SELECT count(*) FROM jobs").scalar_one())


def require_sound(store: Store) -> None:
    assert inspect_store(store.paths, quick=False, on_checked=lambda _: None).problems == ()


def test_a_killed_import_is_finished_by_the_same_command(aerjob: CommandLine, store: Store, bundle: Path) -> None:
    process = aerjob.start("import", str(bundle))
    until(lambda: imported(store) or None)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = imported(store)
    assert done in (JOBS_PER_TRANSACTION, 2 * JOBS_PER_TRANSACTION, JOBS)
    require_sound(store)

    answer = aerjob.json("import", str(bundle))
    assert (len(answer["job_ids"]), len(answer["skipped"])) == (JOBS - done, done)
    assert imported(store) == JOBS
    require_sound(store)


def test_a_signal_between_two_transactions_tells_what_is_in(aerjob: CommandLine, store: Store, bundle: Path) -> None:
    process = aerjob.start("import", str(bundle), "--json")
    until(lambda: imported(store) or None)
    process.send_signal(signal.SIGTERM)
    answer = json.loads(process.communicate()[0])
    assert len(answer["job_ids"]) == imported(store)
    if imported(store) < JOBS:
        assert (process.returncode, answer["error"]["code"]) == (143, "stopped")
