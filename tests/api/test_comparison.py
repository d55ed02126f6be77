"""Comparing the results of two jobs: nothing is called identical that is not, and what differs is named."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aerjob_cli.api.client import Client
from aerjob_cli.api.comparison import Comparison, Verdict, compare
from aerjob_cli.codec.arrays import encode_npy
from aerjob_cli.errors import PayloadDamaged
from aerjob_cli.settings import INLINE_LIMIT_BYTES, Settings, StorePaths
from aerjob_cli.states import Reason
from aerjob_cli.store import claims, lifecycle, objects, runtimes, submissions
from aerjob_cli.store.records import Claim, ExperimentRecord, JobRecord, Payload, RunFacts
from tests.store.conftest import submission
from tests.support import one_job

# One that is stored in the database, and one that has a file.
SMALL, LARGE = np.arange(8.0), np.arange(INLINE_LIMIT_BYTES / 8)
COUNTS = {"0x0": 52, "0x3": 48}


class Writer:
    """Makes jobs with results of one's own."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._paths = client.store.paths

    def begin(self, experiments: int, runtime: Mapping[str, str] | None = None) -> Claim:
        with self.client.store.writing() as tx:
            submissions.submit(tx, submission(experiments_total=experiments, threads=1), now_us=1)
            (claimed,) = claims.claim(tx, "w", limit=1, now_us=2)
            if runtime is None:
                return claimed.claim
            known = runtimes.runtime_of(runtime)
            runtimes.note(tx, known)
        held = claimed.claim
        return Claim(held.job_seq, held.job_id, held.status, held.attempt, held.token, held.worker_id, known.runtime_id)

    def add(self, held: Claim, *results: dict[str, Any], threads: int = 1, **arrays: Any) -> None:
        """Store results; the arrays are those of the first one."""
        records = []
        for position, content in enumerate(results):
            own = arrays if position == 0 else {}
            body = {"data": {}, "shots": 100, "metadata": {"method": "statevector"}} | content
            records.append(
                ExperimentRecord(
                    position,
                    held.attempt,
                    100,
                    self._payload("c", "experiment-result+json;v2", json.dumps(body).encode()),
                    tuple(self._payload(name, "npy", encode_npy(array)) for name, array in own.items()),
                    RunFacts(threads=threads),
                )
            )
        with self.client.store.writing() as tx:
            assert one_job.record_experiments(tx, held, records)

    def _payload(self, name: str, format: str, data: bytes) -> Payload:
        sha256 = hashlib.sha256(data).hexdigest()
        return Payload(name, format, sha256, len(data), objects.put_if_large(self._paths, sha256, data))

    def done(self, held: Claim) -> JobRecord:
        with self.client.store.writing() as tx:
            assert one_job.finish(tx, held, engine="e", now_us=3)
        return self.client.find(held.job_id)

    def failed(self, held: Claim, reason: Reason) -> JobRecord:
        with self.client.store.writing() as tx:
            assert lifecycle.fail(tx, held, reason, "it failed", stderr_tail=None, now_us=3)
        return self.client.find(held.job_id)

    def job(
        self, *results: dict[str, Any], runtime: Mapping[str, str] | None = None, threads: int = 1, **arrays: Any
    ) -> JobRecord:
        held = self.begin(len(results), runtime)
        self.add(held, *results, threads=threads, **arrays)
        return self.done(held)


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Writer]:
    client = Client(Settings(paths=StorePaths(tmp_path_factory.mktemp("comparison") / "home")))
    yield Writer(client)
    client.close()


def only_difference(comparison: Comparison) -> tuple[int | None, str, str]:
    assert comparison.verdict is Verdict.DIFFERS
    assert not comparison.identical
    (difference,) = comparison.differences
    return difference.experiment, difference.what, difference.message


def with_counts(counts: Mapping[str, int]) -> dict[str, Any]:
    return {"data": {"counts": dict(counts)}}


def test_equal_results_are_identical(writer: Writer) -> None:
    first, second = (writer.job(with_counts(COUNTS), {}, small=SMALL, large=LARGE) for _ in range(2))
    comparison = compare(writer.client, first, second)
    assert comparison.identical
    assert (comparison.experiments_compared, comparison.experiments_differing) == (2, 0)
    assert (comparison.differences, comparison.conditions) == ((), ())


@pytest.mark.parametrize(
    ("content", "what", "words"),
    [
        (with_counts({"0x0": 50, "0x3": 49, "0x1": 1}), "counts", "3 of 3 outcomes are counted otherwise, by 2"),
        ({"data": {"counts": COUNTS, "memory": ["0x0", "0x3"]}}, "memory", "0 outcomes in the one and 2"),
        ({"data": {"counts": COUNTS, "ev": 0.25}}, "data", "ev"),
        (with_counts(COUNTS) | {"metadata": {"method": "stabilizer"}}, "metadata", "method"),
        (with_counts(COUNTS) | {"shots": 200}, "shots", "100 in the one and 200 in the other"),
    ],
)
def test_what_differs_is_named(writer: Writer, content: dict[str, Any], what: str, words: str) -> None:
    first, second = writer.job({}, with_counts(COUNTS)), writer.job({}, content)
    experiment, found, message = only_difference(compare(writer.client, first, second))
    assert (experiment, found) == (1, what)
    assert words in message


