"""What may stand at the end of an unfinished command line, as the scripts of the shells ask for it."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from aerjob_cli.catalog import SIMULATORS
from aerjob_cli.cli.app import command_tree
from aerjob_cli.cli.completion_words import complete
from aerjob_cli.cli.overview import VERBS
from aerjob_cli.plugins.discovery import usable_simulators
from aerjob_cli.settings import StorePaths
from aerjob_cli.store.dbapi import sqlite_library
from aerjob_cli.store.suggestions import AT_MOST
from tests.cli.conftest import Put
from tests.cli.test_lightness import HEAVY
from tests.support.circuits import BELL
from tests.support.command_line import CommandLine
from tests.support.command_tree import leaves
from tests.support.running import Scene

HOSTILE = "\x1b]0;owned\x07x"
# More than the busy timeout of completion and the start of a process on a small machine, less than that of a command.
AT_ONCE_S = 20.0


def offered(aerjob: CommandLine, *words: str) -> dict[str, str]:
    """Give what is offered for the last word, each with its description."""
    done = aerjob("__complete", "fish", *words)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.partition("\t") for line in done.stdout.splitlines()[1:]]
    return {value: description for value, _, description in lines}


def test_verbs(aerjob: CommandLine) -> None:
    verbs = {verb: sentence for group in VERBS.values() for verb, sentence in group.items()}
    assert offered(aerjob, "") == offered(aerjob) == verbs
    assert set(offered(aerjob, "s")) == {verb for verb in verbs if verb.startswith("s")}
    assert {"start", "stop", "status"} <= set(offered(aerjob, "worker", ""))
    assert offered(aerjob, "no-such-verb", "") == {}


def test_options_that_can_still_be_given(aerjob: CommandLine) -> None:
    assert "--version" in offered(aerjob, "--")
    options = offered(aerjob, "submit", "bell.qasm", "--shots", "100", "--tag", "x", "-")
    assert {"--seed", "--tag", "--help"} <= set(options)
    assert "--shots" not in options
    assert options["--seed"].startswith("From 0")
    assert offered(aerjob, "submit", "--", "--s") == {}


def test_ids_names_and_tags_are_those_of_the_store(idle: CommandLine, put: Put) -> None:
    first = put(name="bell", tags=("demo", "two words"), group="sweep")
    last = put(name=HOSTILE, tags=(HOSTILE,), group=HOSTILE)
    ids = offered(idle, "status", "")
    assert list(ids) == ["last", last.job_id, first.job_id]
    assert ids[first.job_id] == "INITIALIZING bell"
    assert "\x1b" not in ids["last"]
    assert set(offered(idle, "status", "last", first.job_id[:6].upper())) == {first.job_id}
    assert set(offered(idle, "wait", "--any", "la")) == {"last"}
    assert set(offered(idle, "submit", "--after-ok", "3f2a,la")) == {"3f2a,last"}
    assert set(offered(idle, "list", "--name", "")) == {"bell"}
    assert set(offered(idle, "list", "--tag", "")) == {"demo", "two words"}
    assert set(offered(idle, "status", "--group", "")) == {"sweep"}
    assert set(offered(idle, "list", "--tag=d")) == {"--tag=demo"}


def test_only_the_latest_ids(idle: CommandLine, put: Put) -> None:
    jobs = [put(tags=(f"t{index:02}",)) for index in range(AT_MOST + 3)]
    assert list(offered(idle, "status", "")) == ["last", *(job.job_id for job in reversed(jobs[3:]))]
    # An older one is found when its id is begun.
    assert jobs[0].job_id in offered(idle, "status", jobs[0].job_id[:4])
    assert list(offered(idle, "list", "--tag", "")) == [f"t{index:02}" for index in range(AT_MOST)]


def test_words_of_the_catalog(aerjob: CommandLine) -> None:
    assert set(offered(aerjob, "submit", "--backend", "")) == {found.name for found in usable_simulators()}
    assert set(offered(aerjob, "submit", "--method", "")) == set(SIMULATORS["qasm_simulator"].methods)
    assert set(offered(aerjob, "submit", "--backend", "unitary_simulator", "--method", "")) == {"unitary"}
    assert "fusion_enable=" in offered(aerjob, "submit", "--option", "fus")
    assert set(offered(aerjob, "run", "--option", "fusion_enable=")) == {"fusion_enable=true", "fusion_enable=false"}
    assert set(offered(aerjob, "list", "--status", "don")) == {"DONE"}
    assert set(offered(aerjob, "list", "--reason", "t")) == {"TIMED_OUT"}
    assert set(offered(aerjob, "list", "--columns", "id,sta")) == {"id,status", "id,started"}
    assert offered(aerjob, "submit", "--method", "no-such") == {}


def test_files_are_left_to_the_shell(aerjob: CommandLine) -> None:
    for words in (("submit", ""), ("run", "--shots", "5", "-q", "a.qasm", "b")):
        assert aerjob("__complete", "bash", *words).stdout == "files\n"


def test_every_parameter_of_its_kind(idle: CommandLine, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tags=("demo",), group="sweep")
    monkeypatch.setenv("AERJOB_HOME", str(idle.home))
    samples = {"ID": "last", "TAG": "demo", "--tag": "demo", "--group": "sweep"}
    samples |= {"--backend": "qasm_simulator", "--method": "automatic"}
    seen = set()
    for path, command in leaves(command_tree()):
        for parameter in command.params:
            is_option = parameter.param_type_name == "option"
            for name in {*parameter.opts, parameter.metavar} & samples.keys():
                words = [*path, parameter.opts[0], ""] if is_option else [*path, ""]
                assert samples[name] in {item.value for item in complete(words).candidates}, (path, name)
                seen.add(name)
    assert seen == samples.keys()


def test_a_missing_store_is_not_made(aerjob: CommandLine) -> None:
    assert offered(aerjob, "status", "") == {}
    assert not aerjob.home.exists()


@pytest.mark.parametrize("content", [b"", b"not a database" * 1000])
def test_a_damaged_store_is_passed_over(aerjob: CommandLine, content: bytes) -> None:
    aerjob.home.mkdir(mode=0o700)
    paths = StorePaths(aerjob.home)
    paths.database.write_bytes(content)
    assert offered(aerjob, "status", "") == {}
    assert paths.database.read_bytes() == content
    paths.database.unlink()


def test_a_locked_store_is_not_waited_for(aerjob: CommandLine) -> None:
    scene = Scene(aerjob.home)
    scene.put(scene.request(BELL))
    scene.client.close()
    holder = sqlite_library().module.connect(str(scene.paths.database), isolation_level=None)
    # So that readers, too, are kept out of a database in WAL mode.
    holder.execute("PRAGMA locking_mode=EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    begun = time.monotonic()
    assert offered(aerjob, "status", "") == {}
    assert time.monotonic() - begun < AT_ONCE_S
    holder.close()
    assert "last" in offered(aerjob, "status", "")


@pytest.mark.parametrize("arguments", [(), ("tcsh", "status", ""), ("bash", "submit", "--option", "no_such=")])
def test_what_cannot_be_told_is_silent(aerjob: CommandLine, arguments: tuple[str, ...]) -> None:
    done = aerjob("__complete", *arguments, env={"AERJOB_SHOTS": "many"})
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


PROGRAM = """
import sys
sys.argv = ["aerjob", "__complete", "zsh", *sys.argv[1:]]
from aerjob_cli.__main__ import main
try:
    main()
finally:
    print(*sys.modules, file=open("modules", "w"))
"""


@pytest.mark.parametrize(
    ("words", "is_lightest"),
    [(("s",), True), (("status", ""), False), (("submit", "--"), False), (("submit", "--option", ""), False)],
)
def test_little_is_imported(
    idle: CommandLine, put: Put, tmp_path: Path, words: tuple[str, ...], is_lightest: bool
) -> None:
    put()
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words],
        cwd=tmp_path,
        env=idle.environment(None),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert len(done.stdout.splitlines()) > 1
    imported = {name.partition(".")[0] for name in (tmp_path / "modules").read_text().split()}
    assert imported.isdisjoint({*HEAVY, "sqlalchemy"} if is_lightest else HEAVY)
