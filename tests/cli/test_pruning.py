"""`store prune`: what goes, what stays, what is said of what is gone, and the room that it gives."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from aerjob_cli import BasicAerProvider
from aerjob_cli.api.job_errors import PartPruned
from aerjob_cli.api.requests import CircuitBytes, Plan
from aerjob_cli.errors import StoreDamaged
from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Part, Status
from aerjob_cli.store import compaction, prunings, tags
from aerjob_cli.store.connections import raw_connection
from aerjob_cli.store.database import Store
from aerjob_cli.store.records import JobRecord
from tests.cli.conftest import Put, Quick
from tests.support.circuits import BELL
from tests.support.command_line import CommandLine
from tests.support.running import Scene
from tests.support.staging import Stage

LARGE = "".join(f"//{line:06d}{'.' * 90}\n" for line in range(3000))


@pytest.fixture
def stage(idle: CommandLine) -> Iterator[Stage]:
    with Stage(StorePaths(idle.home)) as opened:
        yield opened


def listed(quick: Quick) -> list[str]:
    return [job["job_id"] for job in quick.json("list")["jobs"]]


def ended(stage: Stage, put: Put, **changes: object) -> JobRecord:
    job = put(plan=Plan(1, 1), priority=1, **changes)
    stage.run_through(job)
    return job


def test_jobs_that_have_ended_go_and_others_stay(quick: Quick, put: Put, stage: Stage) -> None:
    gone = ended(stage, put)
    kept = ended(stage, put, tags=("paper", "x"))
    awaited = ended(stage, put)
    waiting = put(after=(awaited.job_id,), hold=True)
    running = put(plan=Plan(1, 1), priority=1)
    stage.start(running)
    arguments = ("store", "prune", "--older-than", "0s", "--keep-tag", "paper", "--keep-tag", "other")
    _, answer, remark = quick(*arguments, "--dry-run")
    assert answer.startswith("1 job would be deleted; ")
    assert remark == "1 job stayed: jobs that have not ended depend on them, or they no longer fit\n"
    assert quick(*arguments)[:2] == (2, "")
    assert len(listed(quick)) == 5
    done = quick.json(*arguments, "--yes")
    assert (done["removed"], done["jobs"], done["stored_bytes"]) == (["jobs"], 1, None)
    assert listed(quick) == [job.job_id for job in (running, waiting, awaited, kept)]
    assert quick("show", gone.job_id)[0] == 3
    # One that is awaited still fits, and stays each time.
    assert quick.json(*arguments, "--yes")["jobs"] == 0


def test_results_go_and_the_job_stays_as_it_ended(aerjob: CommandLine, tmp_path: Path) -> None:
    (aerjob.folder / "bell.qasm").write_text(BELL)
    provider = BasicAerProvider(aerjob.home)
    with closing(provider.client):
        job_id = aerjob("submit", "bell.qasm", "--seed", "7", "--shots", "50", "--wait").stdout.strip()
        before = aerjob.json("result", job_id)["experiments"]
        assert aerjob("store", "prune", "--status", "done", "--results", "--yes").stdout.startswith(
            "results of 1 job removed; "
        )
        state = aerjob.json("show", job_id)
        assert (state["status"], state["experiments_done"], state["circuits_pruned_at"]) == ("DONE", 1, None)
        assert state["results_pruned_at"] is not None
        told = aerjob("result", job_id)
        assert (told.returncode, told.stdout) == (3, "")
        assert told.stderr.endswith(f"; `aerjob retry {job_id}` computes them again\n")
        with pytest.raises(PartPruned, match="were removed by `aerjob store prune`"):
            provider.retrieve_job(job_id).result()
        # It is no source for others, and has nothing more that could go.
        assert (
            aerjob.json("submit", "bell.qasm", "--seed", "7", "--shots", "50", "--reuse")["jobs"][0]["reused_from"]
            is None
        )
        assert aerjob("wait", "last").returncode == 0
        assert aerjob("rm", "last").returncode == 0
        assert aerjob("store", "prune", "--status", "done", "--results", "--yes").returncode == 3
        unverified = aerjob("retry", job_id, "--verify")
        assert (unverified.returncode, unverified.stdout) == (3, "")
        assert "were removed by `aerjob store prune`" in unverified.stderr
        again = aerjob("retry", job_id).stdout.strip()
        assert aerjob("wait", again).returncode == 0
        assert aerjob.json("result", again)["experiments"] == before
        assert aerjob("store", "check").stdout.startswith("sound")


def test_circuits_go_and_the_results_stay(quick: Quick, put: Put, stage: Stage) -> None:
    pruned = ended(stage, put)
    assert quick.json("store", "prune", "--older-than", "0s", "--circuits", "--yes")["removed"] == ["circuits"]
    kept = ended(stage, put)
    for arguments in (
        ("retry", pruned.job_id),
        ("show", "--source", pruned.job_id),
        ("show", "--circuit", pruned.job_id),
    ):
        code, answer, told = quick(*arguments)
        assert (code, answer) == (3, ""), arguments
        assert f"the circuits of job {pruned.job_id} were removed by `aerjob store prune` at " in told
        assert told.endswith("; submit them again\n")
    # All that can be tried again are, whatever else fits.
    assert [job["retry_of"] for job in quick.json("retry", "--status", "done", "--yes")["jobs"]] == [kept.job_id]
    with stage.store.reading() as tx:
        assert prunings.size_of(tx, [pruned.seq], Part.RESULTS) > 0
    assert quick.json("store", "prune", "--older-than", "0s", "--results", "--circuits", "--yes")["jobs"] == 2
    assert "its circuits are gone as well, so submit them again" in quick("result", pruned.job_id)[2]
    assert quick("store", "check")[1].startswith("sound")
    at = quick.json("show", pruned.job_id)["results_pruned_at"]
    assert f"pruned\tresults at {at[:19]}Z, circuits at " in quick("show", pruned.job_id)[1]


def test_a_file_goes_with_the_last_job_that_has_it(quick: Quick, put: Put, stage: Stage) -> None:
    circuits = (CircuitBytes("large.qasm", "openqasm2", f"{BELL}{LARGE}".encode()),)
    first = ended(stage, put, circuits=circuits, tags=("first",))
    ended(stage, put, circuits=circuits)
    place = stage.store.paths.objects
    assert len(list(place.glob("??/*"))) == 1
    assert quick.json("store", "prune", "--tag", "first", "--circuits", "--yes")["freed_bytes"] == 0
    assert len(list(place.glob("??/*"))) == 1
    freed = quick.json("store", "prune", "--older-than", "0s", "--circuits", "--yes")["freed_bytes"]
    assert (freed, list(place.glob("??/*"))) == (len(circuits[0].data), [])
    assert quick.json("show", first.job_id)["status"] == "DONE"


def test_the_database_itself_lets_go_only_of_what_is_pruned(put: Put, stage: Stage) -> None:
    job, pending = ended(stage, put), put()
    for statement, seq, refusal in (
        ("DELETE FROM experiments WHERE job_seq = :seq", job.seq, "goes only with its job"),
        ("DELETE FROM payloads WHERE job_seq = :seq", job.seq, "go only with their job"),
        ("INSERT INTO prunings (job_seq, results_us) VALUES (:seq, 1)", pending.seq, "only final jobs are pruned"),
        (
            "INSERT OR REPLACE INTO payloads (job_seq, position, name, format, sha256, size_bytes, data) "
            "VALUES (:seq, 0, 'other', 'openqasm2', 'ab', 1, x'61')",
            job.seq,
            "a final job gets no circuits",
        ),
    ):
        with pytest.raises(StoreDamaged, match=refusal), stage.store.writing() as tx:
            tx.execute(text(statement), {"seq": seq})
    with stage.store.writing() as tx:
        prunings.prune(tx, [job.seq], Part.RESULTS, now_us=5)
        prunings.prune(tx, [job.seq], Part.RESULTS, now_us=6)
        assert (prunings.of_job(tx, job.seq).results_us, prunings.of_job(tx, job.seq).circuits_us) == (5, None)
    for statement in (
        "UPDATE prunings SET results_us = NULL",
        "DELETE FROM prunings",
        "INSERT OR REPLACE INTO prunings (job_seq) SELECT job_seq FROM prunings",
    ):
        with pytest.raises(StoreDamaged, match="stays pruned"), stage.store.writing() as tx:
            tx.execute(text(statement))
    with pytest.raises(StoreDamaged, match="go only with their job"), stage.store.writing() as tx:
        tx.execute(text("DELETE FROM payloads WHERE job_seq = :seq"), {"seq": job.seq})


def test_a_large_database_is_not_written_anew_beside_a_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compaction, "_BESIDE_A_WORKER_BYTES", 100_000)
    monkeypatch.setattr(compaction, "_WORTH_BYTES", 50_000)
    scene = Scene(tmp_path / "home")
    process = scene.start_worker()
    jobs = scene.put(*(scene.request(f"{BELL}{LARGE[:200_000]}") for _ in range(3)))
    for job in jobs:
        scene.wait_for_status(job, Status.DONE)
    assert scene.client.delete(jobs[0])
    done = compaction.compact(scene.store)
    assert (done.freed_bytes, done.left_bytes > 150_000) == (0, True)
    process.terminate()
    process.wait()
    with (
        ThreadPoolExecutor(1) as pool,
        closing(Store.open(scene.paths, busy_timeout_s=5)) as impatient,
        closing(raw_connection(scene.paths.database, busy_timeout_s=0)) as reader,
    ):
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM jobs").fetchone()
        # Who reads what was there before is waited for, but nobody who writes has to wait with us.
        compacting = pool.submit(compaction.compact, scene.store)
        while not compacting.done():
            with impatient.writing_directly() as tx:
                tags.tag(tx, [jobs[1].seq], add=("written",), remove=())
        done = compacting.result()
        assert (done.is_over, done.left_bytes, done.freed_bytes > 150_000) == (False, 0, True)
        size_bytes = scene.paths.database.stat().st_size
        reader.execute("COMMIT")
    assert compaction.compact(scene.store).is_over
    assert scene.paths.database.stat().st_size <= size_bytes - 150_000
    assert compaction.compact(scene.store) == compaction.Compaction()
    scene.stop()


@pytest.mark.parametrize("arguments", [(), ("--keep-tag", "paper"), ("--results",)])
def test_which_jobs_are_meant_must_be_said(quick: Quick, put: Put, stage: Stage, arguments: tuple[str, ...]) -> None:
    ended(stage, put)
    code, _, told = quick("store", "prune", *arguments, "--yes")
    assert code == 2
    assert "say which jobs are meant" in told
    assert len(listed(quick)) == 1
