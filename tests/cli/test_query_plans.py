"""What a verb costs does not grow with the store: no statement of it reads a whole table or sorts what it finds.

The statements are those that the verbs really send. How SQLite runs one does not depend on what is in the tables, but
which of them are sent does: so everything is asked twice, as where few jobs fit each condition, and as where many do.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from aerjob_cli.cli.completion_words import complete
from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Reason, Status
from aerjob_cli.store import cancels, claims, end_commands, experiments, jobs, lifecycle, list_plans, releases
from aerjob_cli.store.end_commands import Finished
from aerjob_cli.store.listing import JobFilter, SortKey, listed
from aerjob_cli.store.records import JobRecord
from tests.cli.conftest import Put, Quick
from tests.support import one_job
from tests.support.bundles import refused, write_bundle
from tests.support.command_line import CommandLine
from tests.support.query_plans import Recorded, recorded, unbounded_steps
from tests.support.staging import WORKER, Stage

FILTERS = (
    *(f"--status {status}" for status in Status),
    *(f"--reason {reason}" for reason in Reason),
    *("--tag demo", "--tag demo --tag other", "--name bell", "--name be*", "--backend qasm_simulator"),
    *("--group g", "--group g --status DONE", "--group g --tag demo --since 1h"),
    *("--older-than 2h", "--older-than 0s", "--older-than 1h --status ERROR", "--older-than 1h --tag demo"),
    *("--since 2h", "--until 2h", "--since 2020-01-01 --until today"),
    *("--status DONE --status ERROR", "--status QUEUED --status RUNNING", "--reason timed_out --reason user_cancelled"),
    *("--status DONE --tag demo", "--status ERROR --since 1h", "--status QUEUED --name be*", "--tag demo --until 1h"),
    *("--name bell --backend qasm_simulator", "--tag demo --backend qasm_simulator --since 1h --status DONE"),
)
# The one that no index answers.
KEYS = [key for key in SortKey if key is not SortKey.DURATION]


@pytest.fixture
def ids(put: Put, idle: CommandLine) -> list[str]:
    """The ids of jobs in most of the states that there are, the first of them DONE."""
    made = [put(name=f"bell-{number}", tags=("demo",), group="g") for number in range(5)]
    with Stage(StorePaths(idle.home)) as stage:
        stage.run_through(made[0])
        stage.validate(made[1], experiments=2)
        stage.start(made[1])
        stage.fail(made[1])
        stage.validate(made[2], experiments=2)
        stage.start(made[2])
        stage.record(made[2], 0)
        stage.validate(made[3], experiments=1)
    return [job.job_id for job in made]


def require_bounded(heard: Recorded, home: StorePaths) -> int:
    """Look at each plan, and count the statements that were looked at."""
    count = 0
    for statement, plan in heard.plans(home):
        assert unbounded_steps(statement, plan) == [], (statement, plan)
        count += 1
    return count


@pytest.mark.parametrize("few", [1, list_plans.FEW])
def test_lists(few: int, quick: Quick, ids: list[str], idle: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_plans, "FEW", few)
    with recorded() as heard:
        for chosen in FILTERS:
            assert quick("list", *chosen.split(), "-n", "2")[0] == 0
        with Stage(StorePaths(idle.home)) as stage, stage.store.reading() as tx:
            for key in KEYS:
                for wanted in (JobFilter(), JobFilter(statuses=(Status.ERROR,)), JobFilter(tags=("demo",), since_us=1)):
                    listed(tx, wanted, limit=2, sort=key)
                    listed(tx, wanted, limit=2, sort=key, descending=False)
    assert require_bounded(heard, StorePaths(idle.home)) > 40


def test_looks_at_jobs(quick: Quick, ids: list[str], idle: CommandLine) -> None:
    done, queued = ids[0], ids[3]
    with recorded() as heard:
        for command in (
            *(f"status {done}", f"status {queued[:8]}", "status last", f"status {' '.join(ids)}", "status ffffffff"),
            *(f"status {done[:-1]}{'1' if done[-1] == '0' else '0'}", f"wait {done}", f"wait {ids[1]} {done}"),
            *("worker status", f"result {done}", f"tag {done} --add new --remove demo", "cancel --tag none"),
            *("status --group g", "status --group none", "wait --group g --timeout 0", "retry --failed --group g"),
            *("tag --group g --add more", "cancel --group g --dry-run", "result --group g", "rm --group none"),
            *("retry --reason simulation_failed --dry-run", "rm --older-than 0s --dry-run"),
            *("rm --older-than 0s --name x -y", "wait --name bell-1 --timeout 0"),
            *("tag --older-than 1h --backend qasm_simulator --add old", "cancel --older-than 1h --status queued"),
            *("events", f"events {done} {queued}", "events --group g", "events --tag demo --name be*"),
            *("retry --tag demo --status error", "result --reason simulation_failed"),
            *("cancel --dry-run --tag demo", f"cancel {queued}", f"retry {done}"),
        ):
            quick(*command.split())
        for words in (
            ["status", ""],
            ["status", done[:1]],
            ["status", done[:4]],
            ["list", "--tag", "d"],
            ["list", "--group", "g"],
        ):
            assert complete(words).candidates, words
        assert complete(["list", "--name", "be"]).candidates
    assert require_bounded(heard, StorePaths(idle.home)) > 20


def test_moving_jobs(quick: Quick, ids: list[str], idle: CommandLine, tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "in.zip", [refused(1), refused(2)])
    with recorded() as heard:
        assert quick("export", ids[0], ids[1], "-o", str(tmp_path / "out.zip"))[0] == 0
        for _ in range(2):
            assert quick("import", str(bundle))[0] == 0
        assert quick("status", "last")[0] == 0
    assert require_bounded(heard, StorePaths(idle.home)) > 20


def test_show_sorts_no_more_than_the_kinds_of_results_of_a_job(quick: Quick, ids: list[str], idle: CommandLine) -> None:
    with recorded() as heard:
        assert quick("show", ids[0], "--experiments")[0] == 0
        assert quick("show", ids[3])[0] == 0
    plans = heard.plans(StorePaths(idle.home))
    steps = {step for statement, plan in plans for step in unbounded_steps(statement, plan)}
    assert steps == {"USE TEMP B-TREE FOR GROUP BY"}


def test_a_worker_at_work(ids: list[str], idle: CommandLine, put: Put) -> None:
    home = StorePaths(idle.home)
    other: JobRecord = put(on_end="true")
    with Stage(home) as stage, recorded() as heard:
        with stage.store.writing() as tx:
            found = claims.claim_validations(tx, WORKER, limit=2, now_us=1)
            assert len(found) == 2
            assert one_job.accept(tx, found[0].claim, experiments_total=2, threads=1, now_us=1)
            (begun, *_) = claims.claim(tx, WORKER, limit=8, now_us=1)
            assert experiments.missing_ranges(tx, begun.job.seq, 2)
            assert lifecycle.give_back(tx, begun.claim, why="of the test", now_us=1)
            cancels.request_cancels(tx, [other.seq, begun.job.seq], now_us=1, message=None)
            assert releases.release_lost(tx, new_worker_id="another", boot_id="b", now_us=1)
            end_commands.begin(tx, WORKER, limit=4, now_us=1)
            end_commands.finish(tx, WORKER, [Finished(other.seq, "of the test", 1)])
            end_commands.give_up_lost(tx, now_us=1)
            end_commands.leave_with_original(tx, now_us=1)
        with stage.store.reading() as tx:
            claims.claims_of(tx, WORKER)
            assert jobs.needs_worker(tx)
            assert jobs.has_waiting(tx)
            end_commands.of_job(tx, other.seq)
            assert jobs.running_of(tx, WORKER) == []
    assert require_bounded(heard, home) > 10
