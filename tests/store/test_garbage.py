"""Removing unreferenced objects: what is referred to stays, and whoever refers to a file has it there."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert, text

from aerjob_cli.api.client import Client
from aerjob_cli.api.requests import CircuitBytes, Request
from aerjob_cli.errors import JobNotFound, StoreBusy
from aerjob_cli.settings import Settings, StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store import cancels, claims, objects
from aerjob_cli.store.database import Store
from aerjob_cli.store.garbage import STALE_DRAFT_S, YOUNG_S, objects_kept, remove_unreferenced
from aerjob_cli.store.records import Claim, ExperimentRecord, JobRecord, Payload
from aerjob_cli.store.tables import experiment_arrays, jobs
from tests.store.conftest import SubmitJob
from tests.support import one_job

SIZE_BYTES = 300_000


def put(store: Store, letter: bytes, *, age_s: float = 2 * YOUNG_S) -> Payload:
    """Put an object of ``SIZE_BYTES`` and make it look as if that was some time ago."""
    data = letter * SIZE_BYTES
    sha256 = hashlib.sha256(data).hexdigest()
    assert objects.put_if_large(store.paths, sha256, data) is None
    grow_old(objects.object_path(store.paths, sha256), age_s)
    return Payload("big", "openqasm2", sha256, len(data), None)


def grow_old(path: Path, age_s: float) -> None:
    then_s = time.time() - age_s
    os.utime(path, (then_s, then_s))


def is_there(store: Store, payload: Payload) -> bool:
    return objects.object_path(store.paths, payload.sha256).exists()


def refer_as_array(store: Store, job: JobRecord, payload: Payload) -> None:
    with store.writing() as tx:
        (claimed,) = claims.claim(tx, "w", limit=1, now_us=1)
        assert claimed.claim.job_seq == job.seq
        tx.execute(
            insert(experiment_arrays).values(
                job_seq=job.seq,
                position=0,
                name="statevector",
                format="npy",
                sha256=payload.sha256,
                size_bytes=payload.size_bytes,
            )
        )


def test_what_any_row_refers_to_stays(store: Store, submit: SubmitJob) -> None:
    circuits, result, array, waste = (put(store, letter) for letter in (b"c", b"r", b"a", b"w"))
    submit(payloads=(circuits,))
    running = submit(experiments_total=2, threads=1)
    refer_as_array(store, running, array)
    with store.writing() as tx:
        token = tx.execute(text("SELECT claim_token FROM jobs WHERE status = 'RUNNING'")).scalar_one()
        held = Claim(running.seq, running.job_id, Status.RUNNING, 1, token, "w")
        assert one_job.record_experiments(tx, held, [ExperimentRecord(0, 1, 10, result)])
    everything = [circuits, result, array, waste]
    assert remove_unreferenced(store, [payload.sha256 for payload in everything]) == SIZE_BYTES
    assert [is_there(store, payload) for payload in everything] == [True, True, True, False]
    assert remove_unreferenced(store) == 0


def test_a_deleted_jobs_objects_go_but_for_those_that_another_job_has(store: Store, submit: SubmitJob) -> None:
    own, shared = put(store, b"o"), put(store, b"s")
    deleted = submit(payloads=(own, shared))
    submit(payloads=(shared,))
    with store.writing() as tx:
        cancels.request_cancel(tx, deleted.seq, now_us=store.now_us())
        tx.execute(delete(jobs).where(jobs.c.seq == deleted.seq))
    assert remove_unreferenced(store, [own.sha256, shared.sha256]) == SIZE_BYTES
    assert (is_there(store, own), is_there(store, shared)) == (False, True)
    assert remove_unreferenced(store, [own.sha256]) == 0


def test_without_names_young_files_and_fresh_drafts_are_spared(store: Store) -> None:
    old, young = put(store, b"o"), put(store, b"y", age_s=0)
    stale, fresh = store.paths.incoming / "stale", store.paths.incoming / "fresh"
    for draft in (stale, fresh):
        draft.write_bytes(b"half")
    grow_old(stale, 2 * STALE_DRAFT_S)
    foreign = store.paths.objects / "notes.txt"
    foreign.write_bytes(b"not ours")
    grow_old(foreign, 2 * STALE_DRAFT_S)
    assert remove_unreferenced(store) == SIZE_BYTES + len(b"half")
    assert (is_there(store, old), is_there(store, young)) == (False, True)
    assert (stale.exists(), fresh.exists(), foreign.exists()) == (False, True, True)


@pytest.mark.parametrize("named", ["", "../../aerjob.db", "0" * 63, "0" * 63 + "/", "A" * 64])
def test_a_name_that_is_no_checksum_removes_nothing(store: Store, named: str) -> None:
    assert remove_unreferenced(store, [named]) == 0
    assert store.paths.database.exists()


def test_many_files_go_in_several_transactions(store: Store) -> None:
    waste = [put(store, bytes([65 + number])) for number in range(45)]
    assert remove_unreferenced(store) == 45 * SIZE_BYTES
    assert not any(is_there(store, payload) for payload in waste)


def test_while_the_objects_are_kept_nothing_is_removed(store: Store) -> None:
    waste = put(store, b"w")
    with objects_kept(store.paths, timeout_s=0):
        assert remove_unreferenced(store, [waste.sha256]) == 0
        assert is_there(store, waste)
        with pytest.raises(StoreBusy), objects_kept(store.paths, timeout_s=0):
            pass
    assert remove_unreferenced(store, [waste.sha256]) == SIZE_BYTES


class Watched(Store):
    """A store that lets something happen in the last moment before it writes, as another process might do it."""

    before_a_write: Callable[[], None] | None = None

    @contextmanager
    def writing_directly(self, *, syncs: bool = True) -> Iterator[Connection]:
        happening, self.before_a_write = self.before_a_write, None
        if happening is not None:
            happening()
        with super().writing_directly(syncs=syncs) as tx:
            yield tx


def test_a_client_whose_circuits_were_removed_before_its_commit_puts_them_again(paths: StorePaths) -> None:
    store = Store.open(paths)
    watched = Watched(paths, clock=store.clock, busy_timeout_s=1)
    client = Client(Settings(paths=paths), watched)
    client._launcher.call = lambda: None  # type: ignore[method-assign]
    data = b"OPENQASM 2.0;" + b"\n" * SIZE_BYTES
    sha256 = hashlib.sha256(data).hexdigest()
    freed: list[int] = []
    watched.before_a_write = lambda: freed.append(remove_unreferenced(store, [sha256]))
    circuits = (CircuitBytes("big", "openqasm2", data),)
    (job,) = client.submit([Request(circuits=circuits, backend="qasm_simulator", shots=1)])
    assert freed == [len(data)]
    assert client.circuits(job) == list(circuits)
    assert remove_unreferenced(store, [sha256]) == 0
    client.close()
    store.close()


def test_a_result_whose_job_is_deleted_while_it_is_read_is_not_called_damaged(store: Store, submit: SubmitJob) -> None:
    results = [ExperimentRecord(at, 1, 10, put(store, letter)) for at, letter in enumerate((b"r", b"s"))]
    job = submit(experiments_total=2, threads=1)
    with store.writing() as tx:
        (claimed,) = claims.claim(tx, "w", limit=1, now_us=store.now_us())
        assert one_job.record_experiments(tx, claimed.claim, results)
        assert one_job.finish(tx, claimed.claim, engine="aer", now_us=store.now_us())
    reader, other = Client(Settings(paths=store.paths)), Client(Settings(paths=store.paths))
    reading = reader.results(reader.find(job.job_id))
    assert next(reading).position == 0
    assert other.delete(other.find(job.job_id))
    with pytest.raises(JobNotFound):
        next(reading)
    reader.close()
    other.close()
