"""Bundles that are damaged, or made to do harm: each is refused as a whole, in one sentence, and nothing is changed."""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aerjob_cli.bundles.layout import MANIFEST
from aerjob_cli.settings import INLINE_LIMIT_BYTES, StorePaths
from aerjob_cli.store.database import Store
from tests.cli.conftest import Quick, here
from tests.support.bundles import (
    RESULT,
    Files,
    bell,
    contents,
    digest,
    refused,
    repack,
    with_description,
    with_manifest,
    write_bundle,
)
from tests.support.command_line import CommandLine

JOB_ID = "11111111-2222-4333-8444-555555555555"
FOLDER = f"jobs/{JOB_ID}"
RESULT_FILE = f"{FOLDER}/results/000000.json"
CIRCUIT_FILE = f"{FOLDER}/circuits/000000.qasm"
ARRAY = f"{FOLDER}/arrays/000000/state.npy"

Change = Callable[[Files], Files]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound")
    return write_bundle(folder / "sound.zip", [bell(job_id=JOB_ID), refused(1)])


def described(**changes: Any) -> Change:
    return lambda files: with_description(files, JOB_ID, lambda told: told.update(changes))


def result(**changes: Any) -> Change:
    return lambda files: with_description(files, JOB_ID, lambda told: told["results"][0].update(changes))


def circuit(text: bytes, **changes: Any) -> Change:
    def change(files: Files) -> Files:
        def say(told: dict[str, Any]) -> None:
            told["circuits"][0].update(digest(text))
            told.update(changes)

        return with_description({**files, CIRCUIT_FILE: text}, JOB_ID, say)

    return change


def replaced(path: str, data: bytes) -> Change:
    return lambda files: with_description(
        {**files, path: data}, JOB_ID, lambda told: told["results"][0].update(digest(data))
    )


def raw(path: str, data: bytes) -> Change:
    return lambda files: {**files, path: data}


def without(path: str) -> Change:
    return lambda files: {name: data for name, data in files.items() if name != path}


def manifest(**changes: Any) -> Change:
    return lambda files: {**files, MANIFEST: json.dumps(json.loads(files[MANIFEST]) | changes).encode()}


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"a": value}
    return value


