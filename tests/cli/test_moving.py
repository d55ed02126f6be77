"""`export` and `import`: what comes in is what went out, with all that belongs to it."""

from __future__ import annotations

import copy
import json
import zipfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from qiskit import QuantumCircuit, qasm2, qpy

from aerjob_cli import BasicAerProvider, DurableEstimator
from aerjob_cli.api.requests import CircuitBytes, Request
from aerjob_cli.settings import StorePaths
from aerjob_cli.store import jobs, request_digest, submissions
from aerjob_cli.store.database import Store
from aerjob_cli.store.records import Submission
from tests.cli.conftest import BAD, Put, Quick, here
from tests.support.bundles import bell, contents, described_in, refused, write_bundle
from tests.support.circuits import BELL
from tests.support.command_line import DEADLINE_S, CommandLine, end_workers
from tests.support.staging import Stage

TURNED = """OPENQASM 3.0;
include "stdgates.inc";
input float theta;
qubit q;
bit c;
ry(theta) q;
c = measure q;
"""
# Above the size up to which an array lies in the database.
LARGE_QUBITS = 15


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, CommandLine]]:
    """Two stores: one with a job of each kind, and an empty one."""
    folder = tmp_path_factory.mktemp("moving")
    yield {name: CommandLine(folder / name, folder) for name in ("from", "to")}
    for name in ("from", "to"):
        end_workers(folder / name)


@pytest.fixture(scope="module")
def moved(places: dict[str, CommandLine]) -> tuple[Path, dict[str, str]]:
    """A bundle of jobs of all kinds, which has been imported; and the ids of the jobs."""
    source, target = places["from"], places["to"]
    for name, text in {"bell": BELL, "turned": TURNED}.items():
        (source.folder / f"{name}.qasm").write_text(text)

    provider = BasicAerProvider(source.home)

    def submitted(*arguments: str) -> str:
        return str(source.json("submit", *arguments)["jobs"][0]["job_id"])

    def handed_in(text: str, **changes: Any) -> str:
        circuits = (CircuitBytes("circuit.qasm", "openqasm2", text.encode()),)
        (job,) = provider.client.submit([Request(circuits=circuits, backend="qasm_simulator", **changes)])
        return job.job_id

    ids = {
        "python": _from_python(provider, "qasm_simulator", _ghz(3, measured=True), memory=True, metadata={"a": [1.5]}),
        "large": _from_python(provider, "statevector_simulator", _ghz(LARGE_QUBITS)),
        "unitary": _from_python(provider, "unitary_simulator", _ghz(2)),
        "saved": _from_python(provider, "aer_simulator", [_ghz(2, measured=True), _saving()]),
        "primitive": DurableEstimator(BasicAerProvider(source.home)).run([(_ghz(2), "ZZ")]).job_id(),
        "counts": handed_in(BELL, tags=("paper",), name="b", group="g", priority=3),
        "sweep": submitted("turned.qasm", "--sweep", "theta=0:pi:3", "--noise", "depolarizing:p1=0.01"),
        "estimate": submitted("bell.qasm", "--observable", "ZZ=0.5"),
        "error": handed_in(BAD),
    }
    ids["after"] = handed_in(BELL, after=(ids["counts"],))
    ids["cancelled"] = handed_in(BELL, hold=True)
    jobs_there = provider.client.resolve(list(ids.values()))
    provider.client.cancel_all(jobs_there[-1:], message="not needed")
    assert len(list(provider.client.wait(jobs_there, timeout_s=DEADLINE_S))) == len(ids)
    provider.client.close()
    bundle = source.folder / "all.zip"
    assert source.json("export", *ids.values(), "-o", str(bundle))["job_ids"]
    answer = target.json("import", str(bundle))
    assert (sorted(answer["job_ids"]), answer["skipped"]) == (sorted(ids.values()), [])
    return bundle, ids


def _from_python(provider: BasicAerProvider, backend: str, circuits: Any, **options: Any) -> str:
    return str(provider.get_backend(backend).run(circuits, seed_simulator=5, **options).job_id())


def _ghz(qubits: int, *, measured: bool = False) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits, name="ghz")
    circuit.h(0)
    for qubit in range(qubits - 1):
        circuit.cx(qubit, qubit + 1)
    if measured:
        circuit.measure_all()
    return circuit


def _saving() -> QuantumCircuit:
    import qiskit_aer  # noqa: F401 - it adds the method

    circuit = _ghz(2)
    circuit.save_statevector()
    return circuit


