"""A folder for PYTHONPATH: executors that begin with it misbehave as the names of their circuits say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aerjob_cli.api.requests import CircuitBytes, Plan, Request
from tests.support.circuits import BELL
from tests.support.running import Scene, scene_in

FOLDER = Path(__file__).parent


@contextmanager
def bad_scene_in(home: Path, *arguments: str) -> Iterator[Scene]:
    """Set up a scene with a worker whose executors misbehave, and stop all of it afterwards."""
    with scene_in(home) as scene, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(FOLDER))
        scene.start_worker(*arguments)
        yield scene


def deed(name: str, text: str = BELL, *, format: str = "openqasm2", **changes: object) -> Request:
    """Make a request of one circuit, whose name says what its executor does; it is validated for ``check …`` only."""
    fields: dict[str, object] = {"backend": "qasm_simulator", "shots": 10, "seed": 1}
    if not name.startswith("check "):
        fields["plan"] = Plan(1, 1)
    return Request(circuits=(CircuitBytes(name, format, text.encode()),), **(fields | changes))  # type: ignore[arg-type]
