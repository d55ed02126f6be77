"""Many processes that do the same thing to one store at the same moment.

They are forked from a process that has imported everything and opened nothing, and wait at a gate until all are there.
Run as a program, so that the process that forks has one thread and no store open, whatever runs the tests.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

# So that no process is the one that imports it.
import alembic.command  # noqa: F401

from aerjob_cli.api.client import Client
from aerjob_cli.api.requests import CircuitBytes, Request
from aerjob_cli.errors import AerjobError
from aerjob_cli.settings import Settings, StorePaths
from aerjob_cli.store.upgrade import upgrade
from tests.support.circuits import BELL

_ROOT = Path(__file__).resolve().parents[3]
_DEADLINE_S = 600.0


@dataclass(frozen=True)
class Answer:
    """What became of one process: its exit code (negative: the signal), and what it said."""

    code: int
    text: str


@dataclass(frozen=True)
class Round:
    """One store, and how many processes meet at it. ``kills`` are SIGKILLs: which process, after how many seconds."""

    home: str
    count: int
    kills: Sequence[tuple[int, float]] = ()


def meet(action: str, rounds: Sequence[Round]) -> list[list[Answer]]:
    """Have each round's processes do ``action`` (a key of ``ACTIONS``) to its store, one round after the other."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.support.crowds", action],
        input=json.dumps([asdict(each) for each in rounds]),
        stdout=subprocess.PIPE,
        cwd=_ROOT,
        text=True,
        timeout=_DEADLINE_S,
        check=True,
    )
    return [[Answer(**answer) for answer in answers] for answers in json.loads(done.stdout)]


def _submit(paths: StorePaths) -> str:
    client = Client(Settings(paths=paths))
    client._launcher.call = lambda: None  # type: ignore[method-assign]
    circuits = (CircuitBytes("bell", "openqasm2", BELL.encode()),)
    (job,) = client.submit([Request(circuits=circuits, backend="qasm_simulator")])
    client.close()
    return job.job_id


def _upgrade(paths: StorePaths) -> str:
    return "upgraded" if upgrade(paths).was_needed else "was current"


ACTIONS: dict[str, Callable[[StorePaths], str]] = {"submit": _submit, "upgrade": _upgrade}


def _held(each: Round, act: Callable[[StorePaths], str]) -> list[Answer]:
    gate, opens = os.pipe()
    children = []
    for _ in range(each.count):
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(opens)
            os.read(gate, 1)
            try:
                code, text = 0, act(StorePaths(Path(each.home)))
            except AerjobError as error:
                code, text = error.exit_code, error.message
            except BaseException as error:  # noqa: BLE001 - a forked process must not go on as the parent
                code, text = 70, repr(error)
            os.write(writing, text.encode())
            os._exit(code)
        os.close(writing)
        children.append((child, reading))
    os.close(gate)
    os.close(opens)
    began_s = time.monotonic()
    for index, after_s in sorted(each.kills, key=lambda kill: kill[1]):
        time.sleep(max(0.0, began_s + after_s - time.monotonic()))
        os.kill(children[index][0], signal.SIGKILL)
    return [_answer(*child) for child in children]


def _answer(child: int, reading: int) -> Answer:
    text = b""
    while part := os.read(reading, 4096):
        text += part
    os.close(reading)
    _, status = os.waitpid(child, 0)
    return Answer(os.waitstatus_to_exitcode(status), text.decode())


def main() -> None:
    """Read rounds as JSON from stdin, hold them, and write what came of them."""
    rounds = [Round(**each) for each in json.load(sys.stdin)]
    answers = [_held(each, ACTIONS[sys.argv[1]]) for each in rounds]
    json.dump([[asdict(answer) for answer in each] for each in answers], sys.stdout)


if __name__ == "__main__":
    main()
