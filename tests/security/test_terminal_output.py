"""Nothing that others wrote acts on a terminal: on every verb that shows names, tags, messages, paths or logs."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qiskit import QuantumCircuit, qpy

from aerjob_cli.api.requests import CircuitBytes
from aerjob_cli.cli.cleaning import clean, clean_lines
from aerjob_cli.cli.columns import COLUMNS
from aerjob_cli.states import Reason, Status
from aerjob_cli.store import claims, lifecycle
from aerjob_cli.store.flocks import try_flock
from tests.support import one_job
from tests.support.circuits import BELL
from tests.support.hostile_text import ACTING, EVIL, MARKUP, acting_in, every_acting
from tests.support.running import Scene, scene_in
from tests.support.terminals import printed_on_a_terminal

EVERY = every_acting()
# A folder's name has no slash and no more than 255 bytes.
PLACE = EVIL.replace("/", "")[:90]


@dataclass(frozen=True)
class Hostile:
    """A store in which everything that can be text is hostile, and its jobs."""

    home: Path
    done: str
    failed: str
    cancelled: str
    queued: str

    def command(self, words: Sequence[str]) -> list[str]:
        """Put this store's jobs and place into the words of a command."""
        return [str(getattr(self, word[1:-1])) if word[0] == "{" else word for word in words]

    def print(self, *arguments: str, **environment: str) -> tuple[int, str]:
        return printed_on_a_terminal(*arguments, environment={"AERJOB_HOME": str(self.home), **environment})


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    folder = tmp_path_factory.mktemp("security") / PLACE
    folder.mkdir()
    with scene_in(folder / "home") as scene:
        lock = try_flock(scene.paths.starter_lock)
        assert lock is not None
        yield _filled(scene)
        lock.release()


def _filled(scene: Scene) -> Hostile:
    file = io.BytesIO()
    circuits = []
    for number in range(2):
        circuit = QuantumCircuit(2, 1, name=f"{number}{EVIL}", metadata={EVIL: EVIL})
        circuit.h(0)
        circuit.measure(0, 0)
        circuits.append(circuit)
    qpy.dump(circuits, file)
    written = (CircuitBytes(EVIL, "qpy", file.getvalue()),)
    texts = {"name": EVIL, "tags": (EVIL, *EVERY), "idempotency_key": EVIL, "metadata": {EVIL: EVIL}}
    done, refused = scene.put(
        scene.request(BELL, circuits=written, **texts),
        scene.request(f'OPENQASM 2.0;\ninclude "{MARKUP}{EVERY[0]}";\n', name=EVIL),
    )
    worker = scene.start_worker()
    scene.wait_for_status(done, Status.DONE)
    scene.wait_for_status(refused, Status.ERROR)
    worker.send_signal(signal.SIGTERM)
    worker.wait()
    named = [scene.request(BELL, name=f"{number}{EVERY[0]}", tags=(EVIL,)) for number in range(3)]
    failed, cancelled, queued = scene.put(*named)
    now_us = scene.store.now_us()
    with scene.store.writing() as tx:
        for item in claims.claim_validations(tx, EVIL, limit=3, now_us=now_us):
            one_job.accept(tx, item.claim, experiments_total=1, threads=1, now_us=now_us)
        (held,) = claims.claim(tx, EVIL, limit=1, now_us=now_us)
        assert held.job.seq == failed.seq
        message = f"{EVIL}{EVERY[0]}"
        lifecycle.fail(tx, held.claim, Reason.SIMULATION_FAILED, message, stderr_tail=message, now_us=now_us)
    scene.client.cancel_all([cancelled], message=EVIL)
    with scene.paths.worker_log.open("a", encoding="utf-8", newline="") as log:
        log.write(f"{EVIL}{''.join(EVERY)}\n")
    return Hostile(scene.paths.home, done.job_id, failed.job_id, cancelled.job_id, queued.job_id)


