"""Stores that cannot be used, and errors that nobody thought of."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine

ALL_VERBS = [("list",), ("worker", "status"), *((verb, "last") for verb in ("status", "wait", "cancel", "result"))]


def _without_roots_rights() -> list[str]:
    """Give what runs a command under the rights of its user; root's own would pass any permission."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("root may write everywhere, and there is no setpriv to give that up")
    command = [setpriv, "--bounding-set", "-dac_override,-dac_read_search,-fowner", "--inh-caps", "-all"]
    if subprocess.run([*command, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("root may write everywhere, and setpriv may not give that up here")
    return command


@pytest.mark.parametrize("verb", [*ALL_VERBS, ("submit", "bell.qasm")])
def test_a_store_that_cannot_be_written(idle: CommandLine, home: Path, bell: Path, verb: tuple[str, ...]) -> None:
    limited = CommandLine(home, idle.folder, _without_roots_rights())
    for path in (home / "aerjob.db", home):
        path.chmod(stat.S_IMODE(path.stat().st_mode) & ~0o222)
    try:
        done = limited(*verb)
        assert (done.returncode, done.stdout) == (5, ""), done
        assert done.stderr.startswith(f"aerjob: the store {home}")
        assert len(done.stderr.splitlines()) == 1
    finally:
        home.chmod(0o700)
        (home / "aerjob.db").chmod(0o600)


@pytest.mark.parametrize("content", [b"", b"not a database at all, but long enough to look like one" * 40])
def test_a_file_that_is_no_store(home: Path, aerjob: CommandLine, content: bytes) -> None:
    home.mkdir(mode=0o700)
    (home / "aerjob.db").write_bytes(content)
    done = aerjob("status", "last")
    assert (done.returncode, done.stdout) == (5, "")
    assert len(done.stderr.splitlines()) == 1
    assert aerjob.json("list", exit_code=5)["error"]["code"] == "store_damaged"
    assert (home / "aerjob.db").read_bytes() == content


@pytest.mark.parametrize("place", ["/etc/passwd", "/dev/null/x", "/proc/1"])
def test_a_place_that_is_no_folder_of_ours(aerjob: CommandLine, place: str) -> None:
    done = aerjob("list", env={"AERJOB_HOME": place})
    assert (done.returncode, done.stdout) == (5, "")
    assert len(done.stderr.splitlines()) == 1


BROKEN = """
import sys
from aerjob_cli.api.client import Client
def listed(*arguments, **options):
    raise RuntimeError("nobody thought of this")
Client.listed = listed
sys.argv = ["aerjob", "list", *sys.argv[1:]]
from aerjob_cli.__main__ import main
main()
"""


def _run_broken(aerjob: CommandLine, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [*aerjob.command()[:-2], "-c", BROKEN, *arguments]
    return subprocess.run(
        command, env=aerjob.environment(environment), capture_output=True, text=True, check=False, timeout=60
    )


def test_a_bug_is_one_sentence_and_a_log(idle: CommandLine, home: Path) -> None:
    done = _run_broken(idle)
    assert (done.returncode, done.stdout) == (70, "")
    assert len(done.stderr.splitlines()) == 1
    assert str(home / "errors.log") in done.stderr
    assert "nobody thought of this" in (home / "errors.log").read_text()
    assert stat.S_IMODE((home / "errors.log").stat().st_mode) == 0o600
    assert '"internal_error"' in _run_broken(idle, "--json").stdout


def test_the_traceback_for_those_who_ask(idle: CommandLine) -> None:
    done = _run_broken(idle, AERJOB_DEBUG="1")
    assert done.returncode == 70
    assert "Traceback" in done.stderr
    assert "nobody thought of this" in done.stderr
    assert "Traceback" in idle("status", "last", env={"AERJOB_DEBUG": "1"}).stderr


def test_the_log_goes_elsewhere_when_the_store_takes_none(idle: CommandLine, home: Path, tmp_path: Path) -> None:
    (home / "errors.log").mkdir()
    done = _run_broken(idle, TMPDIR=str(tmp_path))
    assert done.returncode == 70
    (log,) = tmp_path.glob("aerjob-error-*.log")
    assert str(log) in done.stderr
