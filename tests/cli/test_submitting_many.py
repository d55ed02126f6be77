"""Many files in one `submit`: taken in some at a time, all looked at before, and each id that is stored is told."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import pytest

from aerjob_cli.api.intake import Intake
from aerjob_cli.errors import IdempotencyConflict, InputRefused
from aerjob_cli.settings import JOBS_PER_TRANSACTION
from aerjob_cli.store.database import Store
from aerjob_cli.store.listing import JobFilter, matching_seqs
from tests.support.circuits import BELL
from tests.support.command_line import CommandLine
from tests.support.pseudo_terminal import PseudoTerminal
from tests.support.running import Scene

MANY = 2 * JOBS_PER_TRANSACTION + 1
LIMITED = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (4_500_000, resource.RLIM_INFINITY))
os.execv(sys.argv[1], sys.argv[1:])
"""


def stored(store: Store) -> int:
    with store.reading() as tx:
        return len(matching_seqs(tx, JobFilter()))


def write(folder: Path, count: int, *, padding: str = "") -> list[str]:
    names = [f"c{number:04}.qasm" for number in range(count)]
    for name in names:
        (folder / name).write_text(BELL + padding)
    return names


def test_each_group_is_durable_before_the_next_one(idle: CommandLine) -> None:
    scene = Scene(idle.home)
    requests = [scene.request(BELL, name=str(number)) for number in range(MANY)]
    intake = Intake(scene.store, requests)
    assert stored(scene.store) == 0
    intake.take_in()
    assert (len(intake.jobs), stored(scene.store)) == (JOBS_PER_TRANSACTION, JOBS_PER_TRANSACTION)
    while not intake.is_complete:
        intake.take_in()
    assert [record.name for record in intake.jobs] == [str(number) for number in range(MANY)]
    assert stored(scene.store) == MANY

    spoilt = [*requests[:-1], dataclasses.replace(requests[-1], shots=0)]
    with pytest.raises(InputRefused):
        Intake(scene.store, spoilt)
    assert stored(scene.store) == MANY
    scene.client.close()


@pytest.mark.parametrize("keys", [(None, None), ("k", None)])
def test_jobs_are_found_again_that_were_committed_and_not_yet_told(
    idle: CommandLine, keys: tuple[str | None, ...]
) -> None:
    scene = Scene(idle.home)
    intake = Intake(scene.store, [scene.request(BELL, idempotency_key=key) for key in keys])
    intake.look_again()
    assert intake.jobs == []
    intake.take_in()
    taken = list(intake.jobs)
    intake.jobs.clear()  # as when a signal comes right after the commit
    intake.look_again()
    assert intake.jobs == taken
    assert stored(scene.store) == len(keys)
    scene.client.close()


def test_two_jobs_of_one_call_with_one_key_are_refused_without_naming_one(idle: CommandLine) -> None:
    scene = Scene(idle.home)
    requests = [scene.request(BELL, shots=shots, idempotency_key="k") for shots in (1, 2)]
    with pytest.raises(IdempotencyConflict, match="given to several of these jobs") as refused:
        scene.client.submit(requests)
    assert refused.value.fields["job_id"] is None
    assert stored(scene.store) == 0
    scene.client.close()


def test_what_ends_it_in_between_leaves_those_that_are_told(idle: CommandLine) -> None:
    names = write(idle.folder, MANY, padding=f"// {'.' * 4000}\n")
    # No file may become larger: the log of the database has room for one group of 2 MB and more, and not for two.
    limited = dataclasses.replace(idle, prefix=(sys.executable, "-c", LIMITED))
    done = limited("submit", *names)
    store = Scene(idle.home).store
    assert len(done.stdout.split()) == stored(store) == JOBS_PER_TRANSACTION, done.stderr
    assert done.returncode == 5
    told = f"the first {JOBS_PER_TRANSACTION} of {MANY} files are stored as jobs, those from {names[500]} on are not"
    assert told in done.stderr
    store.close()


def test_a_terminal_tells_of_the_progress_and_a_signal_loses_no_id(idle: CommandLine) -> None:
    names = write(idle.folder, JOBS_PER_TRANSACTION + 1)
    with PseudoTerminal(idle, "submit", *names, lines=700) as terminal:
        # Nobody works here.
        terminal.wait_for(f"{len(names)} jobs stored, their circuits are being checked")
        terminal.press("\x03")
        assert terminal.end() == 130
        assert len([line for line in terminal.lines if len(line) == 36]) == len(names)
        assert "being checked" not in terminal.text
