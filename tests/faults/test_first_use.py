"""Many processes make the same store, or upgrade it, at the same moment: one does, and all go on."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from aerjob_cli.api.client import Client
from aerjob_cli.settings import Settings, StorePaths
from aerjob_cli.store.inspection import inspect_store
from aerjob_cli.store.listing import JobFilter
from aerjob_cli.store.revisions import HEAD
from tests.faults.support.crowds import Answer, Round, meet
from tests.support.circuits import BELL
from tests.support.command_line import CommandLine
from tests.support.matrix import Matrix
from tests.support.old_stores import STORES, lacks_nothing_of, rows_of, schema_of, unpack

# All that may be in the folder of a store that no worker has seen.
PARTS = {"aerjob.db", "aerjob.db-wal", "aerjob.db-shm", "objects", "creation.lock"}


def homes(matrix: Matrix, place: Path) -> list[Path]:
    return [place / f"round-{number}" for number in range(matrix.times(sample=1, full=20))]


def processes(matrix: Matrix) -> int:
    return matrix.times(sample=16, full=50)


def require_one_store(home: Path, accepted: Sequence[str]) -> None:
    """Assert that one sound store is there, with these jobs and perhaps others, and nothing unfinished beside it."""
    paths = StorePaths(home)
    assert inspect_store(paths).problems == ()
    client = Client(Settings(paths=paths))
    there = {job.job_id for job in client.listed(JobFilter(), limit=None)}
    client.close()
    assert len(set(accepted)) == len(accepted)
    assert set(accepted) <= there
    assert {path.name for path in home.iterdir()} <= PARTS


def texts(answers: Sequence[Answer]) -> list[str]:
    """Give what the processes said that were not killed; none of the others may have failed."""
    assert not [answer for answer in answers if answer.code > 0]
    return [answer.text for answer in answers if answer.code == 0]


def test_all_who_use_a_store_first_at_once_get_their_job_into_one_store(matrix: Matrix, tmp_path: Path) -> None:
    rounds = [Round(str(home), processes(matrix)) for home in homes(matrix, tmp_path)]
    for each, answers in zip(rounds, meet("submit", rounds), strict=True):
        accepted = texts(answers)
        assert len(accepted) == each.count
        require_one_store(Path(each.home), accepted)


def test_a_kill_of_those_who_make_a_store_leaves_nothing_that_keeps_others_from_it(
    matrix: Matrix, tmp_path: Path
) -> None:
    random = matrix.random("kills in first use")
    count = processes(matrix)
    rounds = []
    for home in homes(matrix, tmp_path):
        killed = random.sample(range(count), count * 3 // 4)
        # Making a store takes some tenths of a second, and most wait for the one that does.
        rounds.append(Round(str(home), count, [(index, random.uniform(0, 0.6)) for index in killed]))
    for each, answers in zip(rounds, meet("submit", rounds), strict=True):
        # The next one to come, and then all that the others were told.
        (after,) = texts(meet("submit", [Round(each.home, 1)])[0])
        require_one_store(Path(each.home), [*(text for text in texts(answers)), after])


def test_a_command_line_each(matrix: Matrix, aerjob: CommandLine) -> None:
    (aerjob.folder / "bell.qasm").write_text(BELL)
    commands = [aerjob.start("submit", "bell.qasm", "--quiet") for _ in range(matrix.times(sample=4, full=50))]
    told = [command.communicate(timeout=600) for command in commands]
    assert [command.returncode for command in commands] == [0] * len(commands), told
    jobs = {job["job_id"] for job in aerjob.json("list", "--limit", "100")["jobs"]}
    assert {stdout.strip() for stdout, _ in told} == jobs
    assert len(jobs) == len(commands)


@pytest.mark.parametrize("schema", sorted(path.name for path in STORES.iterdir()))
def test_of_all_who_upgrade_a_store_at_once_one_does_and_every_row_is_kept(
    schema: str, matrix: Matrix, tmp_path: Path
) -> None:
    places = [unpack(schema, home) for home in homes(matrix, tmp_path)]
    before = rows_of(places[0].database)
    assert before["jobs"]
    rounds = [Round(str(paths.home), processes(matrix)) for paths in places]
    for paths, answers in zip(places, meet("upgrade", rounds), strict=True):
        assert sorted(texts(answers)) == ["upgraded"] + ["was current"] * (len(answers) - 1)
        require_upgraded(paths, schema, before)


@pytest.mark.parametrize("schema", sorted(path.name for path in STORES.iterdir()))
def test_an_upgrade_by_a_command_line_each(schema: str, matrix: Matrix, aerjob: CommandLine, home: Path) -> None:
    paths = unpack(schema, home)
    before = rows_of(paths.database)
    commands = [
        aerjob.start("store", "upgrade", stderr=subprocess.STDOUT) for _ in range(matrix.times(sample=4, full=50))
    ]
    told = [command.communicate(timeout=600)[0] for command in commands]
    assert [command.returncode for command in commands] == [0] * len(commands), told
    require_upgraded(paths, schema, before)


def require_upgraded(paths: StorePaths, schema: str, before: dict[str, list[dict[str, object]]]) -> None:
    """Assert that the store has the latest schema and every row, and that one backup has the old ones."""
    (backup,) = paths.home.glob("aerjob.db.before-*")
    assert (schema_of(backup), schema_of(paths.database)) == (schema, HEAD)
    assert rows_of(backup) == before
    assert lacks_nothing_of(before, rows_of(paths.database))
    assert inspect_store(paths).problems == ()
