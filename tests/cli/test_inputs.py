"""Files that are no circuits: exit 6, a sentence, nothing stored, and no waiting for a writer."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from aerjob_cli.settings import PAYLOAD_LIMIT_BYTES
from tests.support.command_line import CommandLine


def _folder(path: Path) -> None:
    path.mkdir()


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


def _empty(path: Path) -> None:
    path.touch()


def _missing(path: Path) -> None:
    pass


def _dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def _device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(PAYLOAD_LIMIT_BYTES + 1)


@pytest.mark.parametrize("make", [_folder, _pipe, _socket, _empty, _missing, _dangling, _device, _large])
def test_refused(
    idle: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None]
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's name may have 108 bytes at most
    make(Path("x.qasm"))
    done = idle("submit", "x.qasm")
    assert (done.returncode, done.stdout) == (6, "")
    assert done.stderr.startswith("aerjob: x.qasm ")
    assert len(done.stderr.splitlines()) == 1
    assert idle.json("list")["jobs"] == []


@pytest.mark.parametrize("script", ["aerjob submit <(cat {0})", "cat {0} | aerjob submit /dev/stdin"])
def test_pipes_of_the_shell_are_read(working: CommandLine, bell: Path, script: str) -> None:
    done = working.shell(script.format(bell))
    assert done.returncode == 0
    assert working.json("status", done.stdout.strip())["jobs"][0]["experiments_total"] == 1


@pytest.mark.parametrize("script", ["aerjob submit <(true)", "aerjob submit <(head -c 1G /dev/zero)"])
def test_pipes_of_the_shell_have_the_limits_of_files(idle: CommandLine, script: str) -> None:
    assert idle.shell(script).returncode == 6
    assert idle.json("list")["jobs"] == []


def test_one_bad_file_keeps_out_the_others(idle: CommandLine, bell: Path) -> None:
    assert idle("submit", bell, "missing.qasm").returncode == 6
    assert idle.json("list")["jobs"] == []


@pytest.mark.parametrize("closed", ["aerjob submit - <&-", "aerjob submit - </dev/null"])
def test_an_empty_stdin(idle: CommandLine, closed: str) -> None:
    done = idle.shell(closed)
    assert (done.returncode, done.stdout) == (6, "")
    assert "stdin is empty" in done.stderr


@pytest.mark.parametrize(
    "option",
    [
        ("--shots", "0"),
        ("--shots", "99999999999999999999"),
        ("--seed", "-1"),
        ("--backend", "no_such_simulator"),
        ("--priority", "99999999999999999999"),
        ("--time-limit", "0"),
        ("--max-memory", "0"),
        ("--max-attempts", "0"),
        ("--tag", ""),
        ("--name", ""),
    ],
)
def test_refused_options(idle: CommandLine, bell: Path, option: tuple[str, str]) -> None:
    error = idle.json("submit", bell, *option, exit_code=6)["error"]
    assert error["code"] in ("input_refused", "unknown_backend")
    assert idle.json("list")["jobs"] == []


@pytest.mark.parametrize("flag", ["--shots", "--seed", "--time-limit", "--max-attempts", "--optimization-level"])
def test_a_flag_is_called_as_it_was_typed(idle: CommandLine, bell: Path, flag: str) -> None:
    value = "0" if flag == "--time-limit" else "-1"
    assert idle("submit", bell, flag, value).stderr.startswith(f"aerjob: {flag} is ")


def test_a_long_text_is_cut_where_it_is_quoted(idle: CommandLine, bell: Path) -> None:
    assert len(idle("submit", bell, "--name", "n" * 5000).stderr) < 200
    assert len(idle("status", "n" * 5000).stderr) < 200


def test_a_timeout_needs_something_to_wait_for(idle: CommandLine, bell: Path) -> None:
    assert idle("submit", bell, "--timeout", "3").returncode == 2
    assert idle.json("list")["jobs"] == []


def test_the_environment_has_the_defaults(idle: CommandLine, bell: Path) -> None:
    assert idle("submit", bell, env={"AERJOB_SHOTS": "0"}).returncode == 6
    assert "'mine'" in idle("submit", bell, env={"AERJOB_BACKEND": "mine"}).stderr
