"""Which jobs `list` shows, in which order, with which columns; and times as people write them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from aerjob_cli.api.requests import Plan
from aerjob_cli.cli.columns import DEFAULT_COLUMNS
from aerjob_cli.cli.times import parse_time, show_age
from aerjob_cli.errors import InvalidTime
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.records import JobRecord
from tests.cli.conftest import Put, Quick
from tests.support.command_line import CommandLine
from tests.support.pseudo_terminal import PseudoTerminal
from tests.support.staging import Stage

_DAY_US = 86_400_000_000
_US_PER_S = 1_000_000


def _ids(value: dict[str, list[dict[str, str]]]) -> list[str]:
    return [job["job_id"] for job in value["jobs"]]


def _of(*jobs: JobRecord) -> list[str]:
    return [job.job_id for job in jobs]


def test_every_option_narrows(quick: Quick, put: Put) -> None:
    one = put(name="bell-1", tags=("x", "y"))
    two = put(name="bell-2", tags=("x",), backend="statevector_simulator")
    three = put(name="ghz [1]")
    quick("cancel", two.job_id)
    assert _ids(quick.json("list", "--name", "bell-*")) == _of(two, one)
    assert _ids(quick.json("list", "--name", "bell-?", "--tag", "y")) == _of(one)
    assert _ids(quick.json("list", "--name", "ghz [1]")) == _ids(quick.json("list", "--name", "* [?]")) == _of(three)
    assert _ids(quick.json("list", "--name", "BELL-*")) == []
    assert _ids(quick.json("list", "--tag", "x", "--tag", "y")) == _of(one)
    assert _ids(quick.json("list", "--reason", "user_cancelled")) == _of(two)
    assert _ids(quick.json("list", "--status", "cancelled", "--status", "INITIALIZING")) == _of(three, two, one)
    assert _ids(quick.json("list", "--backend", "statevector_simulator")) == _of(two)
    now = datetime.now(UTC)
    for option, expected in (
        (("--since", "1h"), _of(three, two, one)),
        (("--since", "today", "--until", (now + timedelta(days=2)).isoformat()), _of(three, two, one)),
        (("--until", "1h"), []),
        (("--since", three.submitted_at.isoformat()), _of(three)),
        (("--until", three.submitted_at.isoformat()), _of(two, one)),
        (("--since", (now + timedelta(days=2)).date().isoformat()), []),
    ):
        assert _ids(quick.json("list", *option)) == expected, option


def test_order_and_length(quick: Quick, put: Put, home: Path) -> None:
    jobs = [put(name=name, priority=priority, plan=Plan(1, 1)) for name, priority in (("b", 0), ("c", 5), ("a", 1))]
    b, c, a = jobs
    with Stage(StorePaths(home)) as stage:
        stage.run_through(c)
    assert _ids(quick.json("list", "--sort", "name")) == _of(a, b, c)
    assert _ids(quick.json("list", "--sort", "-name")) == _of(c, b, a)
    assert _ids(quick.json("list", "--sort=-priority")) == _of(c, a, b)
    assert _ids(quick.json("list", "--sort", "submitted")) == _of(b, c, a)
    assert _ids(quick.json("list", "--sort", "-Duration", "-n", "1")) == _of(c)
    assert _ids(quick.json("list", "--sort", "finished", "--limit", "2")) == _of(c, b)
    more = [put() for _ in range(20)]
    assert len(_ids(quick.json("list"))) == 20
    assert len(_ids(quick.json("list", "--all"))) == len(jobs) + len(more)


def test_columns_are_separated_by_tabs(quick: Quick, put: Put, home: Path) -> None:
    job = put(name="a\tb\n\x1b[31mc", tags=("x", "y z"), plan=Plan(1, 1), shots=5, seed=8)
    with Stage(StorePaths(home)) as stage:
        stage.run_through(job)
    _, stdout, _ = quick("list", "--columns", "id, name,TAGS,shots,seed,experiments,priority,engine,retry_of")
    assert stdout == f"{job.job_id}\ta b [31mc\tx,y z\t5\t8\t1/1\t0\ttest\t\n"
    _, stdout, _ = quick("list")
    assert stdout.count("\t") == len(DEFAULT_COLUMNS) - 1
    _, stdout, _ = quick("list", "--columns", "submitted,started,finished,duration,message,reason")
    submitted, started, finished, duration, message, reason = stdout.rstrip("\n").split("\t")
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", moment) for moment in (submitted, started, finished))
    assert re.fullmatch(r"[\d.]+s", duration)
    assert (message, reason) == ("", "")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--columns", "id,stauts"), "usage", "status"),
        (("--columns", "id,"), "usage", "there is id, status"),
        (("--sort", "stared"), "usage", "started"),
        (("--sort", ""), "usage", "there is submitted"),
        (("--since", "soon"), "invalid_time", "2026-01-31"),
        (("--until", "2026-02-30"), "invalid_time", "2026-02-30"),
        (("--since", "90"), "invalid_time", "90"),
        (("--all", "-n", "3"), "usage", "--limit"),
        (("--status", "lost"), "usage", "lost"),
        (("--reason", "lost"), "usage", "lost"),
    ],
)
def test_what_cannot_be_listed(quick: Quick, arguments: tuple[str, ...], code: str, told: str) -> None:
    error = quick.json("list", *arguments, exit_code=2)["error"]
    assert error["code"] == code
    assert told in error["message"]


NAMES = (
    "n" * 200,
    "日本語の量子回路のとても長い名前とても長い名前とても長い名前",
    "👩‍👩‍👧 e\u0301\x1b[2J\u202e",
    "bell",
)


def _listing(idle: CommandLine, *arguments: str, columns: int) -> list[str]:
    with PseudoTerminal(idle, "list", *arguments, columns=columns, lines=300) as terminal:
        assert terminal.end() == 0
        return [line for line in terminal.lines if line]


def test_names_of_all_kinds_keep_to_their_column(idle: CommandLine, put: Put) -> None:
    jobs = [put(name=name, plan=Plan(12, 1)) for name in NAMES]
    heading, *rows = _listing(idle, columns=80)
    assert heading.split() == ["JOB", "STATUS", "DONE", "BACKEND", "SUBMITTED", "NAME"]
    assert len(rows) == len(jobs)
    for row, job in zip(rows, reversed(jobs), strict=True):
        short, status, done, backend, *_ = row.split()
        assert (job.job_id[:8], status, done, backend) == (short, "QUEUED", "0/12", "qasm_simulator")
        assert "s ago" in row
    assert rows[0].endswith("  bell")
    assert rows[2].endswith("…")
    assert rows[3].endswith("nnn…")
    place = heading.index("NAME")
    assert [row[place - 2 : place] for row in (rows[0], rows[3])] == ["  ", "  "]


def test_sentences_are_folded_and_no_id_is(idle: CommandLine, put: Put) -> None:
    words = " ".join(f"word{number}" for number in range(40))
    job = put()
    assert idle("cancel", job.job_id, "--reason", words).returncode == 0
    _, *rows = _listing(idle, "--columns", "id,status,message", columns=80)
    assert " ".join(" ".join(rows).split()) == f"{job.job_id[:8]} CANCELLED {words}"
    narrow = _listing(idle, "--columns", "id,status,backend,method,message", columns=30)
    assert any(row.startswith(job.job_id[:8]) for row in narrow)


def test_a_person_is_told_that_there_are_more(idle: CommandLine, put: Put) -> None:
    put(), put()
    assert "there are more" in _listing(idle, "-n", "1", columns=80)[-1]
    assert "more" not in _listing(idle, "-n", "2", columns=80)[-1]
    assert _listing(idle, "--tag", "none", columns=80) == ["no jobs"]


@pytest.fixture
def in_tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("in_tokyo")
@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-01-31", datetime(2026, 1, 30, 15, tzinfo=UTC)),
        (" 20260131 ", datetime(2026, 1, 30, 15, tzinfo=UTC)),
        ("2026-01-31T12:00", datetime(2026, 1, 31, 3, tzinfo=UTC)),
        ("2026-01-31 12:00:01.5", datetime(2026, 1, 31, 3, 0, 1, 500_000, tzinfo=UTC)),
        ("2026-01-31T12:00Z", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00+05:30", datetime(2026, 1, 31, 12, tzinfo=timezone(timedelta(hours=5.5)))),
    ],
)
def test_dates_without_a_zone_are_local(text: str, meant: datetime) -> None:
    assert parse_time(text) == round(meant.timestamp() * _US_PER_S)


@pytest.mark.usefixtures("in_tokyo")
def test_days_begin_at_midnight() -> None:
    today, yesterday = parse_time("Today"), parse_time("yesterday")
    assert today - yesterday == _DAY_US  # Tokyo knows no summer time
    assert (today // _US_PER_S + 9 * 3600) % 86_400 == 0
    assert 0 <= time.time() * _US_PER_S - today < _DAY_US


@pytest.mark.parametrize(("text", "age_s"), [("2h", 7200), ("3d", 259_200), ("1m30s", 90), ("500ms", 0.5)])
def test_ages_count_back_from_now(text: str, age_s: float) -> None:
    before = time.time()
    then_s = parse_time(text) / _US_PER_S + age_s
    assert before - 0.001 <= then_s <= time.time() + 0.001


def test_an_age_beyond_1970_is_all_there_is() -> None:
    assert parse_time("999999999999d") == 0


@pytest.mark.parametrize(
    "text", ["", "soon", "90", "2026", "2026-13-01", "2026-01-31T25:00", "-2h", "2 hours", "0001-01-01", "１２"]
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(InvalidTime):
        parse_time(text)


@pytest.mark.parametrize(
    ("age_s", "shown"), [(0, "0s ago"), (59.9, "59s ago"), (60, "1m ago"), (7199, "1h ago"), (90_000, "1d ago")]
)
def test_ages_in_few_characters(age_s: float, shown: str) -> None:
    assert show_age(5, 5 + round(age_s * _US_PER_S)) == shown


def test_no_age_is_negative() -> None:
    assert show_age(10, 5) == "0s ago"