SHOWN = (
    ("list",),
    ("list", "--columns", ",".join(COLUMNS)),
    ("list", "--name", f"*{MARKUP[:5]}*"),
    ("status", "{done}", "{failed}", "{cancelled}", "{queued}"),
    ("show", "{done}"),
    ("show", "{failed}"),
    ("show", "{cancelled}"),
    ("show", "{queued}"),
    ("show", "{queued}", "--source"),
    ("wait", "{done}", "{failed}", "{cancelled}"),
    ("result", "{done}"),
    ("result", "{done}", "--format", "csv"),
    ("result", "{failed}"),
    ("result", "{cancelled}"),
    ("watch", "--once", "{done}", "{queued}"),
    ("top", "--once"),
    ("tag", "{done}", "--add", "t" + EVIL, "--remove", EVIL),
    ("retry", "{failed}", "{queued}"),
    ("rm", "{queued}"),
    ("worker", "logs"),
    ("worker", "status"),
    ("store", "info"),
    ("store", "check"),
    ("doctor",),
    ("show", "{done}", "--circuit"),
)
TYPED = (
    ("status", EVIL),
    ("submit", EVIL.replace("/", "")),
    ("submit", f"/nowhere/{EVERY[0]}"),
    ("submit", "-", "--backend", EVIL),
    ("submit", "-", "--option", EVIL),
    ("submit", "-", "--option", f"fusion_enable={EVIL}"),
    ("submit", "-", "--shots", EVIL),
    ("submit", "-", "--time-limit", EVIL),
    ("submit", "-", "--max-memory", EVIL),
    ("list", "--since", EVIL),
    ("list", "--columns", EVIL),
    ("list", "--sort", EVIL),
    ("list", "--status", EVIL),
    ("result", "last", "-o", EVIL.replace("/", "") + "/x"),
    ("plot", "last", "-o", EVIL.replace("/", "") + ".gif"),
    ("store", "backup", f"/nowhere/{EVIL}"),
    ("store", "backup", "{home}"),
    (EVIL,),
    (f"--{EVIL}",),
)


def test_nothing_that_a_command_shows_acts_on_a_terminal(hostile: Hostile) -> None:
    # The store is in a folder of such a name, too. One renderer writes all JSON.
    for words, output_form in [*((words, "text") for words in SHOWN), *((words, "json") for words in SHOWN[::4])]:
        command = hostile.command(words)
        exit_code, output = hostile.print(*command, AERJOB_OUTPUT=output_form)
        assert exit_code not in (2, 99), (command, output)
        assert "bug in aerjob" not in output, command
        assert acting_in(output) == [], (command, output)
    # It was not lost either: what could be taken for markup is there as it was written.
    assert MARKUP in hostile.print("show", hostile.done)[1]
    assert MARKUP in hostile.print("list")[1]


def test_nothing_that_was_typed_acts_on_a_terminal_when_it_is_quoted(hostile: Hostile) -> None:
    for words in TYPED:
        command = hostile.command(words)
        exit_code, output = hostile.print(*command)
        assert exit_code in (2, 3, 6), (command, output)
        assert acting_in(output) == [], (command, output)
    for name in ("AERJOB_OUTPUT", "AERJOB_SHOTS"):
        exit_code, output = hostile.print("list", **{name: EVIL})
        assert (exit_code, acting_in(output)) == (2, []), output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_nothing_that_is_offered_for_completion_acts_on_a_terminal(hostile: Hostile, shell: str) -> None:
    for words in (("status", ""), ("list", "--tag", ""), ("list", "--name", ""), ("submit", "--backend", "")):
        exit_code, output = hostile.print("__complete", shell, *words)
        assert (exit_code, acting_in(output)) == (0, []), (words, output)
    assert hostile.done in hostile.print("__complete", shell, "status", "")[1]


@given(st.text())
def test_clean_text_has_nothing_that_acts_and_stays_as_it_is(text: str) -> None:
    cleaned = clean(text)
    assert ACTING.isdisjoint(cleaned)
    assert cleaned.isprintable()
    assert clean(cleaned) == cleaned
    assert len(cleaned) <= len(text)


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_what_is_seen_is_kept(text: str) -> None:
    seen = "".join(" " if character.isspace() else character for character in text if character not in ACTING)
    assert clean(text) == seen


@given(st.text())
def test_clean_lines_have_ends_and_tabs_and_nothing_else_that_acts(text: str) -> None:
    assert (ACTING - {"\n", "\t"}).isdisjoint(clean_lines(text))


def test_every_character_that_acts_is_removed() -> None:
    assert len(ACTING) > 4000
    for character in ACTING:
        assert clean(f"a{character}b") in ("ab", "a b"), f"U+{ord(character):04X}"
    assert os.linesep == "\n"
