"""The agent of macOS, as far as it can be known elsewhere: its property list, and the file where launchd looks."""

from __future__ import annotations

import plistlib
from pathlib import Path

import pytest

from aerjob_cli.cli.services.launchd import LaunchAgent, plist
from aerjob_cli.cli.services.service import Definition
from aerjob_cli.errors import UsageError


def _definition(home: Path) -> Definition:
    return Definition(home=home, python=Path("/opt/a b/python"), options=("--slots=2",), drain_grace_s=30.0)


def test_the_property_list() -> None:
    home = Path("/Users/a b/<&>\"'é")
    content = plistlib.loads(plist("aerjob-worker", _definition(home)).encode())
    assert content["Label"] == "aerjob-worker"
    assert content["ProgramArguments"] == list(_definition(home).command)
    assert content["EnvironmentVariables"] == {"AERJOB_HOME": str(home)}
    assert content["RunAtLoad"] is True
    # An ordered stop ends with 0, and the agent stays down.
    assert content["KeepAlive"] == {"SuccessfulExit": False}
    assert content["ExitTimeOut"] > 30
    assert content["StandardOutPath"] == content["StandardErrorPath"] == str(home / "worker.log")
    assert content["Umask"] == 0o077


def test_a_path_that_xml_cannot_hold_is_refused() -> None:
    with pytest.raises(UsageError, match="XML"):
        plist("aerjob-worker", _definition(Path("/a\x01b")))


def test_the_file_is_written_and_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    # No launchctl: what is done without its answer.
    agent = LaunchAgent(tmp_path / "store", {"PATH": ""})
    assert agent.path.parent == tmp_path / "Library" / "LaunchAgents"
    change = agent.enable(_definition(agent.home))
    assert change.outcome == "written"
    assert change.hints[-1].startswith("launchctl bootstrap gui/")
    assert plistlib.loads(agent.path.read_bytes())["Label"] == agent.name
    assert agent.is_enabled()
    assert agent.disable().outcome == "disabled"
    assert not agent.path.exists()
    assert agent.disable().outcome == "not_enabled"
