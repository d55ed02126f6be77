"""What clients run without SQLAlchemy is what SQLAlchemy makes of the statements, and is read with as much distrust."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import pytest
from sqlalchemy import Connection

from aerjob_cli.errors import StoreDamaged
from aerjob_cli.states import Status
from aerjob_cli.store import cancels, events, experiments, groups, jobs, listing, overview, submissions, tags, workers
from aerjob_cli.store.compiling import compiled, compiled_file
from aerjob_cli.store.connections import raw_connection
from aerjob_cli.store.database import Store
from aerjob_cli.store.dbapi import sqlite_library
from aerjob_cli.store.prepared import COMPILED_FILE
from aerjob_cli.store.records import JobRecord, ProcessIdentity, WorkerRecord
from aerjob_cli.store.statements import experiments as experiment_statements
from aerjob_cli.store.statements.jobs import JOB_COLUMNS
from aerjob_cli.store.statements.workers import WORKER_COLUMNS
from aerjob_cli.store.tables import experiments as experiments_table
from tests.store.conftest import SubmitJob, submission
from tests.support.staging import Stage

LOOKS: dict[str, Callable[[Connection, JobRecord], Any]] = {
    "find": lambda tx, job: jobs.find(tx, job.job_id),
    "find many": lambda tx, job: jobs.find_many(tx, [job.seq, job.seq + 1, 10_000]),
    "find none": lambda tx, job: jobs.find_many(tx, []),
    "last": lambda tx, job: jobs.resolve(tx, "last"),
    "resolve": lambda tx, job: jobs.resolve_all(tx, [job.job_id[:8], job.job_id]),
    "queue": lambda tx, job: jobs.queue_positions(tx, listing.listed(tx, listing.JobFilter())),
    "pending": lambda tx, job: (jobs.count_pending(tx), jobs.needs_worker(tx), jobs.is_any_undecided(tx, [job.seq])),
    "list": lambda tx, job: listing.listed(tx, listing.JobFilter(), limit=2),
    "filtered list": lambda tx, job: listing.listed(tx, listing.JobFilter(tags=("a",), statuses=tuple(Status))),
    "group": lambda tx, job: (groups.sums_of(tx, "g"), listing.is_group(tx, "g"), groups.sums_of(tx, "none")),
    "list of a group": lambda tx, job: (
        listing.matching_seqs(tx, listing.JobFilter(group="g")),
        listing.listed(tx, listing.JobFilter(group="g"), limit=1),
    ),
    "short ids": lambda tx, job: listing.short_ids(tx, [job]),
    "history": lambda tx, job: events.history(tx, job.seq),
    "results": lambda tx, job: list(experiments.results_of(tx, job.seq)),
    "some results": lambda tx, job: list(experiments.results_of(tx, job.seq, positions=[1])),
    "runs": lambda tx, job: (list(experiments.runs_of(tx, job.seq)), experiments.summary_of(tx, job.seq)),
    "circuits": lambda tx, job: (submissions.payloads_of(tx, job.seq), submissions.files_of(tx, job.seq)),
    "circuits of a format": lambda tx, job: submissions.payloads_of(tx, job.seq, formats={"openqasm2"}),
    "overview": lambda tx, job: (overview.count_ended(tx), overview.endings_after(tx, 0), overview.latest_event(tx)),
    "workers": lambda tx, job: (workers.alive(tx), workers.known(tx, ["a", "b"])),
}


@pytest.fixture
def job(store: Store, submit: SubmitJob) -> JobRecord:
    """A job with two results, another one in the queue, and one that validation has not seen."""
    made = submit(tags=("a", "b"), name="bell", group_name="g", metadata={"angle": 0.5}, time_limit_s=5)
    queued = submit(tags=("a",), priority=2, group_name="g")
    submit()
    with Stage(store.paths) as stage:
        stage.validate(made, experiments=2)
        stage.start(made)
        stage.record(made, 0, 1)
        stage.validate(queued, experiments=1)
    return made


def test_the_compiled_statements_are_up_to_date() -> None:
    assert COMPILED_FILE.read_text(encoding="utf-8") == compiled_file(), "run: python -m aerjob_cli.store.compiling"


@pytest.mark.parametrize(
    ("record", "columns", "needed"),
    [(JobRecord, JOB_COLUMNS, jobs._NEEDED), (WorkerRecord, WORKER_COLUMNS, workers._NEEDED)],
)
def test_what_a_record_cannot_be_without_is_what_the_table_says(record: Any, columns: Any, needed: Any) -> None:
    assert {column.name for column in columns} == {field.name for field in fields(record)} - {"tags", "waits_for"}
    assert set(needed) == {column.name for column in columns if not column.nullable}


def test_a_value_that_sqlalchemy_would_change_on_its_way_has_no_text() -> None:
    with pytest.raises(TypeError, match="seed"):
        compiled(experiments_table.insert())
    assert compiled(experiment_statements.SOME_OF_JOB).lists == ("positions",)


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS)
def test_verbs_see_the_same_with_sqlalchemy_and_without(
    store: Store, job: JobRecord, look: Callable[[Connection, JobRecord], Any]
) -> None:
    with store.reading() as tx:
        expected = look(tx, job)
    with store.reading_directly() as tx:
        assert look(tx, job) == expected


def test_verbs_write_the_same_with_sqlalchemy_and_without(store: Store) -> None:
    written = []
    for begin in (store.writing, store.writing_directly):
        asked = [
            submission(tags=("b", "a"), time_limit_s=3, metadata={"x": 1}),
            submission(experiments_total=2, threads=1),
        ]
        with begin() as tx:
            made = submissions.submit_all(tx, asked, now_us=1_000)
            seqs = [record.seq for record in made]
            assert cancels.request_cancels(tx, seqs[1:], now_us=900, message="why") == {
                seqs[1]: cancels.CancelAnswer.ENDED
            }
            tags.tag(tx, seqs[:1], add=["c"], remove=["a"])
        with store.reading() as tx:
            found = [jobs.find_many(tx, seqs)[seq] for seq in seqs]
            history = [replace(event, seq=0) for seq in seqs for event in events.history(tx, seq)]
        # A job does not end before it was submitted.
        assert (found[1].status, found[1].finished_us) == (Status.CANCELLED, 1_000)
        assert (found[0].tags, found[0].time_limit_s, made[0].tags) == (("b", "c"), 3.0, ("a", "b"))
        written.append(([replace(record, seq=0, job_id="") for record in found], history))
    assert written[0] == written[1]


def test_what_fails_is_not_there(store: Store) -> None:
    unheard_of = submission(retry_of=object())
    with pytest.raises(sqlite_library().module.Error), store.writing_directly() as tx:
        submissions.submit_all(tx, [submission(), unheard_of], now_us=1)
    with store.writing_directly() as tx:
        assert not jobs.needs_worker(tx)


def test_what_was_not_read_to_its_end_holds_nothing(store: Store, job: JobRecord, submit: SubmitJob) -> None:
    with store.reading_directly() as tx:
        assert next(experiments.results_of(tx, job.seq)).position == 0
    later = submit()
    with store.reading_directly() as tx:
        assert jobs.find(tx, later.job_id) == later


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ("submitted_us = 'soon'", "'soon' stands where a time belongs"),
        ("shots = 0.5", "0.5 stands where a whole number belongs"),
        ("options = '['", "'[' stands where JSON belongs"),
        ("backend = x'00'", "stands where a text belongs"),
        ("backend = CAST(x'ff' AS TEXT)", "is not as it should be"),
    ],
)
@pytest.mark.parametrize("way", ["reading", "reading_directly"])
def test_damage_is_told_of_in_the_same_words(store: Store, submit: SubmitJob, damage: str, said: str, way: str) -> None:
    made = submit()
    raw = raw_connection(store.paths.database, busy_timeout_s=1)
    raw.execute("PRAGMA ignore_check_constraints=ON")
    raw.execute(f"UPDATE jobs SET {damage}")  # noqa: S608 - of the test
    raw.close()
    with pytest.raises(StoreDamaged) as caught, getattr(store, way)() as tx:
        jobs.find(tx, made.job_id)
    assert said in str(caught.value)


def test_a_frozen_record_is_like_any_dataclass() -> None:
    record = ProcessIdentity(7, started="then")
    assert record == ProcessIdentity(pid=7, started="then") != ProcessIdentity(8, "then")
    assert len({record, replace(record), pickle.loads(pickle.dumps(record))}) == 1  # noqa: S301 - of the test
    assert repr(record) == "ProcessIdentity(pid=7, started='then')"
    with pytest.raises(FrozenInstanceError):
        record.pid = 8  # type: ignore[misc]
    for positional, named in (((7,), {}), ((7, "then", 3), {}), ((7, "then"), {"pid": 7}), ((7, "then"), {"x": 7})):
        with pytest.raises(TypeError):
            ProcessIdentity(*positional, **named)  # type: ignore[arg-type]
