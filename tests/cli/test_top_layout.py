"""How a dashboard is laid out: in the lines and cells there are, with what matters in every one of them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from aerjob_cli.api.progress import progress_of
from aerjob_cli.cli.answers.dashboard import Dashboard, RunningJob, Throughput, WaitingJob
from aerjob_cli.cli.answers.worker import LiveWorker
from aerjob_cli.cli.live.figures import clock_text, rate_text, size_text
from aerjob_cli.cli.screens.dashboard import frame
from aerjob_cli.cli.screens.grid import share
from aerjob_cli.states import Reason, Status
from aerjob_cli.store.records import JobRecord, WorkerRecord

S = 1_000_000  # microseconds
NOW_US = 1_700_000_000 * S
# Each with what makes a terminal's columns go astray.
NAMES = ("量子もつれの実験" * 3, "🎲🎲🎲 dice", "e\u0301" * 20, "\x1b]0;x\x07\u202e\n", "plain", "")


def job(number: int, status: Status, **changes: object) -> JobRecord:
    record = JobRecord(
        seq=number,
        job_id=f"{number:08x}-0000-4000-8000-000000000000",
        status=status,
        reason=None,
        message=None,
        stderr_tail=None,
        name=NAMES[number % len(NAMES)],
        backend="qasm_simulator",
        method="automatic",
        shots=1000,
        seed=7,
        memory=False,
        options={},
        metadata={},
        counts_required=True,
        priority=0,
        time_limit_s=None,
        max_memory_mb=None,
        max_attempts=3,
        retry_of=None,
        experiments_total=2000,
        threads=1,
        experiments_done=1234,
        validations=1,
        attempt=1,
        attempts_charged=0,
        worker_id="w",
        cancel_requested_us=None,
        engine=None,
        submitted_us=NOW_US - 400_000 * S,
        started_us=NOW_US - 100_000 * S,
        finished_us=None,
        error_line=None,
        error_column=None,
        cancel_message=None,
        executor_pid=None,
        executor_started=None,
        submitted_by={},
        estimated_bytes=None,
        group_name=None,
        waits=0,
        held=False,
        unmet_any=False,
        begin_us=None,
        reused_from=None,
        imported_us=None,
        on_end=None,
        tags=(),
        waits_for=(),
    )
    return replace(record, **changes)  # type: ignore[arg-type]


def dashboard(*, running: int, waiting: int, ended: int, more_ended: int = 0) -> Dashboard:
    runs = [job(number, Status.RUNNING) for number in range(running)]
    waits = [job(100 + number, Status.QUEUED) for number in range(waiting)]
    ends = [job(200 + number, Status.DONE, finished_us=NOW_US - 5 * S) for number in range(ended)]
    worker = WorkerRecord(
        worker_id="w",
        host="host",
        boot_id="boot",
        pid=4194303,
        pid_started="1",
        children=(),
        slots=128,
        lease_s=30.0,
        aerjob_version="10.11.12",
        qiskit_version="2.6.2",
        aer_version="0.18.2",
        started_us=NOW_US - 8_000_000 * S,
        heartbeat_us=NOW_US,
        heartbeat_monotonic_s=1.0,
        drain_requested_us=NOW_US,
        ended_us=None,
        end=None,
    )
    resident = 123 * 2**30
    return Dashboard(
        title="top",
        home=Path("/a/rather/long/way/to/where/the/store/of/somebody/with/many/folders/is/.local/state/aerjob"),
        at_us=NOW_US,
        worker=LiveWorker(worker, tuple(item.job_id for item in runs)),
        counts={
            Status.RUNNING: running,
            Status.QUEUED: waiting,
            Status.DONE: ended + more_ended,
        },
        throughput=Throughput(jobs_per_s=9999.0, experiments_per_s=99999.0),
        executors_rss_bytes=resident,
        available_bytes=999 * 2**20,
        running=tuple(RunningJob(item, replace(progress_of(item, now_us=NOW_US), rss_bytes=resident)) for item in runs),
        waiting=tuple(WaitingJob(item, position) for position, item in enumerate(waits, start=1)),
        ended=tuple(ends),
        short_ids={item.job_id: item.job_id[:8] for item in (*runs, *waits, *ends)},
    )


def plain(shown: Dashboard, **size: int) -> list[str]:
    return [line.plain for line in frame(shown, **size)]


@pytest.mark.parametrize("width", [79, 139])
def test_nothing_that_matters_is_cut_at_usual_widths(width: int) -> None:
    title, worker, jobs, rate, *rows = plain(
        dashboard(running=2, waiting=2, ended=2, more_ended=100_000), width=width, height=23
    )
    assert title.startswith("aerjob top  ")
    assert title.endswith("/.local/state/aerjob")
    assert worker.startswith("worker  pid 4194303 · aerjob 10.11.12 · 2 of 128 slots busy · up 92d 14:13")
    assert jobs == "jobs    2 running · 2 queued · 100002 done · 0 error · 0 cancelled"
    _, worker, *_ = plain(dashboard(running=130, waiting=0, ended=0), width=width, height=23)
    assert "· 128 of 128 slots busy ·" in worker
    shown = dashboard(running=130, waiting=0, ended=0).worker
    assert shown is not None
    line = shown.line()
    assert "128 of 128 slots busy and 2 jobs sent ahead" in line
    assert rate == "rate    9999 jobs/s · 99999 experiments/s  memory 123 GiB in jobs, 999 MiB free"
    (first,) = [row for row in rows if row.startswith("00000000")]
    assert "━━" in first
    assert first.split()[-6:] == ["1234/2000", "1d", "03:46", "17:14:34", "123", "GiB"]
    # Where jobs have thousands of experiments, a name of a backend may be cut, but can still be told.
    assert len([row for row in rows if " qasm_simul" in row]) == 6


@given(
    running=st.integers(0, 60),
    waiting=st.integers(0, 50),
    ended=st.integers(0, 50),
    more_ended=st.integers(0, 10**6),
    width=st.integers(40, 200),
    height=st.integers(1, 60),
)
def test_no_line_is_wider_and_no_frame_higher_than_the_screen(
    running: int, waiting: int, ended: int, more_ended: int, width: int, height: int
) -> None:
    lines = plain(
        dashboard(running=running, waiting=waiting, ended=ended, more_ended=more_ended), width=width, height=height
    )
    assert len(lines) <= height
    assert max(map(cell_len, lines)) <= width
    assert all(line.isprintable() for line in lines)


def test_each_list_says_what_is_not_shown_of_it() -> None:
    lines = plain(dashboard(running=30, waiting=30, ended=30, more_ended=70), width=79, height=24)
    assert len(lines) == 24
    headings = [index for index, line in enumerate(lines) if line.startswith(("RUNNING", "QUEUED", "ENDED"))]
    assert len(headings) == 3
    for begin, end, total in zip(headings, [*(index - 1 for index in headings[1:]), 24], (30, 30, 100), strict=True):
        shown = end - begin - 2
        assert shown >= 2
        assert lines[end - 1] == f"… and {total - shown} more"


def test_why_a_job_failed_is_beside_its_state() -> None:
    failed = job(1, Status.ERROR, reason=Reason.OUT_OF_MEMORY, finished_us=NOW_US)
    shown = replace(dashboard(running=0, waiting=0, ended=0), ended=(failed,), counts={Status.ERROR: 1})
    assert "ERROR OUT_OF_MEMORY" in plain(shown, width=139)[-1]
    assert "ERROR OUT…" in plain(shown, width=79)[-1]


def test_the_path_of_the_store_begins_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    shown = replace(dashboard(running=0, waiting=0, ended=0), home=Path("/home/somebody/.local/state/aerjob"))
    assert plain(shown, width=79)[0] == f"aerjob top  ~{os.sep}.local/state/aerjob"


@given(st.integers(0, 100), st.lists(st.integers(0, 100), max_size=4), st.integers(1, 5))
def test_rows_are_shared_without_waste(rows: int, wanted: list[int], at_least: int) -> None:
    granted = share(rows, wanted, at_least=at_least)
    assert sum(granted) == min(rows, sum(wanted))
    assert all(count <= wish for count, wish in zip(granted, wanted, strict=True))
    if rows >= at_least * len(wanted):
        assert all(count >= min(wish, at_least) for count, wish in zip(granted, wanted, strict=True))


@pytest.mark.parametrize(
    ("duration_s", "text"),
    [(-1, "0:00"), (0.9, "0:00"), (12, "0:12"), (61.5, "1:01"), (3723, "1:02:03"), (2 * 86400 + 11040, "2d 03:04")],
)
def test_times(duration_s: float, text: str) -> None:
    assert clock_text(duration_s) == text


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [
        (0, "0 KiB"),
        (1023 * 1024, "1.0 MiB"),
        (9.94 * 2**20, "9.9 MiB"),
        (9.96 * 2**20, "10 MiB"),
        (512 * 2**20, "512 MiB"),
        (1.5 * 2**30, "1.5 GiB"),
        (5000 * 2**40, "5000 TiB"),
    ],
)
def test_sizes(size_bytes: float, text: str) -> None:
    assert size_text(size_bytes) == text


@pytest.mark.parametrize(("per_s", "text"), [(0, "0"), (0.1, "0.10"), (1.25, "1.2"), (9.96, "10"), (1234.5, "1234")])
def test_rates(per_s: float, text: str) -> None:
    assert rate_text(per_s) == text
