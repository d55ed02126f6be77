"""An import that is killed leaves whole jobs, and the same command does the rest."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from aerjob_cli.settings import INLINE_LIMIT_BYTES, JOBS_PER_TRANSACTION, StorePaths
from aerjob_cli.store.database import Store
from tests.support.bundles import digest, refused, write_bundle
from tests.support.command_line import CommandLine
from tests.support.running import until

JOBS = 3 * JOBS_PER_TRANSACTION


def test_a_killed_import_is_finished_by_the_same_command(aerjob: CommandLine, home: Path, tmp_path: Path) -> None:
    wanted = [refused(number) for number in range(JOBS)]
    # One in each transaction has a file in the object folder.
    for number in range(0, JOBS, JOBS_PER_TRANSACTION):
        told, files = wanted[number]
        large = b"// %d\n" % number * (INLINE_LIMIT_BYTES // 4)
        (path,) = files
        told["circuits"][0].update(digest(large))
        wanted[number] = told, {path: large}
    bundle = write_bundle(tmp_path / "many.zip", wanted)
    store = Store.open(StorePaths(home))

    def imported() -> int:
        with store.reading() as tx:
            return int(tx.exec_driver_sql("SELECT count(*) FROM jobs").scalar_one())

    process = aerjob.start("import", str(bundle))
    until(lambda: imported() or None)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    done = imported()
    assert done % JOBS_PER_TRANSACTION == 0
    assert aerjob.json("store", "check")["sound"]

    answer = aerjob.json("import", str(bundle))
    assert (len(answer["job_ids"]), len(answer["skipped"])) == (JOBS - done, done)
    assert imported() == JOBS
    assert aerjob.json("store", "check")["sound"]
    store.close()


def test_a_signal_between_two_transactions_tells_what_is_in(aerjob: CommandLine, home: Path, tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "many.zip", [refused(number) for number in range(JOBS)])
    store = Store.open(StorePaths(home))

    def imported() -> int:
        with store.reading() as tx:
            return int(tx.exec_driver_sql("SELECT count(*) FROM jobs").scalar_one())

    process = aerjob.start("import", str(bundle), "--json")
    until(lambda: imported() or None)
    process.send_signal(signal.SIGTERM)
    answer = json.loads(process.communicate()[0])
    assert len(answer["job_ids"]) == imported()
    if imported() < JOBS:
        assert (process.returncode, answer["error"]["code"]) == (143, "stopped")
    store.close()
