"""Jobs that come in from another store: any that a bundle can tell of goes out again as it came in."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aerjob_cli.api.client import Client
from aerjob_cli.api.exports import export, exportable
from aerjob_cli.api.incoming import Incoming
from aerjob_cli.bundles.layout import array_path, result_path
from aerjob_cli.bundles.reading import opened_bundle
from aerjob_cli.settings import INLINE_LIMIT_BYTES, Settings, StorePaths
from aerjob_cli.states import After, Reason, Status
from aerjob_cli.store import claims, jobs
from aerjob_cli.store.database import Store
from aerjob_cli.store.inspection import inspect_store
from aerjob_cli.store.runtimes import runtime_of
from tests.support.bundles import RESULT, Files, bell, contents, described_in, digest, write_bundle
from tests.support.staging import WORKER

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
TIMES = st.integers(0, 2**52).map(
    lambda us: f"{1970 + us % 200}-01-02T03:04:{us % 60:02}.{us % 10**6:06}Z",
)
RUNTIMES = st.dictionaries(TEXT, TEXT, max_size=4).map(runtime_of)


def maybe(wanted: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | wanted


@st.composite
def jobs_of_a_bundle(draw: st.DrawFn) -> tuple[dict[str, Any], Files]:
    """Draw a job that has ended in any way, with any number of results, some of them with arrays."""
    # Another one each time, since all come into one store.
    told, files = bell()
    job_id = told["job_id"]
    status = draw(st.sampled_from([Status.DONE, Status.ERROR, Status.CANCELLED]))
    total = draw(st.integers(1, 4))
    done = total if status is Status.DONE else draw(st.integers(0, total))
    runtimes = draw(st.lists(RUNTIMES, min_size=1, max_size=2))
    del files[told["results"][0]["path"]]
    results = []
    for position in range(done):
        result = RESULT + b" " * draw(st.integers(0, 3))
        array = bytes([position]) * draw(st.sampled_from([0, 10, INLINE_LIMIT_BYTES + 1]))
        name = draw(st.from_regex(r"[A-Za-z0-9_.~-]{1,400}", fullmatch=True))
        path, place = result_path(job_id, position), array_path(job_id, position, name)
        files |= {path: result, place: array}
        results.append(
            {
                "position": position,
                "attempt": draw(st.integers(0, 2)),
                "name": draw(TEXT),
                "shots": 1,
                "format": "experiment-result+json;v1",
                "path": path,
                **digest(result),
                "seed": draw(maybe(st.integers(0, 2**64 - 1))),
                "method": draw(maybe(TEXT)),
                "threads": draw(maybe(st.integers(0, 64))),
                "time_taken_s": draw(maybe(st.floats(0, 1e6))),
                "peak_rss_bytes": draw(maybe(st.integers(0, 2**40))),
                "runtime_id": draw(maybe(st.sampled_from([runtime.runtime_id for runtime in runtimes]))),
                "arrays": [{"name": name, "format": "npy", "path": place, **digest(array)}],
            }
        )
    reason = {Status.DONE: None, Status.CANCELLED: Reason.USER_CANCELLED}.get(status, Reason.TIMED_OUT)
    times = sorted(draw(st.lists(TIMES, min_size=3, max_size=3)))
    event = st.fixed_dictionaries(
        {
            "at": TIMES,
            "from_status": maybe(st.sampled_from(list(Status))),
            "to_status": st.sampled_from(list(Status)),
            "attempt": st.integers(0, 3),
            "worker_id": maybe(TEXT),
            "why": TEXT,
            "runtime_id": maybe(st.sampled_from([runtime.runtime_id for runtime in runtimes])),
        }
    )
    history = draw(st.lists(event, max_size=4))
    used = {item["runtime_id"] for item in (*results, *history)} - {None}
    return {
        **told,
        "status": status,
        "reason": reason,
        "experiments_total": total,
        "experiments_done": done,
        "attempt": 2,
        "results": results,
        "history": history,
        "runtimes": {item.runtime_id: dict(item.facts) for item in runtimes if item.runtime_id in used},
        "submitted_at": times[0],
        "started_at": draw(maybe(st.just(times[1]))),
        "finished_at": times[2],
        "message": draw(maybe(TEXT)),
        "stderr_tail": draw(maybe(TEXT)),
        "error_line": draw(maybe(st.integers(1, 10))),
        "name": draw(maybe(TEXT)),
        "tags": sorted(draw(st.sets(TEXT, max_size=3))),
        "group": draw(maybe(TEXT)),
        "options": draw(st.dictionaries(TEXT, JSON, max_size=3)),
        "metadata": draw(st.dictionaries(TEXT, JSON, max_size=3)),
        "submitted_by": draw(st.dictionaries(TEXT, TEXT, max_size=3)),
        "memory": draw(st.booleans()),
        "counts_required": draw(st.booleans()),
        "shots": draw(st.integers(1, 2**31 - 1)),
        "seed": draw(st.integers(0, 2**63 - 1)),
        "priority": draw(st.integers(-(10**6), 10**6)),
        "time_limit_s": draw(maybe(st.floats(0, 1e9))),
        "max_memory_mb": draw(maybe(st.integers(1, 2**40))),
        "retry_of": draw(maybe(st.uuids(version=4).map(str))),
        "reused_from": draw(maybe(st.uuids(version=4).map(str))),
        "cancel_message": draw(maybe(TEXT)),
        "cancel_requested_at": draw(maybe(TIMES)),
    }, files


def bring_in(store: Store, bundle: Path) -> Incoming:
    """Import a bundle whose circuits are known to be circuits."""
    with opened_bundle(str(bundle), bundle.name) as opened:
        incoming = Incoming(store, opened)
        incoming.look(require_valid=lambda *_: None, on_step=lambda _: None)
        while not incoming.is_complete:
            incoming.take_in()
    return incoming


def test_any_job_goes_out_as_it_came_in(tmp_path: Path) -> None:
    client = Client(Settings(paths=StorePaths(tmp_path / "home")))

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(jobs_of_a_bundle(), min_size=1, max_size=3))
    def goes_out_as_it_came_in(wanted: list[tuple[dict[str, Any], Files]]) -> None:
        for place, (told, _) in enumerate(wanted):
            told["dependencies"] = [
                {"kind": str(kind), "job_id": before["job_id"]}
                for before, kind in zip([item for item, _ in wanted[:place]], After, strict=False)
            ]
        with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
            one, other = Path(folder) / "one.zip", Path(folder) / "other.zip"
            write_bundle(one, wanted)
            assert len(bring_in(client.store, one).taken_in) == len(wanted)
            with other.open("wb") as file:
                records = exportable(client.store, client.resolve([told["job_id"] for told, _ in wanted]))
                export(client.store, records, file, on_written=lambda *_: None)
            found = described_in(other)
            for told in found.values():
                imported = told["history"].pop()
                assert imported["to_status"] == told["status"]
            assert list(found.items()) == list(described_in(one).items())
            assert files_of(other) == files_of(one)

    goes_out_as_it_came_in()
    assert inspect_store(client.store.paths, quick=False, on_checked=lambda _: None).is_sound
    client.close()


def files_of(bundle: Path) -> dict[str, str]:
    """Give the checksums of all files of a bundle that are not said of jobs."""
    return {
        path: hashlib.sha256(data).hexdigest()
        for path, data in contents(bundle).items()
        if not path.endswith(("/job.json", "manifest.json"))
    }


def test_nobody_runs_what_came_in(tmp_path: Path) -> None:
    store = Store.open(StorePaths(tmp_path / "home"))
    told, files = bell()
    bring_in(store, write_bundle(tmp_path / "b.zip", [(told, files)]))
    with store.writing() as tx:
        assert not jobs.needs_worker(tx)
        assert claims.claim_validations(tx, WORKER, limit=5, now_us=1) == []
        assert claims.claim(tx, WORKER, limit=5, now_us=1) == []
        job = jobs.find(tx, told["job_id"])
        assert (job.status, job.experiments_done, job.imported_us is None) == (Status.DONE, 1, False)
        # The guard of final jobs is there for it as for any other.
        refusal = tx.exec_driver_sql("SELECT name FROM sqlite_master WHERE name = 'jobs_final_is_final'").scalar()
        assert refusal is not None
    store.close()


def test_who_brings_in_what_another_one_just_has_leaves_it_alone(tmp_path: Path) -> None:
    store = Store.open(StorePaths(tmp_path / "home"))
    bundle = write_bundle(tmp_path / "b.zip", [bell(), bell()])
    with opened_bundle(str(bundle), bundle.name) as opened:
        slow = Incoming(store, opened)
        slow.look(require_valid=lambda *_: None, on_step=lambda _: None)
        assert len(slow.new) == 2
        bring_in(store, bundle)
        slow.take_in()
    assert (slow.taken_in, len(slow.skipped), slow.is_complete) == ([], 2, True)
    store.close()


def test_a_pruned_job_goes_out_and_in_without_what_was_pruned(tmp_path: Path) -> None:
    client = Client(Settings(paths=StorePaths(tmp_path / "home")))
    when = "2026-02-01T00:00:00.000000Z"
    told, _ = bell(results=[], circuits=[], results_pruned_at=when, circuits_pruned_at=when)
    one, other = tmp_path / "one.zip", tmp_path / "other.zip"
    bring_in(client.store, write_bundle(one, [(told, {})]))
    with other.open("wb") as file:
        export(
            client.store, exportable(client.store, client.resolve([told["job_id"]])), file, on_written=lambda *_: None
        )
    (found,) = described_in(other).values()
    found["history"].pop()
    assert found == told
    # The whole job is the same one, as far as anybody can tell.
    whole = write_bundle(tmp_path / "whole.zip", [bell(job_id=told["job_id"])])
    assert bring_in(client.store, whole).skipped == (told["job_id"],)
    client.close()
