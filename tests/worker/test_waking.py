"""The worker wakes those who wait for a job."""

from __future__ import annotations

import time

import pytest

from aerjob_cli import BasicAerProvider
from aerjob_cli.api import waiting
from aerjob_cli.store import gong
from tests.api.conftest import circuit_of_bell
from tests.support.running import Scene

pytestmark = pytest.mark.skipif(not gong.IS_HEARD, reason="only Linux tells each reader that a writer has left")

_LONG_S = 60.0


def test_the_end_of_a_job_ends_the_pause_of_who_waits_for_it(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """With pauses longer than the test's deadline only the gong can tell."""
    scene.start_worker()
    monkeypatch.setenv("AERJOB_HOME", str(scene.paths.home))
    backend = BasicAerProvider().get_backend("qasm_simulator")
    backend.run(circuit_of_bell()).result()  # executors are there
    for name in ("_SHORTEST_S", "_LONGEST_S"):
        monkeypatch.setattr(waiting, name, _LONG_S)
    monkeypatch.setattr(waiting, "_DEAF_PART", 0)
    began = time.monotonic()
    result = backend.run(circuit_of_bell()).result()
    assert sum(result.get_counts().values()) == 1024
    assert time.monotonic() - began < _LONG_S / 2
