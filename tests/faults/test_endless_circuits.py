"""Circuits that take for ever to be checked are refused at the limit of a validation, and hold up nobody meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from aerjob_cli.api.requests import CircuitBytes, Request
from aerjob_cli.states import Reason, Status
from aerjob_cli.store import events
from aerjob_cli.store.records import EventRecord, JobRecord
from tests.support.circuits import BELL
from tests.support.running import Scene, scene_in

LIMIT_S = 3.0
# The limit is enforced to some milliseconds; the rest is what a busy machine takes to do so.
_LATE_AT_MOST_S = 10.0
FINAL = (Status.DONE, Status.ERROR, Status.CANCELLED)


def gate_bomb(doublings: int) -> str:
    """Write a gate that is ``2 ** doublings`` gates."""
    doubled = (f"gate g{level} a {{ g{level - 1} a; g{level - 1} a; }}" for level in range(1, doublings + 1))
    return "\n".join(
        [
            'OPENQASM 2.0;\ninclude "qelib1.inc";\ngate g0 a { h a; }',
            *doubled,
            f"qreg q[1];\ncreg c[1];\ng{doublings} q[0];\nmeasure q -> c;\n",
        ]
    )


def register_bomb(width: int) -> str:
    return f'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[{width}];\ncreg c[1];\nh q;\nmeasure q[0] -> c[0];\n'


def turns(count: int) -> str:
    return f"""OPENQASM 3.0;
include "stdgates.inc";
qubit q;
bit c;
for int i in [0:{count}] {{ h q; }}
c = measure q;
"""


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with scene_in(tmp_path_factory.mktemp("endless") / "home") as made:
        made.start_worker("--slots", "2", "--validation-limit", str(LIMIT_S))
        yield made


def request(text: str, **changes: object) -> Request:
    form = "openqasm3" if text.startswith("OPENQASM 3") else "openqasm2"
    circuits = (CircuitBytes("c", form, text.encode()),)
    fields: dict[str, object] = {"backend": "qasm_simulator", "shots": 10, "seed": 1}
    return Request(circuits=circuits, **(fields | changes))  # type: ignore[arg-type]


def moved_to(scene: Scene, job: JobRecord, status: Status) -> EventRecord:
    history = scene.peek(lambda tx: events.history(tx, job.seq)) or []
    (event,) = (event for event in history if event.to_status is status)
    return event


def test_gate_bombs_are_refused_at_the_limit_and_others_are_validated_and_run_meanwhile(scene: Scene) -> None:
    (warm,) = scene.put(request(BELL))
    scene.wait_for_status(warm, Status.DONE)
    first, bell, second, other = scene.put(request(gate_bomb(30)), request(BELL), request(gate_bomb(40)), request(BELL))
    for bomb in (first, second):
        refused = scene.wait_for_status(bomb, *FINAL)
        assert (refused.status, refused.reason) == (Status.ERROR, Reason.INVALID_CIRCUIT)
        assert refused.message == "validation took longer than 3 s; make the circuits smaller or fewer"
        begun, ended = moved_to(scene, bomb, Status.VALIDATING), moved_to(scene, bomb, Status.ERROR)
        assert LIMIT_S * 0.9 <= (ended.at_us - begun.at_us) / 1e6 <= LIMIT_S + _LATE_AT_MOST_S
    for neighbour in (bell, other):
        scene.wait_for_status(neighbour, Status.DONE)
        assert moved_to(scene, neighbour, Status.DONE).seq < moved_to(scene, second, Status.ERROR).seq


@pytest.mark.parametrize("width", [2_000_000_000, 2**63, 2**64, 10**30])
def test_a_register_bomb_is_refused_in_a_sentence(scene: Scene, width: int) -> None:
    (job,) = scene.put(request(register_bomb(width)))
    refused = scene.wait_for_status(job, *FINAL)
    assert (refused.status, refused.reason) == (Status.ERROR, Reason.INVALID_CIRCUIT)
    assert refused.message


def test_a_loop_of_a_million_million_turns_is_accepted_at_once_and_ended_by_its_time_limit(scene: Scene) -> None:
    (job,) = scene.put(request(turns(10**12), time_limit_s=1.0))
    ended = scene.wait_for_status(job, *FINAL)
    assert (ended.status, ended.reason, ended.attempt) == (Status.ERROR, Reason.TIMED_OUT, 1)
    assert moved_to(scene, job, Status.QUEUED).at_us - moved_to(scene, job, Status.VALIDATING).at_us < LIMIT_S * 1e6


def test_a_loop_of_a_million_million_turns_can_be_cancelled(scene: Scene) -> None:
    (job,) = scene.put(request(turns(10**12)))
    scene.wait_for_status(job, Status.RUNNING)
    (ended,) = scene.client.cancel_all([job])
    assert (ended.status, ended.reason) == (Status.CANCELLED, Reason.USER_CANCELLED)
