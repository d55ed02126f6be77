"""Bytes of the store change on the disk: every command works or says so, and no damaged result passes for sound."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aerjob_cli.api.client import Client
from aerjob_cli.api.requests import CircuitBytes, Request
from aerjob_cli.errors import StoreUnusable
from aerjob_cli.settings import Settings, StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store import claims, releases
from aerjob_cli.store.connections import raw_connection
from aerjob_cli.store.database import Store
from aerjob_cli.store.inventory import object_files
from tests.faults.support.inner_commands import Ended, InnerCommands
from tests.faults.support.sample_store import SampleStore, make_sample_store, no_worker_for
from tests.support.circuits import BELL
from tests.support.command_line import CommandLine
from tests.support.matrix import Matrix

UNUSABLE = 5
NO_SUCH_JOB = 3


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> SampleStore:
    return make_sample_store(tmp_path_factory.mktemp("sample") / "home")


@pytest.fixture
def paths(sample: SampleStore, tmp_path: Path) -> Iterator[StorePaths]:
    """A copy of the sample store, for which no worker starts."""
    copy = sample.copy(tmp_path / "home")
    with no_worker_for(copy):
        yield copy


def says_why(ended: Ended) -> bool:
    """Tell whether a command said in a sentence that the store is unusable."""
    return ended.exit_code == UNUSABLE and ("aerjob: the store " in ended.stderr or '"error"' in ended.stdout)


def try_everything(sample: SampleStore, paths: StorePaths, point: object) -> bool:
    """Try reading, writing and checking a damaged store; tell whether any command found it unusable."""
    aerjob, ids = InnerCommands(paths.home), sample.job_ids
    found = False

    def expect(*arguments: str) -> Ended:
        nonlocal found
        ended = aerjob(*arguments)
        assert ended.exit_code == 0 or says_why(ended), (point, ended)
        found |= ended.exit_code == UNUSABLE
        return ended

    expect("store", "check", "--json")
    expect("list", "--all", "--json")
    expect("status", *ids.values())
    expect("show", ids["bad"])
    for name in sample.done:
        ended = expect("result", ids[name], "--json")
        if ended.exit_code == 0:
            assert ended.json()["experiments"] == sample.results[name], (point, name)
    expect("retry", ids["bell"])
    expect("cancel", ids["queued"])
    expect("tag", ids["three"], "--add", "new")
    found |= not submits(paths, point)
    found |= not is_worked_on(paths)
    return found


def submits(paths: StorePaths, point: object) -> bool:
    """Tell whether a job can be submitted; nothing but a sentence may come instead."""
    try:
        client = Client(Settings(paths=paths))
        client._launcher.call = lambda: None  # type: ignore[method-assign]
        circuits = (CircuitBytes("c", "openqasm2", BELL.encode()),)
        (job,) = client.submit([Request(circuits=circuits, backend="qasm_simulator", shots=1)])
        assert client.circuits(job) == list(circuits), point
        client.close()
    except StoreUnusable:
        return False
    return True


def is_worked_on(paths: StorePaths) -> bool:
    """Tell whether a worker could begin and take jobs."""
    try:
        store = Store.open(paths)
        with store.writing() as tx:
            releases.release_lost(tx, new_worker_id="w", boot_id="this", now_us=store.now_us())
            claims.claim_validations(tx, "w", limit=1, now_us=store.now_us())
            claims.claim(tx, "w", limit=5, now_us=store.now_us())
        store.close()
    except StoreUnusable:
        return False
    return True


def flipped(data: bytes, offset: int, mask: int) -> bytes:
    return data[:offset] + bytes([data[offset] ^ mask]) + data[offset + 1 :]


def some_mask(source: random.Random) -> int:
    """Draw one bit or several ones."""
    return 1 << source.randrange(8) if source.random() < 0.5 else source.randrange(1, 256)


def test_any_byte_of_the_database_may_change_and_no_count_is_ever_wrong(
    sample: SampleStore, paths: StorePaths, matrix: Matrix
) -> None:
    source = matrix.random("flips of the database")
    for _ in range(matrix.times(sample=8, full=1000)):
        point = source.randrange(len(sample.database)), some_mask(source)
        sample.put(paths, flipped(sample.database, *point))
        try_everything(sample, paths, point)


def test_a_stored_result_or_circuit_that_changed_is_found_wherever_it_changed(
    sample: SampleStore, paths: StorePaths, matrix: Matrix
) -> None:
    aerjob, ids = InnerCommands(paths.home), sample.job_ids
    source = matrix.random("flips of payloads")
    stored = payloads_of(sample)
    for _ in range(matrix.times(sample=4, full=200)):
        name, data = source.choice(stored)
        point = source.randrange(len(data)), some_mask(source)
        # Everywhere, since SQLite leaves copies where it has moved rows.
        sample.put(paths, sample.database.replace(data, flipped(data, *point)))
        asked = ("result", ids[name]) if name in sample.results else ("show", ids[name], "--source")
        for command in (asked, ("store", "check")):
            assert says_why(aerjob(*command)), (name, point, command)
        assert aerjob("status", ids[name]).exit_code == 0


VALUES_THAT_NOBODY_STORED = (
    "options = '{'",
    "metadata = '[]'",
    "name = CAST(x'ff' AS TEXT)",
    "shots = 'many'",
    "priority = x'00'",
    "submitted_us = 9223372036854775807",
    "submitted_by = 'me'",
    "attempt = 0.5",
)


def test_a_value_that_cannot_have_been_stored_is_damage_and_not_a_bug(sample: SampleStore, paths: StorePaths) -> None:
    aerjob, ids = InnerCommands(paths.home), sample.job_ids
    for value in VALUES_THAT_NOBODY_STORED:
        sample.put(paths, sample.database)
        connection = raw_connection(paths.database, busy_timeout_s=0)
        connection.execute(f"UPDATE jobs SET {value} WHERE job_id = '{ids['queued']}'")  # noqa: S608 - our own texts
        connection.close()
        for command in (("list",), ("status", ids["queued"]), ("show", ids["queued"]), ("retry", ids["queued"])):
            assert says_why(aerjob(*command)), (value, command)
        assert aerjob("result", ids["bell"]).exit_code == 0
        assert not is_worked_on(paths), value


def payloads_of(sample: SampleStore) -> list[tuple[str, bytes]]:
    """Give results and circuits that lie in the database in one piece, each with the name of its job."""
    names = {job_id: name for name, job_id in sample.job_ids.items()}
    results = "SELECT job_id, data FROM experiments JOIN jobs ON seq = job_seq WHERE data IS NOT NULL"
    circuits = (
        "SELECT job_id, data FROM payloads JOIN jobs ON seq = job_seq WHERE finished_us IS NULL AND data IS NOT NULL"
    )
    connection = sqlite3.connect(f"file:{sample.home}/aerjob.db?mode=ro&immutable=1", uri=True)
    found = [(names[job_id], data) for query in (results, circuits) for job_id, data in connection.execute(query)]
    connection.close()
    in_one_piece = [(name, data) for name, data in found if data in sample.database]
    assert len(in_one_piece) > 5
    return in_one_piece


def test_a_database_cut_anywhere_is_refused_with_a_sentence(
    sample: SampleStore, paths: StorePaths, matrix: Matrix
) -> None:
    size = len(sample.database)
    source = matrix.random("truncations")
    chosen = {0, 1, 15, 16, 99, 100, 4095, 4096, size - 4096, size - 1}
    offsets = sorted(chosen | {source.randrange(size) for _ in range(matrix.times(sample=3, full=200))})
    aerjob = InnerCommands(paths.home)
    for kept in offsets:
        sample.put(paths, sample.database[:kept])
        is_found = try_everything(sample, paths, kept)
        # SQLite reads the rest of a page that was cut as zeros, which it may have been.
        if kept <= size - 4096:
            assert is_found, kept
            assert says_why(aerjob("store", "check")), kept


def test_noise_in_any_page_is_found_by_the_check(sample: SampleStore, paths: StorePaths, matrix: Matrix) -> None:
    aerjob = InnerCommands(paths.home)
    noise = bytes(range(256)) * 16
    pages = range(0, len(sample.database), 4096)
    for start in matrix.take(pages, 2, name="noise"):
        sample.put(paths, sample.database[:start] + noise + sample.database[start + 4096 :])
        assert says_why(aerjob("store", "check")), start
        try_everything(sample, paths, start)


def with_log(paths: StorePaths) -> tuple[bytes, bytes, list[str]]:
    """Give the database and its log as a process that is killed leaves them, and the jobs that are only in the log."""
    client = Client(Settings(paths=paths))
    client._launcher.call = lambda: None  # type: ignore[method-assign]
    circuits = (CircuitBytes("c", "openqasm2", BELL.encode()),)
    requests = [Request(circuits=circuits, backend="qasm_simulator", shots=1) for _ in range(3)]
    jobs = [client.submit([request])[0].job_id for request in requests]
    log = paths.database.with_name(f"{paths.database.name}-wal")
    found = paths.database.read_bytes(), log.read_bytes(), jobs
    client.close()
    return found


def test_a_byte_of_the_log_may_change_and_what_was_committed_before_it_stays(
    sample: SampleStore, paths: StorePaths, matrix: Matrix
) -> None:
    database, log, jobs = with_log(paths)
    if not log:
        pytest.skip("this SQLite has no sound log")
    aerjob, place = InnerCommands(paths.home), paths.database.with_name(f"{paths.database.name}-wal")
    source = matrix.random("flips of the log")
    for _ in range(matrix.times(sample=4, full=300)):
        point = source.randrange(len(log)), some_mask(source)
        sample.put(paths, database)
        place.write_bytes(flipped(log, *point))
        codes = [aerjob("status", job_id).exit_code for job_id in jobs]
        # SQLite goes as far as the checksums of the log are right: the first ones are there, the last ones may not be.
        assert codes == sorted(codes), (point, codes)
        assert set(codes) <= {0, NO_SUCH_JOB}, (point, codes)
        ended = aerjob("store", "check")
        assert ended.exit_code == 0, (point, ended)
        for name in sample.done:
            assert aerjob("result", sample.job_ids[name], "--json").json()["experiments"] == sample.results[name]


def emptied(paths: StorePaths) -> None:
    os.truncate(paths.database, 0)


def of_another_application(paths: StorePaths) -> None:
    paths.database.unlink()
    connection = sqlite3.connect(paths.database)
    connection.executescript("CREATE TABLE bookmarks (url TEXT); INSERT INTO bookmarks VALUES ('https://qiskit.org')")
    connection.close()
    paths.database.chmod(0o600)


def no_database_at_all(paths: StorePaths) -> None:
    paths.database.write_bytes(b"SQLite format 3, they say, but this is a letter.\n" * 300)


def of_a_later_aerjob(paths: StorePaths) -> None:
    connection = raw_connection(paths.database, busy_timeout_s=0)
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()


def a_folder(paths: StorePaths) -> None:
    paths.database.unlink()
    paths.database.mkdir()


@pytest.mark.parametrize("spoil", [emptied, of_another_application, no_database_at_all, of_a_later_aerjob, a_folder])
def test_what_is_no_store_of_this_aerjob_is_refused_by_every_command_and_untouched(
    sample: SampleStore, paths: StorePaths, tmp_path: Path, spoil: Callable[[StorePaths], None]
) -> None:
    spoil(paths)
    before = content_of(paths)
    aerjob, job_id = InnerCommands(paths.home), sample.job_ids["bell"]
    (tmp_path / "bell.qasm").write_text(BELL)
    for command in (
        f"submit {tmp_path}/bell.qasm",
        "list",
        f"status {job_id}",
        f"result {job_id}",
        f"wait {job_id} --timeout 1",
        f"cancel {job_id}",
        f"retry {job_id}",
        f"rm {job_id}",
        "store info",
        "store check",
        "store check --repair",
        f"store backup {tmp_path}/copy",
        "store clean",
        "store prune --older-than 1h --yes",
        "store upgrade",
        "worker start",
        "worker status",
    ):
        ended = aerjob(*command.split())
        assert says_why(ended), (command, ended)
    assert content_of(paths) == before
    assert not (tmp_path / "copy").exists()


def content_of(paths: StorePaths) -> dict[str, bytes | None]:
    """Give all that is in the folder; what SQLite's readers leave beside a database may come and go."""
    return {
        path.name: path.read_bytes() if path.is_file() else None
        for path in paths.home.iterdir()
        if path.name not in ("aerjob.db-wal", "aerjob.db-shm")
    }