def test_each_result_and_each_fact_is_the_same(
    places: dict[str, CommandLine],
    moved: tuple[Path, dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def both(*arguments: str) -> list[dict[str, Any]]:
        found = []
        for name in ("from", "to"):
            with here(places[name].home, monkeypatch, capsys) as quick:
                found.append(quick.json(*arguments))
        return found

    for name, job_id in moved[1].items():
        if name not in ("error", "cancelled"):
            before, after = both("result", job_id)
            assert after == before, name
        before, after = both("show", job_id, "--experiments")
        assert before.pop("imported_at") is None
        assert after.pop("imported_at") > after["finished_at"]
        imported = after["history"].pop()
        assert (imported["to_status"], imported["from_status"]) == (after["status"], after["status"])
        assert "all.zip" in imported["why"]
        for known in (before, after):
            # Who ran it is a matter of the store that it ran in.
            known.pop("workers")
        assert after == before, name
    assert both("store", "check")[1]["sound"]


def test_run_again_they_give_the_same(places: dict[str, CommandLine], moved: tuple[Path, dict[str, str]]) -> None:
    again = [job_id for name, job_id in moved[1].items() if name not in ("error", "cancelled")]
    answer = places["to"].json("retry", *again, "--verify")
    assert {item["outcome"] for item in answer["verifications"]} == {"identical"}


def test_what_is_here_is_left_alone(
    places: dict[str, CommandLine],
    moved: tuple[Path, dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bundle, ids = moved
    with here(places["to"].home, monkeypatch, capsys) as target:
        target("tag", ids["counts"], "--add", "mine")
        for more in ((), ("--dry-run",)):
            answer = target.json("import", str(bundle), *more)
            assert (answer["job_ids"], sorted(answer["skipped"])) == ([], sorted(ids.values()))
        assert f"{len(ids)} jobs left alone" in target("import", str(bundle))[2]
        assert target.json("status", ids["counts"])["jobs"][0]["tags"] == ["mine", "paper"]


def test_a_bundle_of_what_came_in_says_the_same(
    places: dict[str, CommandLine], moved: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    bundle, ids = moved
    second = tmp_path / "second.zip"
    assert places["to"]("export", *ids.values(), "-o", second).returncode == 0
    before, after = described_in(bundle), described_in(second)
    for told in after.values():
        told["history"].pop()
        told["tags"] = [tag for tag in told["tags"] if tag != "mine"]
    assert list(after.items()) == list(before.items())
    assert {path: data for path, data in contents(second).items() if not path.endswith("job.json")}.keys() == {
        path for path in contents(bundle) if not path.endswith("job.json")
    }


def test_a_bundle_is_read_without_aerjob(moved: tuple[Path, dict[str, str]]) -> None:
    bundle, ids = moved
    with zipfile.ZipFile(bundle) as archive:
        assert archive.testzip() is None
        told = {name: json.loads(archive.read(f"jobs/{job_id}/job.json")) for name, job_id in ids.items()}

        def file(item: dict[str, Any]) -> bytes:
            return archive.read(item["path"])

        assert json.loads(file(told["counts"]["results"][0]))["shots"] == told["counts"]["shots"]
        assert qasm2.loads(file(told["counts"]["circuits"][0]).decode()).num_qubits == 2
        (circuit,) = qpy.load(BytesIO(file(told["python"]["circuits"][0])))
        assert circuit == _ghz(3, measured=True)
        state = np.load(BytesIO(file(told["large"]["results"][0]["arrays"][0])), allow_pickle=False)
        assert np.allclose(np.abs(state[[0, -1]]) ** 2, 0.5)
        assert state.shape == (2**LARGE_QUBITS,)
        with zipfile.ZipFile(BytesIO(file(told["saved"]["circuits"][0]))) as inner:
            assert len(qpy.load(BytesIO(inner.read("circuits.qpy")))) == 2


def test_only_what_has_ended_is_exported(quick: Quick, put: Put, home: Path, tmp_path: Path) -> None:
    done, pending = put(tags=("x",)), put(tags=("x",))
    with Stage(StorePaths(home)) as stage:
        stage.run_through(done)
    bundle = str(tmp_path / "b.zip")
    assert quick.json("export", done.job_id, pending.job_id, "-o", bundle, exit_code=8)["error"]["code"] == "not_final"
    assert not Path(bundle).exists()
    assert quick.json("export", "--tag", "x", "-o", bundle)["job_ids"] == [done.job_id]
    assert quick.json("export", "--tag", "x", "-o", bundle, exit_code=2)["error"]["code"] == "output_exists"
    assert quick("export", "--tag", "x", "-o", bundle, "--force")[0] == 0
    assert quick("export", "--tag", "y", "-o", bundle, "--force")[0] == 3
    assert quick("export", done.job_id)[0] == 2
    assert quick("export", done.job_id, "-o", "-")[0] == 2


def test_nothing_private_to_a_store_goes_out(quick: Quick, put: Put, home: Path, tmp_path: Path) -> None:
    job = put(idempotency_key="my-secret-key")
    with Stage(StorePaths(home)) as stage:
        stage.run_through(job)
    quick("export", job.job_id, "-o", str(tmp_path / "b.zip"))
    told = described_in(tmp_path / "b.zip")[job.job_id]
    assert "my-secret-key" not in json.dumps(told)
    assert not {"claim_token", "idempotency_key", "executor_pid", "on_end", "worker_id"} & set(told)


def test_what_json_may_have_and_no_utf8_goes_out_and_in(
    quick: Quick,
    put: Put,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    nested: dict[str, Any] = {}
    for _ in range(400):
        nested = {"a": nested}
    job = put(metadata={"\ud800": "\udfff\0", "nested": nested}, name="größer\0")
    quick("cancel", job.job_id)
    bundle = str(tmp_path / "b.zip")
    assert quick("export", job.job_id, "-o", bundle)[0] == 0
    before = quick.json("show", job.job_id)
    with here(tmp_path / "other", monkeypatch, capsys) as other:
        assert other("import", bundle)[0] == 0
        after = other.json("show", job.job_id)
    assert (after["metadata"], after["name"]) == (before["metadata"], before["name"])


def test_the_last_job_is_the_last_one_submitted_here(quick: Quick, put: Put, tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path / "b.zip", [refused(number) for number in range(3)])
    assert quick("import", str(bundle))[0] == 0
    assert quick.json("status", "last", exit_code=3)["error"]["code"] == "job_not_found"
    job = put()
    assert quick.json("status", "last")["jobs"][0]["job_id"] == job.job_id
    more = write_bundle(tmp_path / "more.zip", [refused(number) for number in range(3)])
    assert quick("import", str(more))[0] == 0
    assert quick.json("status", "last")["jobs"][0]["job_id"] == job.job_id
    assert quick.json("list", "-n", "1")["jobs"][0]["job_id"] == job.job_id


def test_dependencies_come_in_where_both_jobs_are_here(quick: Quick, put: Put, tmp_path: Path) -> None:
    first, _ = one = refused(1)
    gone = refused(2)[0]["job_id"]
    second, files = refused(3)
    wanted = [{"kind": "after", "job_id": first["job_id"]}, {"kind": "after-any", "job_id": gone}]
    second["dependencies"] = [*wanted, {"kind": "after", "job_id": second["job_id"]}]
    bundle = write_bundle(tmp_path / "b.zip", [one, (second, files)])
    assert quick("import", str(bundle))[0] == 0
    shown = quick.json("show", second["job_id"])
    assert [item["job_id"] for item in shown["dependencies"]] == [first["job_id"]]


def test_a_result_that_came_in_is_found_for_reuse(quick: Quick, idle: CommandLine, tmp_path: Path) -> None:
    told, files = refused(1)
    exit_code = quick("import", str(write_bundle(tmp_path / "b.zip", [(told, files)])))[0]
    assert exit_code == 0
    store = Store.open(StorePaths(idle.home))
    with store.reading_directly() as tx:
        job = jobs.find(tx, told["job_id"])
        (payload,) = submissions.payloads_of(tx, job.seq)
    with store.reading() as tx:
        (key,) = tx.exec_driver_sql("SELECT result_key FROM jobs").scalars()
    store.close()
    asked = Submission(
        job_id="", payloads=(payload,), backend=job.backend, method=job.method, shots=job.shots, seed=job.seed
    )
    assert key == request_digest.result_key_of(asked)


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told.update(seed=8),
        lambda told: told.update(finished_at="2026-01-31T12:00:03.000000Z"),
        lambda told: told.update(options={"precision": "single"}),
        lambda told: told["circuits"][0].update(name="other.qasm"),
    ],
    ids=("seed", "end", "options", "circuits"),
)
def test_another_job_of_the_same_id_is_a_conflict(
    change: Callable[[dict[str, Any]], None], quick: Quick, put: Put, tmp_path: Path
) -> None:
    told, files = refused(1)
    assert quick("import", str(write_bundle(tmp_path / "one.zip", [(told, files)])))[0] == 0
    other = copy.deepcopy(told)
    change(other)
    bundle = write_bundle(tmp_path / "other.zip", [refused(2), (other, files)])
    error = quick.json("import", str(bundle), exit_code=6)["error"]
    assert (error["code"], error["job_id"]) == ("bundle_conflict", told["job_id"])
    assert len(quick.json("list", "--all")["jobs"]) == 1


def test_a_pending_job_of_the_same_id_is_a_conflict(quick: Quick, put: Put, tmp_path: Path) -> None:
    job = put()
    bundle = write_bundle(tmp_path / "b.zip", [bell(), bell(job_id=job.job_id)])
    error = quick.json("import", str(bundle), exit_code=6)["error"]
    assert (error["code"], "has not ended" in error["message"]) == ("bundle_conflict", True)
    assert len(quick.json("list", "--all")["jobs"]) == 1
