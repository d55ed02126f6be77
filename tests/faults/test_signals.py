"""Signals at random instants of every command: a documented end, no traceback, no half state, the terminal given back.

The instants are fractions of the time that the command takes when nothing disturbs it, its start included.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import pytest

from aerjob_cli.cli.app import command_tree
from aerjob_cli.errors import JobNotFound
from aerjob_cli.settings import StorePaths
from aerjob_cli.store import jobs
from aerjob_cli.store.database import Store
from aerjob_cli.store.inspection import inspect_store
from aerjob_cli.store.upgrade import upgrade
from tests.faults.support.every_command import DEEDS, Deed, Stores
from tests.support.command_line import DEADLINE_S, CommandLine
from tests.support.command_tree import leaves
from tests.support.matrix import Matrix
from tests.support.pseudo_terminal import PseudoTerminal

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the pseudo terminals are those of Linux")

PIPE_BYTES = 65536  # what Linux keeps of a pipe that nobody reads (pipe(7))
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# How long a command that nothing but a signal ends is looked at, in times of a command that only prints.
ENDLESS_TIMES = 3.0
# A worker in the foreground needs longer until it works.
WORKER_TIMES = 8.0
JOB_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ENTERED, LEFT, HIDDEN, SHOWN = b"\x1b[?1049h", b"\x1b[?1049l", b"\x1b[?25l", b"\x1b[?25h"


@dataclass(frozen=True)
class Blow:
    """A signal to a command, ``fraction`` of its time after its start."""

    deed: Deed
    number: signal.Signals
    fraction: float
    as_json: bool

    def __str__(self) -> str:
        return f"{self.number.name} at {self.fraction:.4f} of `{self.deed.name}`{' --json' if self.as_json else ''}"


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Stores:
    return Stores(tmp_path_factory.mktemp("signals"))


@pytest.fixture(scope="module")
def times(stores: Stores) -> dict[str, tuple[float, int]]:
    """How long commands take and how they end when nothing disturbs them, as far as that is known."""
    version = next(deed for deed in DEEDS if deed.name == "version")
    known = {"version": _undisturbed(stores, version)}
    usual_s = known["version"][0]
    for deed in DEEDS:
        if deed.is_endless:
            times = WORKER_TIMES if deed.path == ("worker", "run") else ENDLESS_TIMES
            known[deed.name] = usual_s * times, 0
    return known


def _undisturbed(stores: Stores, deed: Deed) -> tuple[float, int]:
    with stores.place_for(deed) as (aerjob, words):
        begun_s = time.monotonic()
        done = aerjob(*words)
        assert done.returncode in {0, 1, 70}, done  # `doctor` misses a worker
        return time.monotonic() - begun_s, done.returncode


def blows(matrix: Matrix, name: str, deeds: tuple[Deed, ...], count: int) -> Iterator[Blow]:
    """Choose blows that are spread over the commands."""
    random = matrix.random(name)
    shuffled = random.sample(deeds, len(deeds))
    for deed in islice(cycle(shuffled), count):
        # Beyond its end as well, where a process is still on its way out.
        as_json = deed.has_json and random.random() < 0.5
        yield Blow(deed, random.choice(SIGNALS), random.uniform(0.0, 1.02), as_json)


def test_each_command_is_among_those_that_get_signals() -> None:
    assert {path for path, _ in leaves(command_tree())} == {deed.path for deed in DEEDS}


def test_a_signal_ends_any_command_at_any_instant_as_documented(
    matrix: Matrix, stores: Stores, times: dict[str, tuple[float, int]]
) -> None:
    for blow in blows(matrix, "signals", DEEDS, matrix.times(sample=14, full=900)):
        if blow.deed.name not in times:
            times[blow.deed.name] = _undisturbed(stores, blow.deed)
        takes_s, own_code = times[blow.deed.name]
        with stores.place_for(blow.deed) as (aerjob, words):
            process = aerjob.start(*words, *(["--json"] if blow.as_json else []), start_new_session=True)
            time.sleep(blow.fraction * takes_s)  # the instant is the point
            process.send_signal(blow.number)
            stdout, stderr = process.communicate(timeout=DEADLINE_S)
            what = f"{blow}: code {process.returncode}, stdout {stdout!r}, stderr {stderr!r}"
            assert process.returncode in {own_code, *codes_of(blow.number, stderr)}, what
            assert is_clean(stderr) or is_pythons_own(stderr, blow.number), what
            assert is_whole(stdout, as_json=blow.as_json), what
            if blow.deed.path == ("submit",):
                assert is_there(aerjob, JOB_ID.findall(stdout)), what
            assert store_problems(aerjob) == [], what


def test_a_signal_gives_the_terminal_back(matrix: Matrix, stores: Stores, times: dict[str, tuple[float, int]]) -> None:
    live = tuple(deed for deed in DEEDS if deed.is_live)
    for blow in blows(matrix, "signals to screens", live, matrix.times(sample=len(live), full=100)):
        takes_s, _ = times[blow.deed.name]
        with stores.place_for(blow.deed) as (aerjob, words), PseudoTerminal(aerjob, *words) as terminal:
            time.sleep(blow.fraction * takes_s)
            terminal.send(blow.number)
            code = terminal.end()
            what = f"{blow}: code {code}, sent {terminal.sent!r}"
            assert code in codes_of(blow.number, terminal.sent.decode()), what
            assert terminal.modes == terminal.modes_before, what
            assert terminal.sent.count(ENTERED) == terminal.sent.count(LEFT), what
            assert terminal.sent.rfind(HIDDEN) <= terminal.sent.rfind(SHOWN), what
            said = terminal.sent.decode()
            assert is_clean(said) or is_pythons_own(said, blow.number), what
            assert store_problems(aerjob) == [], what


# What a process does in which a signal comes while an object is tidied up.
TIDYING_PROGRAM = """
import os, signal, sys, time
from aerjob_cli.cli import interrupts
class Tidied:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        sum(range(10))
try:
    with interrupts.raised():
        Tidied()
        time.sleep(60)
