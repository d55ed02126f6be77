"""Whatever an executor says, the worker takes it only in its form and in its turn."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aerjob_cli.executors.messages import Message, MessageError, Reassembly, encode
from aerjob_cli.settings import StorePaths
from aerjob_cli.states import Status
from aerjob_cli.store import claims, experiments, jobs
from aerjob_cli.store.database import Store
from aerjob_cli.store.records import RunFacts
from aerjob_cli.worker import answers, outbox
from aerjob_cli.worker.holdings import Holding
from aerjob_cli.worker.outcomes import Chunk
from tests.store.conftest import submission


@dataclass(frozen=True)
class SomeExecutor:
    scratch: Path
    serial: int = 1
    pid: int | None = None


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = Store.open(StorePaths(tmp_path_factory.mktemp("home")))
    yield opened
    opened.close()


def holding_in(store: Store, *, validation: bool = False) -> Holding:
    from aerjob_cli.store import submissions

    plan: dict[str, Any] = {} if validation else {"experiments_total": 3, "threads": 1, "priority": 1}
    with store.writing() as tx:
        submissions.submit(tx, submission(**plan), now_us=1)
        claim = claims.claim_validations if validation else claims.claim
        (claimed,) = claim(tx, "w", limit=1, now_us=1)
    return Holding(claimed.job, claimed.claim, SomeExecutor(store.paths.incoming), 0.0, None, 1, awaited={0, 1, 2})


def chunk(body: bytes = b"{}", **changes: Any) -> Message:
    item = {
        "index": 0,
        "name": "c",
        "shots": 10,
        "seed": 1,
        "format": "experiment-result+json;v1",
        "sha256": hashlib.sha256(body).hexdigest(),
        "size_bytes": len(body),
        "offset": 0,
        "path": None,
    }
    return Message({"kind": "chunk", "ticket": "t", "experiments": [item | changes]}, body)


def test_a_chunk_in_its_form_is_a_result(store: Store) -> None:
    (outcome,) = answers.outcomes_of(chunk(), holding_in(store), store.paths)
    assert isinstance(outcome, Chunk)
    assert outcome.results[0].payload.data == b"{}"


@pytest.mark.parametrize(
    "changes",
    [
        {"index": 3},
        {"index": -1},
        {"index": "x"},
        {"sha256": "../../../etc/passwd"},
        {"sha256": "A" * 64},
        {"size_bytes": 5},
        {"offset": -1},
        {"offset": None},
        {"shots": 0},
        {"shots": 2**70},
        {"path": "/etc/passwd", "offset": None},
        {"sha256": "0" * 64},
        {"format": "npy"},
        {"format": ["npy"]},
    ],
)
def test_a_chunk_out_of_form_is_no_answer(store: Store, changes: dict[str, Any]) -> None:
    with pytest.raises(answers.NotAnAnswer):
        answers.outcomes_of(chunk(**changes), holding_in(store), store.paths)


def test_how_it_was_run_comes_with_a_result(store: Store) -> None:
    told: dict[str, Any] = {
        "seed": 2**64 - 1,
        "method": "m" * 2000,
        "threads": 2,
        "time_taken_s": 0.5,
        "peak_rss_bytes": 2**30,
    }
    holding = holding_in(store)
    (outcome,) = answers.outcomes_of(chunk(**told), holding, store.paths)
    with store.writing() as tx:
        assert outbox.write(tx, [(holding.claim, outcome)], store.paths, now_us=5) == [True]
        (ran,) = experiments.runs_of(tx, holding.claim.job_seq)
    assert ran.run == RunFacts(2**64 - 1, "m" * 1000, 2, 0.5, 2**30)


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": 2**64},
        {"seed": -1},
        {"seed": "1"},
        {"seed": True},
        {"threads": 2**40},
        {"threads": 1.5},
        {"time_taken_s": -1},
        {"time_taken_s": math.nan},
        {"time_taken_s": math.inf},
        {"time_taken_s": [1]},
        {"peak_rss_bytes": 2**63},
    ],
)
def test_what_cannot_have_been_measured_is_no_answer(store: Store, changes: dict[str, Any]) -> None:
    with pytest.raises(answers.NotAnAnswer):
        answers.outcomes_of(chunk(**changes), holding_in(store), store.paths)


@pytest.mark.parametrize("told", [None, {}, [], "qiskit", {str(at): "x" for at in range(51)}])
def test_a_runtime_that_is_none_is_not_known(told: Any) -> None:
    assert answers.runtime_in(Message({"kind": "ready", "runtime": told})) is None


def test_a_runtime_is_texts_of_some_length() -> None:
    runtime = answers.runtime_in(Message({"kind": "ready", "runtime": {"qiskit": 2, "\ud800": "v" * 5000}}))
    assert runtime is not None
    assert runtime.facts == {"qiskit": "2", "?": "v" * 1000}


def piece(**changes: Any) -> dict[str, Any]:
    body = b"{}"
    item = {"name": "a", "format": "npy", "sha256": hashlib.sha256(body).hexdigest(), "size_bytes": 2, "offset": 0}
    return item | changes


def test_the_arrays_of_a_result_come_with_it(store: Store) -> None:
    draft = store.paths.incoming / "draft"
    draft.write_bytes(b"an array")
    sha256 = hashlib.sha256(b"an array").hexdigest()
    in_file = piece(name="large", offset=None, path=str(draft), size_bytes=8, sha256=sha256)
    holding = holding_in(store)
    (outcome,) = answers.outcomes_of(chunk(arrays=[piece(), in_file]), holding, store.paths)
    assert isinstance(outcome, Chunk)
    assert [(array.name, array.data) for array in outcome.results[0].arrays] == [("a", b"{}"), ("large", None)]
    assert not draft.exists()
    assert (store.paths.objects / sha256[:2] / sha256[2:]).read_bytes() == b"an array"
    with store.writing() as tx:
        assert outbox.write(tx, [(holding.claim, outcome)], store.paths, now_us=5) == [True]
        (stored,) = experiments.results_of(tx, holding.claim.job_seq)
        assert [(array.name, array.size_bytes) for array in stored.arrays] == [("a", 2), ("large", 8)]
        inline = experiments.array_of(tx, holding.claim.job_seq, 0, "a")
        assert inline is not None
        assert (inline.data, inline.format) == (b"{}", "npy")
        assert experiments.array_of(tx, holding.claim.job_seq, 0, "b") is None


@pytest.mark.parametrize(
    "arrays",
    [
        [piece(sha256="../../../etc/passwd")],
        [piece(size_bytes=3)],
        [piece(size_bytes=-1)],
        [piece(offset=-1)],
        [piece(offset=None)],
        [piece(offset=None, path="/etc/passwd")],
        [piece(offset=None, path="aerjob.db")],
        [piece(), piece()],
        [piece(name="\ud800"), piece(name="\udfff")],
        [piece(name="a/b")],
        [piece(name="a" * 401)],
        [piece(name="")],
        [piece(name=7)],
        [piece(format="experiment-result+json;v1")],
        [piece(sha256="0" * 64)],
        [{}],
        "arrays",
        7,
        {"a": 1},
        [piece()] * 100_001,
    ],
)
def test_arrays_out_of_form_are_no_answer(store: Store, arrays: Any) -> None:
    with pytest.raises(answers.NotAnAnswer):
        answers.outcomes_of(chunk(arrays=arrays), holding_in(store), store.paths)


def test_an_object_that_is_there_is_not_replaced_on_an_executors_word(store: Store) -> None:
    sha256 = hashlib.sha256(b"the object").hexdigest()
    place = store.paths.objects / sha256[:2] / sha256[2:]
    for content in (b"the object", b"is another"):
        draft = store.paths.incoming / "draft"
        draft.write_bytes(content)
        in_file = piece(offset=None, path=str(draft), size_bytes=len(content), sha256=sha256)
        (outcome,) = answers.outcomes_of(chunk(arrays=[in_file]), holding_in(store), store.paths)
        assert isinstance(outcome, Chunk)
        assert not draft.exists()
        assert place.read_bytes() == b"the object"


def test_a_draft_that_is_no_file_is_no_answer(store: Store) -> None:
    for make in (os.mkdir, os.mkfifo, lambda path: os.symlink(store.paths.database, path)):
        draft = store.paths.incoming / make.__name__
        make(draft)
        in_file = piece(offset=None, path=str(draft), size_bytes=draft.lstat().st_size)
        with pytest.raises(answers.NotAnAnswer):
            answers.outcomes_of(chunk(arrays=[in_file]), holding_in(store), store.paths)
        assert os.path.lexists(draft)


def test_nothing_is_named_of_a_message_that_is_no_answer(store: Store) -> None:
    draft = store.paths.incoming / "half"
    draft.write_bytes(b"half")
    sha256 = hashlib.sha256(b"half").hexdigest()
    in_file = piece(name="b", offset=None, path=str(draft), size_bytes=4, sha256=sha256)
    with pytest.raises(answers.NotAnAnswer):
        answers.outcomes_of(chunk(arrays=[in_file, piece(size_bytes=3)]), holding_in(store), store.paths)
    assert draft.exists()


def test_a_result_is_taken_once(store: Store) -> None:
    holding = holding_in(store)
    answers.outcomes_of(chunk(), holding, store.paths)
    with pytest.raises(answers.NotAnAnswer):
        answers.outcomes_of(chunk(), holding, store.paths)


@pytest.mark.parametrize("validation", [True, False])
@pytest.mark.parametrize(
    "header",
    [
        {"kind": "accepted", "experiments_total": 0, "threads": 1},
        {"kind": "accepted", "experiments_total": True, "threads": "1"},
        {"kind": "failed", "reason": "BECAUSE", "message": "m"},
        {"kind": "failed"},
        {"kind": "done"},
        {"kind": "done", "engine": "e"},  # with results missing
        {"kind": "chunk", "experiments": 7},
        {"kind": "dance"},
    ],
)
def test_other_messages_are_no_answers(store: Store, header: dict[str, Any], validation: bool) -> None:
    with pytest.raises(answers.NotAnAnswer):
        answers.outcomes_of(Message(header), holding_in(store, validation=validation), store.paths)


@pytest.mark.parametrize(
    ("place", "line_and_column"),
    [
        ({"line": 6, "column": 11}, (6, 11)),
        ({"line": 6, "column": None}, (6, None)),
        ({}, (None, None)),
        ({"line": 0, "column": -1}, (None, None)),
        ({"line": "6", "column": 2**70}, (None, None)),
    ],
)
def test_a_refusal_has_its_place(
    store: Store, place: dict[str, Any], line_and_column: tuple[int | None, int | None]
) -> None:
    header = {"kind": "failed", "reason": "INVALID_CIRCUIT", "message": "m"}
    holding = holding_in(store, validation=True)
    (outcome,) = answers.outcomes_of(Message(header | place), holding, store.paths)
    with store.writing() as tx:
        assert outbox.write(tx, [(holding.claim, outcome)], store.paths, now_us=5) == [True]
        ended = jobs.find(tx, holding.job.job_id)
    assert (ended.error_line, ended.error_column) == line_and_column


def test_lone_surrogates_reach_the_store_as_text(store: Store) -> None:
    holding = holding_in(store)
    (outcome,) = answers.outcomes_of(chunk(name="\ud800"), holding, store.paths)
    with store.writing() as tx:
        assert outbox.write(tx, [(holding.claim, outcome)], store.paths, now_us=5) == [True]
    assert holding.claim.status is Status.RUNNING


@given(
    frames=st.lists(st.tuples(st.dictionaries(st.text(), st.integers()), st.binary(max_size=50)), max_size=5),
    cut=st.integers(1, 40),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_frames_come_out_as_they_went_in_whatever_the_pieces(
    frames: list[tuple[dict[str, int], bytes]], cut: int
) -> None:
    sent = [({**header, "kind": "k"}, body) for header, body in frames]
    stream = b"".join(encode(header, [body]) for header, body in sent)
    reassembly = Reassembly()
    received = []
    for start in range(0, len(stream), cut):
        reassembly.feed(stream[start : start + cut])
        received += [(message.header, message.body) for message in reassembly.messages()]
    assert received == [(json.loads(json.dumps(header)), body) for header, body in sent]


@given(st.binary(min_size=12, max_size=200))
@settings(deadline=None)
def test_garbage_is_told_or_awaited_and_never_a_message(data: bytes) -> None:
    reassembly = Reassembly()
    reassembly.feed(data)
    try:
        found = list(reassembly.messages())
    except MessageError:
        return
    assert all(isinstance(message.header["kind"], str) for message in found)


def test_an_object_file_elsewhere_is_no_answer(store: Store, tmp_path: Path) -> None:
    stray = tmp_path / "stray"
    stray.write_bytes(b"{}")
    with pytest.raises(answers.NotAnAnswer):
        answers.outcomes_of(chunk(path=str(stray), offset=None), holding_in(store), store.paths)
    assert stray.exists()