CASES: dict[str, tuple[Change, str]] = {
    "altered result": (raw(RESULT_FILE, RESULT[:-1] + b" "), "checksum"),
    "longer result": (raw(RESULT_FILE, b" " * 500), "500 bytes"),
    "climbing path": (raw("../evil", b"x"), "climbs out"),
    "climbing within": (raw("jobs/../../evil", b"x"), "climbs out"),
    "absolute path": (raw("/etc/evil", b"x"), "absolute"),
    "path of windows": (raw("C:evil", b"x"), "absolute"),
    "backslash": (raw("jobs\\..\\evil", b"x"), "backslash"),
    "empty name in a path": (raw("jobs//evil", b"x"), "is none"),
    "missing file": (without(RESULT_FILE), "is missing"),
    "missing manifest": (without(MANIFEST), "has no manifest.json"),
    "file without a job": (lambda files: with_manifest({**files, ARRAY: b"x"}), "belongs to no job"),
    "file that is not named": (raw(ARRAY, b"x"), "does not name"),
    "file of no bundle": (raw("readme.txt", b"x"), "is no file of a bundle"),
    "later version": (manifest(version=2), "update aerjob"),
    "no version": (manifest(version=True), "which is none"),
    "other format": (manifest(format="tar"), "not that of a bundle"),
    "no jobs": (manifest(jobs=[]), "no id"),
    "job twice": (manifest(jobs=[JOB_ID, JOB_ID]), "twice"),
    "job without a file": (manifest(jobs=["00000000-2222-4333-8444-555555555555"]), "is missing"),
    "no id": (manifest(jobs=["../../etc"]), "not the id of a job"),
    "manifest that is no JSON": (raw(MANIFEST, b"{"), "no JSON"),
    "manifest that is nested deeply": (raw(MANIFEST, b"[" * 60_000), "no JSON"),
    "key twice": (raw(MANIFEST, b'{"format": "aerjob-bundle", "format": "aerjob-bundle"}'), "twice"),
    "bomb": (replaced(RESULT_FILE, b" " * 10_000_000), "would grow"),
    "outcomes that are no numbers": (replaced(RESULT_FILE, RESULT.replace(b"0x3", b"zz")), "counts is"),
    "outcomes of more bits": (replaced(RESULT_FILE, RESULT.replace(b"0x3", b"0x4")), "counts is"),
    "more counts than shots": (replaced(RESULT_FILE, RESULT.replace(b":60", b":600")), "640 counts of 100 shots"),
    "unknown status": (described(status="FINISHED"), "status is 'FINISHED'"),
    "pending status": (described(status="RUNNING"), "only jobs that have ended"),
    "reason of a job that is DONE": (described(reason="TIMED_OUT"), "reason is TIMED_OUT"),
    "error without a reason": (described(status="ERROR"), "reason is None"),
    "cancelled for another reason": (described(status="CANCELLED", reason="TIMED_OUT"), "reason is TIMED_OUT"),
    "id of another folder": (described(job_id=JOB_ID.replace("1", "6")), "another job"),
    "no shots": (described(shots=0), "shots is 0"),
    "shots that are true": (described(shots=True), "shots is True"),
    "seed out of range": (described(seed=2**63), "seed is"),
    "infinite limit": (described(time_limit_s=float("inf")), "Infinity"),
    "no time": (described(finished_at="yesterday"), "finished_at is 'yesterday'"),
    "time out of range": (described(finished_at="9999-01-01T00:00:00.000000Z"), "finished_at is"),
    "options that are nested deeply": (described(options=deep(600)), "levels deep"),
    "lone surrogate": (described(name="\ud800"), "UTF-8"),
    "result too many": (described(experiments_done=0), "experiments_done is 0"),
    "result too few": (described(results=[]), "there are 0 results"),
    "no circuits": (described(circuits=[]), "none that could run"),
    "tags that are no texts": (described(tags=[["a"]]), "tag is ['a']"),
    "unknown dependency": (described(dependencies=[{"kind": "before", "job_id": JOB_ID}]), "kind is 'before'"),
    "runtime of another name": (described(runtimes={"0" * 16: {"qiskit": "9"}}), "not the name of these facts"),
    "history of other states": (described(history=[{"to_status": "LOST"}]), "at is None"),
    "position out of range": (result(position=1), "path is"),
    "unknown format": (result(format="pickle"), "'pickle' is not known"),
    "result elsewhere": (result(path="../../aerjob.db"), "path is"),
    "array elsewhere": (result(arrays=[{"name": "../x"}]), "name of an array"),
    "array that is pickled": (
        result(arrays=[{"name": "x", "path": f"{FOLDER}/arrays/000000/x.npy", "format": "pickle", **digest(b"")}]),
        "'pickle' is not known",
    ),
    "result that is none": (replaced(RESULT_FILE, b"[]"), "not the result"),
    "result with a wide register": (
        replaced(RESULT_FILE, b'{"data":{},"shots":1,"header":{"memory_slots":99999999999}}'),
        "memory_slots",
    ),
    "counts that are none": (replaced(RESULT_FILE, b'{"data":{"counts":{"0x0":"x"}},"shots":1}'), "counts is"),
    "circuit that is none": (circuit(b"OPENQASM 2.0; nonsense"), "is not defined"),
    "circuit that reads a file": (circuit(b'OPENQASM 2.0;\ninclude "/etc/passwd";\nqreg q[1];'), "can be included"),
    "other number of circuits": (
        described(experiments_total=2, status="ERROR", reason="TIMED_OUT"),
        "make 1 experiments",
    ),
}


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The place of a store that stays empty, whatever is tried on it."""
    place = tmp_path_factory.mktemp("unchanged") / "home"
    Store.open(StorePaths(place)).close()
    return place


@pytest.fixture
def refusing(unchanged: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Quick]:
    """The command line on that store."""
    with here(unchanged, monkeypatch, capsys) as command_line:
        yield command_line


@pytest.mark.parametrize("case", CASES)
def test_it_is_refused_and_nothing_changes(
    case: str, sound: Path, refusing: Quick, unchanged: Path, tmp_path: Path
) -> None:
    change, said = CASES[case]
    bundle = repack(tmp_path / "bad.zip", change(contents(sound)))
    require_refused(bundle, said, refusing, unchanged)


def require_refused(bundle: Path, said: str, quick: Quick, home: Path) -> None:
    """Import a bundle, see that it is refused with that word, and that the store is as it was."""
    before = state_of(home)
    error = quick.json("import", str(bundle), exit_code=6)["error"]
    assert error["code"] == "bundle_refused"
    assert said in error["message"]
    assert "; " in error["message"]
    assert "\n" not in error["message"]
    assert state_of(home) == before


def state_of(home: Path) -> tuple[int, list[str]]:
    """Give how many rows there are of anything, and the object files."""
    store = Store.open(StorePaths(home))
    with store.reading() as tx:
        tables = ("jobs", "payloads", "experiments", "experiment_arrays", "events", "runtimes", "job_tags")
        rows = sum(tx.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() for table in tables)  # noqa: S608
    store.close()
    return rows, sorted(str(path) for path in StorePaths(home).objects.rglob("*") if path.is_file())


def test_the_sound_one_comes_in(sound: Path, quick: Quick) -> None:
    """Else the cases above would show nothing."""
    repacked = repack(sound.with_name("repacked.zip"), contents(sound))
    assert len(quick.json("import", str(repacked))["job_ids"]) == 2


def test_what_is_no_archive(sound: Path, refusing: Quick, unchanged: Path, tmp_path: Path) -> None:
    whole = sound.read_bytes()
    bad = tmp_path / "bad.zip"
    for data in (b"", b"no archive", whole[:-30], whole[: len(whole) // 2], whole[100:]):
        bad.write_bytes(data)
        require_refused(bad, "", refusing, unchanged)
    assert refusing.json("import", str(tmp_path / "none.zip"), exit_code=6)["error"]["code"] == "input_refused"
    require_refused(tmp_path, "not a regular file", refusing, unchanged)


def test_entries_that_no_zip_program_makes(sound: Path, refusing: Quick, unchanged: Path, tmp_path: Path) -> None:
    files = contents(sound)
    bad = tmp_path / "bad.zip"

    repack(bad, files)
    with zipfile.ZipFile(bad, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(RESULT_FILE, files[RESULT_FILE])
    require_refused(bad, "twice", refusing, unchanged)

    repack(bad, files)
    link = zipfile.ZipInfo(ARRAY)
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(bad, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    require_refused(bad, "is a link", refusing, unchanged)

    repack(bad, files)
    data = bytearray(bad.read_bytes())
    first = data.index(b"PK\x01\x02")
    data[first + 8] |= 1
    bad.write_bytes(data)
    require_refused(bad, "encrypted", refusing, unchanged)

    # One whose directory announces fewer bytes than there are, or more.
    for size in (10, 200):
        repack(bad, files)
        data = bytearray(bad.read_bytes())
        entry = data.rindex(b"PK\x01\x02", 0, data.rindex(RESULT_FILE.encode()))
        struct.pack_into("<I", data, entry + 24, size)
        bad.write_bytes(data)
        require_refused(bad, "instead of", refusing, unchanged)


def test_every_byte_counts(sound: Path, refusing: Quick, unchanged: Path, tmp_path: Path) -> None:
    """Whatever byte of a file in it is another one, it is refused; what only the archive says may be another one."""
    whole = sound.read_bytes()
    bad = tmp_path / "bad.zip"
    with zipfile.ZipFile(sound) as archive:
        places = [
            member.header_offset + 30 + len(member.filename) + offset
            for member in archive.infolist()
            # What comes after the last byte of the content says nothing.
            for offset in range(0, member.compress_size - 4, max(1, member.compress_size // 3))
        ]
    for place in places:
        altered = bytearray(whole)
        altered[place] ^= 0x10
        bad.write_bytes(altered)
        require_refused(bad, "", refusing, unchanged)


def test_a_damaged_result_is_not_exported(quick: Quick, idle: CommandLine, tmp_path: Path) -> None:
    array = bytes(INLINE_LIMIT_BYTES + 1)
    told, files = bell(job_id=JOB_ID)
    told["results"][0]["arrays"] = [{"name": "state", "path": ARRAY, "format": "npy", **digest(array)}]
    bundle = write_bundle(tmp_path / "b.zip", [(told, {**files, ARRAY: array})])
    assert quick("import", str(bundle))[0] == 0
    (stored,) = (path for path in StorePaths(idle.home).objects.rglob("*") if path.is_file())
    stored.write_bytes(b"x" + array[1:])
    out = tmp_path / "out.zip"
    assert quick.json("export", JOB_ID, "-o", str(out), exit_code=5)["error"]["code"] == "payload_damaged"
    assert list(tmp_path.glob("*out*")) == list(tmp_path.glob(".aerjob*")) == []