except interrupts.Interrupted as interrupt:
    sys.exit(interrupt.as_error().exit_code)
"""


def test_a_signal_that_comes_while_an_object_is_destroyed_is_heeded() -> None:
    done = subprocess.run(
        [sys.executable, "-c", TIDYING_PROGRAM], stderr=subprocess.PIPE, text=True, timeout=30, check=False
    )
    assert (done.returncode, done.stderr) == (143, "")


IMPORTING_PROGRAM = """
import sys
from aerjob_cli.cli import interrupts
sys.path.insert(0, sys.argv[1])
try:
    with interrupts.raised():
        import signalled
        while True:
            pass
except interrupts.Interrupted as interrupt:
    print(interrupt.signal.name, sys.modules["signalled"].is_whole)
"""


def test_a_signal_that_comes_within_an_import_waits_for_its_end(tmp_path: Path) -> None:
    (tmp_path / "signalled.py").write_text(
        "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\nfor _ in range(100_000):\n    pass\nis_whole = True\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING_PROGRAM, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("SIGTERM True\n", "")


def codes_of(number: signal.Signals, stderr: str) -> set[int]:
    """Give the codes that a signal may end a command with: documented ones, and its death of it while it starts.

    For shells both are 128 and the signal's number.
    """
    return {128 + number, -number} | ({1} if is_pythons_own(stderr, number) else set())


def is_clean(stderr: str) -> bool:
    return not re.search(r"Traceback|Exception ignored|Fatal Python", stderr)


def is_pythons_own(stderr: str, number: signal.Signals) -> bool:
    """Tell whether Ctrl-C came while Python itself began, before the program's first line: it shows where it was."""
    # Python reads these two to find the program; the folder it names without being in it.
    ours = re.sub(r"aerjob_cli/__init__\.py|KeyError: '[^']*'", "", stderr)
    return number is signal.SIGINT and "KeyboardInterrupt" in stderr and "aerjob" not in ours


def is_whole(stdout: str, *, as_json: bool) -> bool:
    if len(stdout.encode()) >= PIPE_BYTES:
        # More than fits into a pipe: what was written before the signal has been read already.
        return True
    if as_json:
        return all(json.loads(line)["schema_version"] == 1 for line in stdout.splitlines())
    return stdout == "" or stdout.endswith("\n")


def is_there(aerjob: CommandLine, job_ids: list[str]) -> bool:
    store = Store.open(StorePaths(aerjob.home))
    try:
        with store.reading() as tx:
            return all(jobs.find(tx, job_id) for job_id in job_ids)
    except JobNotFound:
        return False
    finally:
        store.close()


def store_problems(aerjob: CommandLine) -> list[str]:
    upgrade(StorePaths(aerjob.home))
    findings = inspect_store(StorePaths(aerjob.home), quick=True)
    return [] if findings.is_sound else [str(findings)]