@pytest.mark.parametrize("array", [SMALL, LARGE], ids=["in the database", "in a file"])
def test_arrays_have_a_largest_distance(writer: Writer, array: Any) -> None:
    other = array.copy()
    other[3] += 1e-12
    other[5] -= 0.5
    first, second = writer.job({}, state=array), writer.job({}, state=other)
    comparison = compare(writer.client, first, second)
    _, what, message = only_difference(comparison)
    assert (what, comparison.differences[0].name, comparison.differences[0].largest) == ("array", "state", 0.5)
    assert f"2 of {array.size} elements differ, by 0.5 at most" in message


def test_an_array_that_only_one_has(writer: Writer) -> None:
    first, second = writer.job({}, state=SMALL), writer.job({})
    assert only_difference(compare(writer.client, first, second)) == (0, "array", "state is in the one only")


def test_zeros_of_two_signs_are_not_identical(writer: Writer) -> None:
    first, second = writer.job({}, state=np.array([0.0])), writer.job({}, state=np.array([-0.0]))
    assert "not their bits" in only_difference(compare(writer.client, first, second))[2]


def test_many_differences_are_counted_and_the_first_are_told(writer: Writer) -> None:
    first, second = (writer.job(*(with_counts({"0x0": count}) for _ in range(30))) for count in (1, 2))
    comparison = compare(writer.client, first, second)
    assert (comparison.experiments_compared, comparison.experiments_differing) == (30, 30)
    assert [difference.experiment for difference in comparison.differences] == list(range(20))


def test_ends_are_compared_by_state_and_reason(writer: Writer) -> None:
    done = writer.job({})
    simulated, late = (
        writer.failed(writer.begin(1), reason) for reason in (Reason.SIMULATION_FAILED, Reason.TIMED_OUT)
    )
    again = writer.failed(writer.begin(1), Reason.TIMED_OUT)
    assert compare(writer.client, late, again).identical
    assert only_difference(compare(writer.client, simulated, late))[1] == "reason"
    _, what, message = only_difference(compare(writer.client, late, done))
    assert (what, message) == ("status", "ERROR (TIMED_OUT) in the one and DONE in the other")


def test_a_part_of_a_result_is_compared_as_far_as_it_goes(writer: Writer) -> None:
    ends = []
    for results in ([with_counts(COUNTS)], [with_counts(COUNTS), {}], [with_counts({"0x0": 100})]):
        held = writer.begin(3)
        writer.add(held, *results)
        ends.append(writer.failed(held, Reason.TIMED_OUT))
    comparison = compare(writer.client, ends[0], ends[1])
    assert (comparison.identical, comparison.experiments_compared) == (True, 1)
    assert only_difference(compare(writer.client, ends[0], ends[2]))[:2] == (0, "counts")


def test_a_cancelled_job_is_not_compared(writer: Writer) -> None:
    done, held = writer.job({}), writer.begin(1)
    with writer.client.store.writing() as tx:
        assert lifecycle.cancel_held(tx, held, now_us=3)
    comparison = compare(writer.client, done, writer.client.find(held.job_id))
    assert (comparison.verdict, comparison.identical) == (Verdict.NOT_COMPARED, False)


def test_conditions_are_told_and_are_no_difference(writer: Writer) -> None:
    old, new = {"qiskit": "2.0.0", "numpy": "2.1"}, {"qiskit": "2.6.2", "numpy": "2.1"}
    first, second = writer.job({}, runtime=old), writer.job({}, runtime=new, threads=2)
    comparison = compare(writer.client, first, second)
    assert comparison.identical
    assert [(item.what, item.first, item.second) for item in comparison.conditions] == [
        ("qiskit", "2.0.0", "2.6.2"),
        ("threads", "1", "2"),
    ]
    of_earlier = writer.job({})
    unknown = compare(writer.client, of_earlier, first).conditions
    assert [(item.what, item.first, item.second) for item in unknown] == [
        ("numpy", None, "2.1"),
        ("qiskit", None, "2.0.0"),
    ]


def test_damage_is_told_and_no_difference(writer: Writer) -> None:
    other = LARGE + 1
    first, second = writer.job({}, state=LARGE), writer.job({}, state=other)
    sha256 = hashlib.sha256(encode_npy(other)).hexdigest()
    place: Path = objects.object_path(writer.client.store.paths, sha256)
    data = bytearray(place.read_bytes())
    data[-1] ^= 1
    place.write_bytes(data)
    with pytest.raises(PayloadDamaged, match="checksum"):
        compare(writer.client, first, second)
    place.unlink()
    with pytest.raises(PayloadDamaged, match="missing"):
        compare(writer.client, first, second)
