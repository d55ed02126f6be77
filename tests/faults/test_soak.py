"""All faults at once, for a while: a short run of `benchmarks.soak`, and what its audit would tell of a bad store."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import end_workers
from tests.support.matrix import Matrix
from tests.support.running import DEADLINE_S, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the soak tells processes apart by Linux's pidfd")

ROOT = Path(__file__).resolve().parents[2]
# A few circuits, so that few must be computed to compare with; the disk is full more often than in a long run.
SMALL = ("variants=2", "pending_jobs=6", "full_disks_per_s=0.15", "stops_per_s=0.4", "kills_per_s=5", "commands=0.1")
SAMPLE, FULL = 25, 500


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "soak"
    yield place
    end_workers(place / "home")


def command(folder: Path, *options: str, seed: int) -> list[str]:
    """Give the command of a soak."""
    mix = [word for change in SMALL for word in ("--mix", change)]
    return [sys.executable, "-m", "benchmarks.soak", "--home", str(folder), "--seed", str(seed), *mix, *options]


def in_a_namespace_of_its_own(words: list[str]) -> list[str]:
    """Let a command mount what nobody else sees, and what goes with its last process."""
    unshare = shutil.which("unshare")
    may = unshare is not None and subprocess.run([unshare, "-rm", "true"], capture_output=True, check=False)
    return [str(unshare), "-rm", *words] if may and may.returncode == 0 else words


def report_of(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "report.json").read_text(encoding="utf-8")))


def test_nothing_is_lost_doubled_stuck_or_unequal_under_all_faults_at_once(folder: Path, matrix: Matrix) -> None:
    kills = matrix.times(sample=SAMPLE, full=FULL)
    words = in_a_namespace_of_its_own(command(folder, "--kills", str(kills), seed=matrix.seed))
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE_S + 3 * kills, check=False)
    assert done.returncode == 0, f"seed {matrix.seed}\n{done.stdout}\n{done.stderr}"
    report = report_of(folder)
    assert report["is_sound"]
    assert report["sigkills"]["total"] >= kills
    assert report["acknowledged"] > 0
    assert report["endings"]["DONE"] > 0
    assert all(found == [] for found in report["faults"].values())


def test_a_soak_that_is_killed_goes_on_and_its_audit_misses_what_is_lost(folder: Path, matrix: Matrix) -> None:
    words = command(folder, "--no-full-disk", "--kills", "1000", seed=matrix.seed)
    journal = folder / "journal.jsonl"
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL) as soak:
        until(lambda: (journal.exists() and '"acknowledged"' in journal.read_text(encoding="utf-8")) or None)
        soak.send_signal(signal.SIGKILL)
    # Somebody was told of a job, and the store does not have it.
    with journal.open("a", encoding="utf-8") as file:
        for entry in ({"what": "intend", "task": 10**6}, {"what": "acknowledged", "task": 10**6, "id": "gone"}):
            file.write(json.dumps(entry) + "\n")
        file.write('{"what": "ackno')  # and it was killed while it wrote
    words = command(folder, "--kills", "1", seed=matrix.seed)
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert done.returncode == 1, done.stderr
    report = report_of(folder)
    assert report["starts"] == 2
    assert report["faults"].pop("lost") == ["gone: task 1000000"]
    assert not any(report["faults"].values())