def removed(place: Path) -> None:
    place.unlink()


def altered(place: Path) -> None:
    data = place.read_bytes()
    place.write_bytes(flipped(data, len(data) // 2, 1))


def cut(place: Path) -> None:
    os.truncate(place, 1000)


def longer(place: Path) -> None:
    with place.open("ab") as file:
        file.write(b"\0")


def a_link(place: Path) -> None:
    aside = place.with_name("aside")
    place.rename(aside)
    place.symlink_to(aside)


def a_pipe(place: Path) -> None:
    place.unlink()
    os.mkfifo(place)


def a_folder_there(place: Path) -> None:
    place.unlink()
    place.mkdir()


@pytest.mark.parametrize("spoil", [removed, altered, cut, longer, a_link, a_pipe, a_folder_there])
def test_an_object_file_that_is_not_as_it_was_stored_is_an_error_and_never_an_empty_result(
    sample: SampleStore, paths: StorePaths, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    for file in list(object_files(paths)):
        spoil(file.path)
    aerjob, ids = InnerCommands(paths.home), sample.job_ids
    for form in ("json", "csv", "npy", "table"):
        ended = aerjob("result", ids["large state"], "--format", form)
        if form == "json" and ended.exit_code == 0:
            continue  # tells of the array without reading it
        assert says_why(ended), ended
        assert not ended.stdout or form == "json"
    assert says_why(aerjob("show", ids["large circuit"], "--source"))
    assert aerjob("status", ids["large state"], "--json").json()["jobs"][0]["status"] == Status.DONE
    ended = aerjob("store", "check", "--json")
    assert says_why(ended)
    concerned = {problem["job_id"] for problem in ended.json()["problems"] if problem["job_id"]}
    assert concerned == {ids["large state"], ids["large circuit"]}
    # A backup of the rest is made all the same, and all other jobs are as they were.
    assert says_why(aerjob("store", "backup", tmp_path / "copy"))
    for name in sample.done:
        if name != "large state":
            assert aerjob("result", ids[name], "--json").json()["experiments"] == sample.results[name]


def test_a_few_damages_at_the_real_command_line(sample: SampleStore, paths: StorePaths, tmp_path: Path) -> None:
    aerjob, ids = CommandLine(paths.home, tmp_path), sample.job_ids
    name, data = payloads_of(sample)[0]
    sample.put(paths, sample.database.replace(data, flipped(data, len(data) // 2, 1)))
    assert name in sample.results
    for arguments, words in (
        (("result", ids[name]), "checksum"),
        (("store", "check"), "has a problem"),
    ):
        done = aerjob(*arguments)
        assert done.returncode == UNUSABLE, done
        assert words in done.stderr
        assert "Traceback" not in done.stderr
    sample.put(paths, sample.database[:5000])
    done = aerjob("list")
    assert (done.returncode, done.stdout) == (UNUSABLE, "")
    assert "is damaged" in done.stderr
