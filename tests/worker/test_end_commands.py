"""Commands for the end of a job: each runs once, whoever ended the job, and the worker waits for none of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from aerjob_cli.api.requests import Plan
from aerjob_cli.errors import InputRefused
from aerjob_cli.processes import started_of
from aerjob_cli.states import Status
from aerjob_cli.store import end_commands
from aerjob_cli.store.backup import back_up
from aerjob_cli.store.doorbell import ring
from aerjob_cli.store.end_commands import LOST, EndCommandRecord
from aerjob_cli.store.records import JobRecord
from aerjob_cli.worker.end_commands import RUN_AT_ONCE
from tests.support.circuits import BELL, ENDLESS
from tests.support.command_line import CommandLine
from tests.support.running import Scene, scene_in, until

BAD = BELL.replace("cx q[0],q[1];", "cx q[0],q[7];")
TELL = 'echo "$AERJOB_JOB_ID $AERJOB_JOB_STATUS ${AERJOB_JOB_REASON:-none} $AERJOB_JOB_NAME" >> "$AERJOB_HOME/told"'
CHECKED = Plan(1, 1)


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """A worker for many tests; a command may run for a second."""
    with scene_in(tmp_path_factory.mktemp("ends") / "home") as made:
        made.start_worker("--on-end-limit", "1")
        yield made


def put(scene: Scene, text: str = BELL, command: str = TELL, **changes: object) -> JobRecord:
    (job,) = scene.put(scene.request(text, on_end=command, **changes))
    ring(scene.paths.doorbell)
    return job


def came_of(scene: Scene, job: JobRecord) -> EndCommandRecord:
    """Wait until the command of a job has finished."""

    def look(tx: object) -> EndCommandRecord | None:
        found = end_commands.of_job(tx, job.seq)  # type: ignore[arg-type]
        return None if found is None or found.finished_us is None else found

    return scene.wait(look)


def told(scene: Scene) -> dict[str, list[str]]:
    """Give what commands have written, by the ids of the jobs."""
    place = scene.paths.home / "told"
    lines = place.read_text().splitlines() if place.exists() else []
    return {
        line.split()[0]: [other.partition(" ")[2] for other in lines if other.startswith(line[:36])] for line in lines
    }


def test_each_way_to_end_is_told_of_once(busy: Scene) -> None:
    done, refused = put(busy, name="a b"), put(busy, BAD, name="bad")
    dependent = put(busy, name="next", after_ok=(refused.job_id,))
    running = put(busy, ENDLESS, name="endless", plan=CHECKED)
    busy.wait_for_status(running, Status.RUNNING)
    held = put(busy, name="held", hold=True, plan=CHECKED)
    busy.client.cancel_all([held, running])
    busy.wait_for_status(done, Status.DONE)
    (again,) = busy.client.retry([busy.client.find(done.job_id)])
    ring(busy.paths.doorbell)
    for job in (done, refused, dependent, running, held, again):
        assert came_of(busy, job).outcome == "exited with code 0"
    found = told(busy)
    assert [found[job.job_id] for job in (done, refused, dependent, running, held, again)] == [
        ["DONE none a b"],
        ["ERROR INVALID_CIRCUIT bad"],
        ["ERROR DEPENDENCY_FAILED next"],
        ["CANCELLED USER_CANCELLED endless"],
        ["CANCELLED USER_CANCELLED held"],
        ["DONE none a b"],
    ]


def test_what_becomes_of_a_command_is_noted_and_its_output_logged(busy: Scene) -> None:
    failing = put(busy, command="echo one; printf '\\033[31mtwo' >&2; exit 3")
    missing = put(busy, command="--no-such-command")
    killed = put(busy, command="kill -TERM $$")
    assert came_of(busy, failing).outcome == "exited with code 3"
    assert came_of(busy, missing).outcome == "exited with code 127"
    assert came_of(busy, killed).outcome == "died of SIGTERM"
    log = busy.log()
    assert f"job {failing.job_id}: on-end: one\n" in log
    assert f"job {failing.job_id}: on-end:  [31mtwo\n" in log
    assert f"job {missing.job_id}: on-end: " in log


def test_one_that_hangs_is_killed_with_its_children_and_holds_nobody_up(busy: Scene) -> None:
    hanging = [put(busy, command='sleep 600 & echo $! > "$AERJOB_JOB_ID.pid"; wait', plan=CHECKED) for _ in range(2)]
    other = put(busy)
    assert came_of(busy, other).outcome == "exited with code 0"
    for job in hanging:
        assert came_of(busy, job).outcome == "killed: it ran longer than 1 s"
        place = Path(busy.client.find(job.job_id).submitted_by["folder"], f"{job.job_id}.pid")
        pid = int(place.read_text())
        place.unlink()
        until(partial(is_dead, pid))


def is_dead(pid: int) -> bool | None:
    return True if started_of(pid) is None else None


def test_one_that_floods_its_output_goes_on_and_little_is_logged(busy: Scene) -> None:
    lines = put(busy, command="seq 200000")
    endless = put(busy, command="head -c 3000000 /dev/zero | tr '\\0' x")
    assert came_of(busy, lines).outcome == "exited with code 0"
    assert came_of(busy, endless).outcome == "exited with code 0"
    said = [line for line in busy.log().splitlines() if f"{endless.job_id}: on-end: " in line]
    assert sum(line.count("x") for line in said) >= 64 * 1024
    assert said[-1].endswith(f"({3000000 - 64 * 1024} more bytes are left out)")
    said = [line for line in busy.log().splitlines() if f"{lines.job_id}: on-end: " in line]
    assert [line.rpartition(" ")[2] for line in said[:500]] == [str(number) for number in range(1, 501)]
    assert len(said) == 501


def test_a_child_that_keeps_the_pipe_open_keeps_nobody(busy: Scene) -> None:
    job = put(busy, command="sleep 5 & exit 7")
    assert came_of(busy, job).outcome == "exited with code 7"


def test_it_runs_in_the_folder_of_the_submission_or_in_the_stores(
    busy: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [tmp_path / "there it's", tmp_path / "gone"]
    jobs = []
    for folder in folders:
        folder.mkdir()
        monkeypatch.chdir(folder)
        jobs.append(put(busy, command='pwd > "$AERJOB_HOME/$AERJOB_JOB_ID"', hold=True, plan=CHECKED))
    monkeypatch.chdir(tmp_path)
    folders[1].rmdir()
    busy.client.cancel_all(jobs)
    ring(busy.paths.doorbell)
    places = []
    for job in jobs:
        assert came_of(busy, job).outcome == "exited with code 0"
        places.append((busy.paths.home / job.job_id).read_text().strip())
    assert places == [str(folders[0]), str(busy.paths.home)]


def test_many_run_once_each_and_few_at_a_time(busy: Scene) -> None:
    counting = (
        'now="$AERJOB_HOME/now"; mkdir -p "$now"; touch "$now/$$"; ls "$now" | wc -l >> "$AERJOB_HOME/most"; '
        'rm "$now/$$"; '
    )
    requests = [busy.request(BELL, on_end=counting + TELL, hold=True, plan=CHECKED) for _ in range(60)]
    jobs = busy.put(*requests)
    busy.client.cancel_all(jobs)
    ring(busy.paths.doorbell)
    for job in jobs:
        assert came_of(busy, job).outcome == "exited with code 0"
    assert [len(told(busy)[job.job_id]) for job in jobs] == [1] * 60
    assert max(map(int, (busy.paths.home / "most").read_text().split())) <= RUN_AT_ONCE


def test_of_a_worker_that_is_killed_they_are_lost_and_not_repeated(scene: Scene) -> None:
    worker = scene.start_worker()
    jobs = scene.put(*(scene.request(BELL, on_end=f"{TELL}; exec sleep 60", hold=True, plan=CHECKED) for _ in range(9)))
    scene.client.cancel_all(jobs)
    ring(scene.paths.doorbell)
    until(lambda: len(told(scene)) == RUN_AT_ONCE or None)
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    # One that was marked, of which nobody has seen a process.
    with scene.store.writing() as tx:
        (marked,) = end_commands.begin(tx, "a worker that is no more", limit=1, now_us=scene.store.now_us())
    scene.start_worker("--on-end-limit", "0.2")
    outcomes = [came_of(scene, job).outcome for job in jobs]
    assert outcomes == [LOST] * (RUN_AT_ONCE + 1) + ["killed: it ran longer than 0.2 s"] * (8 - RUN_AT_ONCE)
    found = told(scene)
    assert {job_id: len(lines) for job_id, lines in found.items()} == {
        job.job_id: 1 for job in jobs if job.job_id != marked.job_id
    }
    assert f"job {marked.job_id}: its --on-end command {LOST}" in scene.log()


def test_a_worker_that_is_stopped_kills_what_runs_after_its_grace_and_leaves_the_rest(scene: Scene) -> None:
    worker = scene.start_worker("--drain-grace", "0.2")
    jobs = scene.put(*(scene.request(BELL, on_end=f"{TELL}; sleep 60", hold=True, plan=CHECKED) for _ in range(5)))
    scene.client.cancel_all(jobs)
    ring(scene.paths.doorbell)
    until(lambda: len(told(scene)) == RUN_AT_ONCE or None)
    worker.terminate()
    assert worker.wait() == 0
    with scene.store.reading() as tx:
        found = [end_commands.of_job(tx, job.seq) for job in jobs]
    assert [record and record.outcome for record in found] == ["killed: the worker was stopped"] * RUN_AT_ONCE + [None]
    assert found[-1] == EndCommandRecord(None, None, None, None)


def test_a_copy_of_the_store_does_not_run_what_the_original_will(scene: Scene, tmp_path: Path) -> None:
    due, waiting = scene.put(*(scene.request(BELL, on_end=TELL, hold=True, plan=CHECKED) for _ in range(2)))
    scene.client.cancel_all([due])
    back_up(scene.store, tmp_path / "copy")
    with scene_in(tmp_path / "copy") as copy:
        copy.client.cancel_all([copy.client.find(waiting.job_id)])
        # Whoever cancels it has started a worker.
        assert came_of(copy, waiting).outcome == "exited with code 0"
        assert (came_of(copy, due).outcome or "").startswith("not run here")
        assert list(told(copy)) == [waiting.job_id]
    assert scene.peek(lambda tx: end_commands.of_job(tx, due.seq)) == EndCommandRecord(None, None, None, None)


def test_who_cancels_sees_to_a_worker_and_show_says_what_came(aerjob: CommandLine) -> None:
    (aerjob.folder / "bell.qasm").write_text(BELL)
    (job,) = aerjob.json("submit", "bell.qasm", "--hold", "--on-end", "echo $AERJOB_JOB_STATUS > told")["jobs"]
    assert job["on_end"] == "echo $AERJOB_JOB_STATUS > told"
    assert "its command\twill be run when the job has ended\n" in aerjob("show", job["job_id"]).stdout
    assert aerjob.json("show", job["job_id"])["end_command"] is None
    aerjob("worker", "stop")
    aerjob("cancel", job["job_id"])
    with scene_in(aerjob.home) as scene:
        came_of(scene, scene.client.find(job["job_id"]))
        assert (aerjob.folder / "told").read_text() == "CANCELLED\n"
        shown = aerjob.json("show", job["job_id"])["end_command"]
        assert shown["outcome"] == "exited with code 0"
        assert shown["begun_at"] <= shown["finished_at"]
        assert "its command\texited with code 0, " in aerjob("show", job["job_id"]).stdout


@pytest.mark.parametrize("command", ["", " \n", "x" * 4097, "a\0b", "\udcff", 3])
def test_what_is_no_command_is_refused(busy: Scene, command: str) -> None:
    with pytest.raises(InputRefused, match="on_end") as refused:
        put(busy, command=command)
    assert refused.value.fields["field"] == "on_end"


def test_the_command_line_refuses_it_whole(aerjob: CommandLine) -> None:
    (aerjob.folder / "bell.qasm").write_text(BELL)
    assert aerjob("submit", "bell.qasm", "--on-end", " ").returncode == 6
    assert aerjob.json("list")["jobs"] == []


def test_of_a_deleted_job_nothing_is_run(scene: Scene) -> None:
    due, other = scene.put(*(scene.request(BELL, on_end=TELL, hold=True, plan=CHECKED) for _ in range(2)))
    scene.client.cancel_all([due, other])
    assert scene.client.delete(due)
    scene.start_worker()
    came_of(scene, other)
    assert list(told(scene)) == [other.job_id]
