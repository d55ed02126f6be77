"""`events`: the history of jobs as JSON lines; each event once, in order, from a number on."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aerjob_cli.api.requests import Plan
from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store import cancels, deletions, event_feed
from aerjob_cli.store.events import note
from tests.cli.conftest import Put, Quick
from tests.support.bundles import bell, write_bundle
from tests.support.circuits import BELL
from tests.support.command_line import CommandLine
from tests.support.running import Scene
from tests.support.staging import Stage

Event = dict[str, Any]
CHECKED = Plan(1, 1)


def events(quick: Quick, *arguments: str) -> list[Event]:
    code, stdout, stderr = quick("events", *arguments)
    assert (code, stderr) == (0, "")
    return [json.loads(line) for line in stdout.splitlines()]


def seqs(found: list[Event]) -> list[int]:
    return [event["seq"] for event in found]


@contextmanager
def following(aerjob: CommandLine, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = aerjob.start("events", "--follow", *arguments)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def told(process: subprocess.Popen[str]) -> Event:
    assert process.stdout is not None
    return dict(json.loads(process.stdout.readline()))


def test_a_line_says_which_job_moved_and_how(quick: Quick, put: Put, idle: CommandLine) -> None:
    job = put(name="bell", tags=("b", "a"), group="g", plan=CHECKED)
    with Stage(StorePaths(idle.home)) as stage:
        stage.start(job)
        stage.fail(job)
    first, begun, last = events(quick)
    assert first | {"at": None} == {
        "schema_version": 1,
        "seq": 1,
        "job_id": job.job_id,
        "at": None,
        "from": None,
        "to": "QUEUED",
        "attempt": 0,
        "worker_id": None,
        "why": "submitted",
        "reason": None,
        "name": "bell",
        "group": "g",
        "tags": ["a", "b"],
    }
    assert first["at"].endswith("Z")
    assert (begun["from"], begun["to"], begun["attempt"], begun["reason"]) == ("QUEUED", "RUNNING", 1, None)
    assert (last["from"], last["to"], last["reason"]) == ("RUNNING", "ERROR", "SIMULATION_FAILED")
    assert quick("events", "--json") == quick("events")
    assert events(quick, "--after", str(first["seq"]), "--limit", "1") == [begun]


def test_which_jobs(quick: Quick, put: Put) -> None:
    put(name="other")
    made = [put(name=f"bell-{number}", tags=("t",), group="g", hold=True, plan=CHECKED) for number in range(3)]
    assert quick("cancel", "--group", "g", "--yes")[0] == 0
    assert seqs(events(quick)) == list(range(1, 8))
    ours = [2, 3, 4, 5, 6, 7]
    for chosen in ("--group g", "--tag t", "--name bell-*", "--group g --tag t --backend qasm_simulator"):
        assert seqs(events(quick, *chosen.split())) == ours, chosen
    assert seqs(events(quick, "--group", "g", "--after", "5")) == [6, 7]
    assert events(quick, "--group", "none") == []
    mixed = events(quick, made[2].job_id, made[0].job_id[:8], made[2].job_id)
    assert seqs(mixed) == sorted(seqs(mixed))
    assert {event["job_id"] for event in mixed} == {made[0].job_id, made[2].job_id}
    assert len(mixed) == 4
    assert events(quick, made[0].job_id, "--after", "99") == []
    assert quick("events", "ffffffff")[0] == 3
    assert quick("events", made[0].job_id, "--tag", "t")[0] == 2


def test_pages_meet_without_a_gap(quick: Quick, put: Put, idle: CommandLine) -> None:
    one, *others = [put(plan=CHECKED) for _ in range(3)]
    scene = Scene(idle.home)
    # A job of more moves than are read at once, and more events than a page has.
    with scene.store.writing_directly() as tx:
        moves = [one.seq] * (2 * event_feed.PAGE)
        note(tx, moves, at_us=scene.store.now_us(), source=Status.QUEUED, target=Status.QUEUED, why="again")
    scene.client.close()
    found = events(quick, one.job_id)
    assert len(found) > 2 * event_feed.PAGE
    assert seqs(found) == sorted(set(seqs(found)))
    everything = seqs(events(quick))
    assert everything == sorted(set(everything))
    assert set(everything) - set(seqs(found)) == {2, 3}
    assert seqs(events(quick, one.job_id, *(job.job_id for job in others))) == everything


def test_a_number_stays_a_cursor_when_jobs_are_deleted(quick: Quick, put: Put) -> None:
    gone, kept = put(hold=True, plan=CHECKED), put(hold=True, plan=CHECKED)
    quick("cancel", gone.job_id)
    last = events(quick)[-1]["seq"]
    quick("rm", gone.job_id)
    quick("cancel", kept.job_id)
    (after,) = events(quick, "--after", str(last))
    assert (after["seq"], after["job_id"], after["to"]) == (last + 1, kept.job_id, "CANCELLED")


def test_following_ends_when_the_jobs_have_and_each_line_comes_at_once(idle: CommandLine, put: Put) -> None:
    first, second, other = (put(hold=True, plan=CHECKED) for _ in range(3))
    scene = Scene(idle.home)
    with following(idle, first.job_id, second.job_id) as process:
        assert [told(process)["job_id"] for _ in range(2)] == [first.job_id, second.job_id]
        for job in (first, other):
            scene.client.cancel(job)
        event = told(process)
        assert (event["job_id"], event["to"], event["reason"]) == (first.job_id, "CANCELLED", "USER_CANCELLED")
        scene.client.cancel(second)
        stdout, stderr = process.communicate(timeout=60)
        (line,) = stdout.splitlines()
        assert json.loads(line)["job_id"] == second.job_id
        assert (process.returncode, stderr) == (0, "")
    assert idle("events", "--follow", first.job_id, "--after", "100").stdout == ""
    scene.client.close()


def test_following_goes_on_with_new_jobs_until_a_signal(idle: CommandLine, put: Put) -> None:
    put(group="g", plan=CHECKED)
    with following(idle, "--group", "g") as process:
        assert told(process)["seq"] == 1
        put(plan=CHECKED)
        put(group="g", plan=CHECKED)
        assert told(process)["seq"] == 3
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 130
    with following(idle, "--after", "2") as process:
        assert told(process)["seq"] == 3
        process.terminate()
        assert process.wait(timeout=60) == 143


def test_following_ends_when_its_reader_has_left_or_a_job_is_deleted(idle: CommandLine, put: Put) -> None:
    job = put(hold=True, plan=CHECKED)
    with following(idle) as process:
        assert told(process)["seq"] == 1
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(timeout=60) == 0
        process.stdout = None
    scene = Scene(idle.home)
    with following(idle, job.job_id, "--after", "1") as process:
        # In one look: between two nobody can tell what was deleted.
        with scene.store.writing_directly() as tx:
            cancels.request_cancels(tx, [job.seq], now_us=scene.store.now_us(), message=None)
            deletions.delete_final(tx, [job.seq])
        assert process.wait(timeout=60) == 3
        assert process.stderr is not None
        assert job.job_id in process.stderr.read()
    scene.client.close()


def test_a_sweep_is_followed_to_its_end(aerjob: CommandLine) -> None:
    (aerjob.folder / "bell.qasm").write_text(BELL)
    ids = aerjob("submit", *["bell.qasm"] * 20, "--group", "g").stdout.split()
    done = aerjob("events", "--follow", *ids)
    assert done.returncode == 0, done
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert seqs(found) == sorted(set(seqs(found)))
    assert sorted(event["job_id"] for event in found if event["to"] == "DONE") == sorted(ids)
    for job_id in ids:
        moves = [event["to"] for event in found if event["job_id"] == job_id]
        assert (moves[0], moves[-1], moves.count("DONE")) == ("INITIALIZING", "DONE", 1)


def test_what_happened_to_imported_jobs_elsewhere_comes_before_all_that_happened_here(
    quick: Quick, put: Put, tmp_path: Path
) -> None:
    own = put(plan=CHECKED)
    moves = [(None, "QUEUED"), ("QUEUED", "RUNNING"), ("RUNNING", "DONE")]
    history = [
        {
            "at": f"2026-01-31T12:00:0{number}.000000Z",
            "from_status": source,
            "to_status": target,
            "attempt": min(number, 1),
            "worker_id": None,
            "why": "there",
            "runtime_id": None,
        }
        for number, (source, target) in enumerate(moves)
    ]
    write_bundle(tmp_path / "jobs.zip", [bell(history=history)])
    (job_id,) = quick.json("import", str(tmp_path / "jobs.zip"))["job_ids"]
    of_job = events(quick, job_id)
    assert [event["to"] for event in of_job] == ["QUEUED", "RUNNING", "DONE", "DONE"]
    assert of_job[-1]["why"].startswith("imported from ")
    assert max(seqs(of_job[:-1])) < 0 < of_job[-1]["seq"]
    everything = events(quick)
    assert seqs(everything) == sorted(seqs(everything))
    assert [event["job_id"] for event in everything[-2:]] == [own.job_id, job_id]
    # Who has read all is told that it came in, and nothing of what had happened to it.
    assert [event["job_id"] for event in events(quick, "--after", str(everything[-2]["seq"]))] == [job_id]
