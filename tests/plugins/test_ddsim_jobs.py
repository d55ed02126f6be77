"""Jobs of MQT DDSIM, which aerjob registers as other distributions do: durable as Aer's, and refused without it."""

from __future__ import annotations

import json
import os
import signal
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aerjob_cli.api.requests import CircuitBytes, Plan, Request
from aerjob_cli.states import Status
from aerjob_cli.store import experiments
from aerjob_cli.store.records import JobRecord
from tests.docs.markdown import ROOT
from tests.support.circuits import BELL, layers
from tests.support.command_line import CommandLine
from tests.support.running import Scene, gone, scene_in, until

NAME = "ddsim_simulator"
MANY = 60  # of some 20 ms each


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with scene_in(tmp_path / "home") as made:
        yield made


@pytest.fixture
def many() -> Request:
    """Circuits that differ, in several texts of one job."""
    texts = [layers(10, 3, seed=seed) for seed in range(MANY)]
    circuits = tuple(CircuitBytes(f"c{at}", "openqasm2", text.encode()) for at, text in enumerate(texts))
    return Request(circuits=circuits, backend=NAME, shots=100, seed=2**63 - 1, memory=True, plan=Plan(MANY, 1))


def data_of(scene: Scene, job: JobRecord) -> list[Any]:
    return [json.loads(result.data)["data"] for result in scene.client.results(job)]


def test_a_job_goes_on_where_its_killed_worker_was(scene: Scene, many: Request) -> None:
    pytest.importorskip("mqt.ddsim", reason="the extra ddsim is not installed")
    undisturbed, job = scene.put(many, many)
    scene.start_worker("--slots", "1")
    scene.wait_for_status(undisturbed, Status.DONE)
    scene.wait(lambda tx: (experiments.missing_ranges(tx, job.seq, MANY)[0][0] > MANY // 6) or None)
    worker = scene.worker()
    os.kill(worker.pid, signal.SIGKILL)
    until(lambda: gone(worker) or None)
    before = scene.peek(lambda tx: {result.position for result in experiments.results_of(tx, job.seq)})
    assert before
    assert len(before) < MANY
    scene.start_worker()
    done = scene.wait_for_status(job, Status.DONE)
    after = scene.peek(lambda tx: {item.position: item.attempt for item in experiments.results_of(tx, job.seq)})
    assert after == {position: 1 if position in before else 2 for position in range(MANY)}
    assert data_of(scene, done) == data_of(scene, undisturbed)
    assert (done.engine or "").startswith("mqt-ddsim ")


class WithoutSite(CommandLine):
    """The command line of a Python that sees no packages but those on ``PYTHONPATH``."""

    def command(self, *arguments: str | Path) -> list[str]:
        return [sys.executable, "-S", "-m", "aerjob_cli", *map(str, arguments)]


def test_without_its_library_it_is_refused_and_nothing_is_stored(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if not entry.name.startswith("mqt"):
            (packages / entry.name).symlink_to(entry)
    monkeypatch.setenv("PYTHONPATH", f"{packages}{os.pathsep}{ROOT}")
    (tmp_path / "bell.qasm").write_text(BELL)
    aerjob = WithoutSite(home, tmp_path)

    refused = aerjob("submit", "bell.qasm", "--backend", NAME)
    assert (refused.returncode, refused.stdout) == (6, "")
    remedy = "install it with `pip install 'aerjob-cli[ddsim]'`"
    assert refused.stderr.endswith(f"cannot be used, mqt-ddsim is not installed; {remedy}\n")
    assert refused.stderr.count("\n") == 1
    assert aerjob.json("list")["jobs"] == []

    value = aerjob.json("backends")
    assert NAME not in {backend["name"] for backend in value["backends"]}
    (left_out,) = value["left_out"]
    assert (left_out["name"], left_out["broken"], left_out["remedy"]) == (NAME, False, remedy)
