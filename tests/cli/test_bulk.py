"""Verbs that mean all jobs of a kind: which these are, the question before, and what comes in between."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from aerjob_cli.api.client import Client
from aerjob_cli.api.requests import Plan
from aerjob_cli.cli import interrupts, part_by_part
from aerjob_cli.settings import JOBS_CHANGED_AT_ONCE, JOBS_PER_TRANSACTION, Settings, StorePaths
from aerjob_cli.states import PENDING, Status
from aerjob_cli.store.listing import JobFilter
from aerjob_cli.store.records import JobRecord
from tests.cli.conftest import Put, Quick
from tests.support.circuits import BELL
from tests.support.command_line import CommandLine
from tests.support.pseudo_terminal import PseudoTerminal
from tests.support.running import Scene, until
from tests.support.staging import Stage

DAY_US = 86_400 * 1_000_000


@pytest.fixture
def stage(idle: CommandLine) -> Iterator[Stage]:
    with Stage(StorePaths(idle.home)) as opened:
        yield opened


@pytest.fixture
def three(put: Put, stage: Stage) -> tuple[JobRecord, JobRecord, JobRecord]:
    """One that is DONE, one in ERROR and one that queues, all with the tag `x`, the last two named alike."""
    done, failed, queued = (put(tags=("x",), name=name, plan=Plan(1, 1)) for name in ("a", "b1", "b2"))
    stage.run_through(done)
    stage.start(failed)
    stage.fail(failed)
    return done, failed, queued


def ids(value: dict[str, Any]) -> list[str]:
    return [job["job_id"] for job in value["jobs"]]


def test_every_verb_means_those_that_fit(quick: Quick, put: Put, three: tuple[JobRecord, ...]) -> None:
    done, failed, queued = (job.job_id for job in three)
    put(name="b3")
    x = ("--tag", "x", "--dry-run")
    assert ids(quick.json("tag", *x, "--add", "y")) == [done, failed, queued]
    assert ids(quick.json("cancel", *x)) == [queued]
    assert ids(quick.json("rm", *x)) == [done, failed]
    assert ids(quick.json("retry", *x)) == [done, failed]
    assert ids(quick.json("rm", *x, "--status", "error", "--status", "queued")) == [failed]
    assert ids(quick.json("retry", *x, "--reason", "simulation_failed")) == [failed]
    assert ids(quick.json("tag", *x, "--add", "y", "--name", "b*")) == [failed, queued]
    assert quick.json("tag", *x, "--add", "y", "--until", "1d", exit_code=3)["error"]["code"] == "nothing_matched"
    assert ids(quick.json("retry", "--failed", *x)) == [failed]
    # Nothing of that was done.
    assert [job["tags"] for job in quick.json("list", "--tag", "x")["jobs"]] == [["x"]] * 3

    assert quick("wait", "--tag", "x", "--status", "done", "--status", "error")[0] == 1
    assert quick("result", "--name", "b*", "--reason", "simulation_failed")[:2] == (1, "")
    assert ids(quick.json("tag", "--reason", "simulation_failed", "--add", "y")) == [failed]
    assert ids(quick.json("retry", "--tag", "y")) != [failed]
    assert quick.json("rm", "--tag", "y", "--yes")["job_ids"] == [failed]
    assert ids(quick.json("cancel", "--name", "b2")) == [queued]


def test_what_has_been_tried_again_is_not_meant_a_second_time(quick: Quick, three: tuple[JobRecord, ...]) -> None:
    _, failed, _ = (job.job_id for job in three)
    exit_code, stdout, stderr = quick("retry", "--reason", "simulation_failed")
    assert (exit_code, stderr) == (0, f"job {stdout.strip()} is job {failed} once more\n")
    assert quick("retry", "--reason", "simulation_failed")[:2] == (3, "")
    # By its id it is, whoever has a reason.
    assert ids(quick.json("retry", failed)) != []


def test_how_long_ago(quick: Quick, idle: CommandLine, stage: Stage) -> None:
    scene = Scene(idle.home)
    old, late, waiting = scene.put(*(scene.request(BELL, plan=Plan(1, 1)) for _ in range(3)))
    # As if they had waited since, and the first had begun at once.
    with stage.store.writing() as tx:
        tx.exec_driver_sql("UPDATE jobs SET submitted_us = submitted_us - ?", (40 * DAY_US,))
    stage.start(old)
    with stage.store.writing() as tx:
        tx.exec_driver_sql(
            "UPDATE jobs SET started_us = submitted_us, finished_us = submitted_us + 1, status = 'CANCELLED', "
            "reason = 'USER_CANCELLED', claim_token = NULL WHERE seq = ?",
            (old.seq,),
        )
    stage.run_through(late)
    (fresh,) = scene.put(scene.request(BELL))
    scene.client.close()
    assert ids(quick.json("list", "--older-than", "30d")) == [waiting.job_id, old.job_id]
    assert ids(quick.json("list", "--older-than", "50d")) == []
    assert set(ids(quick.json("list", "--older-than", "0s"))) == {job.job_id for job in (old, late, waiting, fresh)}
    assert ids(quick.json("cancel", "--older-than", "30d")) == [waiting.job_id]
    assert quick.json("rm", "--older-than", "30d", "--yes")["job_ids"] == [old.job_id]
    assert quick.json("rm", "--older-than", "soon", exit_code=2)["error"]["code"] == "invalid_duration"


@pytest.mark.parametrize(
    "arguments",
    [
        *("rm --tag x", "rm --status error", "rm last --tag x", "rm --dry-run", "retry --dry-run", "tag --add t"),
        *("retry --failed", "retry --failed --status done --tag x", "wait --json", "cancel last --older-than 1d"),
    ],
)
def test_what_is_refused_with_nothing_done(quick: Quick, three: tuple[JobRecord, ...], arguments: str) -> None:
    before = quick.json("list")
    exit_code, stdout, stderr = quick(*arguments.split())
    assert exit_code == 2
    assert len((stderr or stdout).splitlines()) == 1
    assert quick.json("list") == before
    if arguments == "rm --tag x":
        assert "to delete 2 jobs takes a yes" in stderr
        assert "--yes" in stderr


QUESTIONS = (
    ("cancel", "cancel 1 job? [y/N]", "n\r", 2),
    ("retry", "try 2 jobs again? [y/N]", "\r", 2),
    ("rm", "delete 2 jobs? [y/N]", "\x04", 2),
    ("rm", "delete 2 jobs? [y/N]", "\x03", 130),
)


def test_a_terminal_asks(idle: CommandLine, three: tuple[JobRecord, ...], stage: Stage) -> None:
    before = [stage.look(job) for job in three]
    for verb, question, answer, exit_code in QUESTIONS:
        with PseudoTerminal(idle, verb, "--tag", "x", columns=120) as terminal:
            terminal.wait_for(question)
            terminal.press(answer)
            assert terminal.end() == exit_code
            assert ("nobody said yes" in terminal.text) is (exit_code == 2)
    assert [stage.look(job) for job in three] == before
    with PseudoTerminal(idle, "cancel", "--tag", "x", columns=120) as terminal:
        terminal.wait_for("cancel 1 job? [y/N]")
        terminal.press("y\r")
        assert terminal.end() == 0
    assert stage.look(three[2]).status is Status.CANCELLED


@pytest.mark.parametrize("words", [("rm", "--tag", "x", "--yes"), ("rm", "last"), ("tag", "--tag", "x", "--add", "y")])
def test_a_terminal_does_not_ask(idle: CommandLine, put: Put, quick: Quick, words: tuple[str, ...]) -> None:
    quick("cancel", put(tags=("x",)).job_id)
    with PseudoTerminal(idle, *words, columns=120) as terminal:
        assert terminal.end() == 0
        assert "[y/N]" not in terminal.text


def test_what_fits_no_longer_is_left_alone(
    quick: Quick, three: tuple[JobRecord, ...], idle: CommandLine, stage: Stage
) -> None:
    client = Client(Settings(paths=StorePaths(idle.home)))
    queued = JobFilter(statuses=(Status.QUEUED,))
    meant = client.match(queued)
    failed = client.match(JobFilter(statuses=(Status.ERROR,), not_retried=True))
    stage.start(three[2])
    assert client.cancel_all(meant) == []
    assert stage.look(three[2]).status is Status.RUNNING
    assert len(client.retry(failed)) == 1
    # As somebody else would who has looked at the same time.
    assert client.retry(failed) == []
    client.close()


AT_ONCE, IN_A_PART = 20, 10
MANY = AT_ONCE + 1


@pytest.fixture
def many(idle: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """A store with one more job in a group than are changed at once."""
    monkeypatch.setattr(part_by_part, "JOBS_CHANGED_AT_ONCE", AT_ONCE)
    monkeypatch.setattr(part_by_part, "JOBS_PER_TRANSACTION", IN_A_PART)
    scene = Scene(idle.home)
    scene.put(*(scene.request(BELL, group="g", plan=Plan(1, 1)) for _ in range(MANY)))
    yield scene
    scene.client.close()


def count(scene: Scene, *statuses: Status) -> int:
    return len(scene.client.match(JobFilter(group="g", statuses=statuses)).seqs)


def test_many_go_some_at_a_time_and_a_signal_loses_none(
    many: Scene, quick: Quick, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[int] = []

    def interrupted_at(number: int, name: str) -> None:
        real = getattr(Client, name)

        def changed(self: Client, *arguments: Any, **options: Any) -> Any:
            found = real(self, *arguments, **options)
            commits.append(len(arguments[0].seqs))
            if len(commits) == number:
                signal.raise_signal(signal.SIGINT)
            return found

        commits.clear()
        monkeypatch.setattr(Client, name, changed)

    interrupted_at(2, "request_cancels")
    done = quick.json("cancel", "--group", "g", exit_code=130)
    assert commits == [IN_A_PART] * 2
    assert done["error"]["code"] == "stopped"
    assert len(done["jobs"]) == count(many, Status.CANCELLED) == sum(commits)
    assert len(quick.json("cancel", "--group", "g")["jobs"]) == MANY - sum(commits[:2])
    assert count(many, *PENDING) == 0

    interrupted_at(1, "retry")
    exit_code, stdout, stderr = quick("retry", "--group", "g")
    assert exit_code == 130
    assert f"{IN_A_PART} of {MANY} jobs are tried again, the others are as they were" in stderr
    assert len(stdout.split()) == count(many, Status.QUEUED) == IN_A_PART
    # The same command does the rest.
    assert len(quick.json("retry", "--group", "g")["jobs"]) == MANY - IN_A_PART

    assert len(quick.json("rm", "--group", "g", "--status", "cancelled", "--yes")["job_ids"]) == MANY
    assert count(many) == MANY
    assert len(quick.json("tag", "--group", "g", "--add", "t")["jobs"]) == MANY


def test_ids_that_a_second_signal_left_unknown_are_told(
    many: Scene, quick: Quick, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert quick("cancel", "--group", "g")[0] == 0
    real = Client.wake_worker
    calls: list[None] = []

    def woken(self: Client) -> None:
        # The new jobs are committed, and nobody has been told of them.
        calls.append(None)
        if len(calls) == 2:
            raise interrupts.Interrupted(signal.SIGINT)
        real(self)

    monkeypatch.setattr(Client, "wake_worker", woken)
    done = quick.json("retry", "--group", "g", exit_code=130)
    assert len(done["jobs"]) == count(many, Status.QUEUED) == 2 * IN_A_PART


def test_a_kill_leaves_whole_parts_and_the_same_command_does_the_rest(idle: CommandLine) -> None:
    scene = Scene(idle.home)
    jobs = scene.put(*(scene.request(BELL, group="g", plan=Plan(1, 1)) for _ in range(JOBS_CHANGED_AT_ONCE + 1)))
    scene.client.cancel_all(jobs)
    process = idle.start("retry", "--group", "g")
    until(lambda: count(scene, Status.QUEUED) or None)
    process.kill()
    process.communicate()
    assert count(scene, Status.QUEUED) % JOBS_PER_TRANSACTION in (0, 1)
    assert idle("retry", "--group", "g").returncode in (0, 3)
    again = scene.client.listed(JobFilter(group="g", statuses=(Status.QUEUED,)), limit=None)
    assert sorted(str(job.retry_of) for job in again) == sorted(job.job_id for job in jobs)
    scene.client.close()


def test_what_others_wait_for_stays(quick: Quick, put: Put, three: tuple[JobRecord, ...]) -> None:
    done, failed, _ = (job.job_id for job in three)
    waiting = put(hold=True, after=(done,), plan=Plan(1, 1))
    assert ids(quick.json("rm", "--tag", "x", "--dry-run")) == [failed]
    assert quick.json("rm", done, exit_code=8)["error"]["code"] == "awaited"
    code, stdout, stderr = quick("rm", "--tag", "x", "--yes")
    assert (code, stdout) == (0, f"{failed}\n")
    assert "1 job stayed: jobs that have not ended depend on them" in stderr
    quick.json("cancel", waiting.job_id)
    assert quick.json("rm", "--tag", "x", "--yes")["job_ids"] == [done]


def test_of_many_jobs_those_that_depend_on_others_are_cancelled_as_well(many: Scene, quick: Quick) -> None:
    first = many.client.listed(JobFilter(group="g"), limit=1, descending=False)[0]
    (last,) = many.put(many.request(BELL, group="g", after_ok=(first.job_id,), plan=Plan(1, 1)))
    cancelled = quick.json("cancel", "--group", "g", "--yes")["jobs"]
    assert [cancelled[0]["job_id"], cancelled[-1]["job_id"]] == [first.job_id, last.job_id]
    assert {many.client.find(job.job_id).status for job in (first, last)} == {Status.CANCELLED}
