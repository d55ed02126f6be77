"""Bundles for tests: of jobs that never ran anywhere, and altered copies of any."""

from __future__ import annotations

import hashlib
import json
import uuid
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from aerjob_cli.bundles.layout import MANIFEST, circuits_path, job_path, result_path
from aerjob_cli.bundles.writing import BundleWriter
from tests.support.circuits import BELL

ORIGIN = {"created_at": "2026-01-31T12:00:00.000000Z", "aerjob": "0.1.0", "host": "elsewhere", "store_uuid": "a store"}
RESULT = b'{"data":{"counts":{"0x0":60,"0x3":40}},"header":{"memory_slots":2,"n_qubits":2,"name":"bell"},"shots":100}'

Files = dict[str, bytes]


def digest(data: bytes) -> dict[str, Any]:
    """Say of bytes what a bundle says of them."""
    return {"sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data)}


def bell(**changes: Any) -> tuple[dict[str, Any], Files]:
    """Describe a job of one Bell circuit that is DONE, with its files; keywords are keys of its description."""
    job_id = str(changes.get("job_id") or uuid.uuid4())
    circuit, result = circuits_path(job_id, 0, "openqasm2"), result_path(job_id, 0)
    described = {
        **_UNSAID,
        "job_id": job_id,
        "status": "DONE",
        "experiments_total": 1,
        "experiments_done": 1,
        "threads": 1,
        "attempt": 1,
        "engine": "qiskit-aer 0.18.2",
        "started_at": "2026-01-31T12:00:01.000000Z",
        "circuits": [{"name": "bell.qasm", "format": "openqasm2", "path": circuit, **digest(BELL.encode())}],
        "results": [
            {
                "position": 0,
                "attempt": 1,
                "name": "bell",
                "shots": 100,
                "arrays": [],
                "format": "experiment-result+json;v1",
                "path": result,
                **digest(RESULT),
                **dict.fromkeys(("seed", "method", "threads", "time_taken_s", "peak_rss_bytes", "runtime_id")),
            }
        ],
    }
    return {**described, **changes}, {circuit: BELL.encode(), result: RESULT}


def refused(number: int) -> tuple[dict[str, Any], Files]:
    """Describe a job whose circuits were never valid, so that nobody parses them."""
    told, files = bell(status="ERROR", reason="INVALID_CIRCUIT", message=f"the circuits of job {number} are none")
    told |= {"experiments_total": None, "threads": None, "experiments_done": 0, "attempt": 0, "started_at": None}
    (path,) = (path for path in files if "/circuits/" in path)
    return {**told, "engine": None, "results": []}, {path: files[path]}


def write_bundle(path: Path, jobs: Iterable[tuple[Mapping[str, Any], Files]]) -> Path:
    """Write a bundle of described jobs."""
    with path.open("wb") as file:
        writer = BundleWriter(file)
        for told, files in jobs:
            writer.add_job(str(told["job_id"]), job_path(str(told["job_id"])), dict(told))
            for name, data in files.items():
                writer.add(name, data)
        writer.finish(ORIGIN)
    return path


def contents(path: Path) -> Files:
    """Read all files of a bundle, without aerjob."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def described_in(path: Path) -> dict[str, dict[str, Any]]:
    """Give what a bundle says of its jobs, by their ids."""
    files = contents(path)
    return {job_id: json.loads(files[f"jobs/{job_id}/job.json"]) for job_id in json.loads(files[MANIFEST])["jobs"]}


def repack(path: Path, files: Files, *, stored: bool = False) -> Path:
    """Pack files as they are, the manifest included."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def with_manifest(files: Files, **changes: Any) -> Files:
    """Give files with a manifest that fits them; keywords are keys of it."""
    manifest = json.loads(files[MANIFEST]) | changes
    manifest["files"] = {name: digest(data) for name, data in files.items() if name != MANIFEST}
    return {**files, MANIFEST: json.dumps(manifest).encode()}


def with_description(files: Files, job_id: str, change: Callable[[dict[str, Any]], object]) -> Files:
    """Give files in which a job says something else of itself, and all checksums fit."""
    path = f"jobs/{job_id}/job.json"
    told = json.loads(files[path])
    change(told)
    return with_manifest({**files, path: json.dumps(told).encode()})


_UNSAID: dict[str, Any] = {
    **dict.fromkeys(("reason", "message", "stderr_tail", "error_line", "error_column", "name", "group", "engine")),
    **dict.fromkeys(("time_limit_s", "max_memory_mb", "started_at", "cancel_requested_at", "cancel_message")),
    **dict.fromkeys(("retry_of", "reused_from", "estimated_memory_bytes", "results_pruned_at", "circuits_pruned_at")),
    "tags": [],
    "backend": "qasm_simulator",
    "method": "automatic",
    "shots": 100,
    "seed": 7,
    "memory": False,
    "options": {},
    "metadata": {},
    "counts_required": True,
    "priority": 0,
    "max_attempts": 3,
    "submitted_by": {},
    "submitted_at": "2026-01-31T12:00:00.000000Z",
    "finished_at": "2026-01-31T12:00:02.000000Z",
    "dependencies": [],
    "validations": 1,
    "attempts_charged": 0,
    "history": [],
    "runtimes": {},
}
