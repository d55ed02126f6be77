"""What the documents list is what the code has: neither may know more than the other."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aerjob_cli import errors, settings
from aerjob_cli.api.request_checks import METADATA_LIMIT_BYTES, TAGS_LIMIT
from aerjob_cli.catalog import DEFAULT_SHOTS, SIMULATORS
from aerjob_cli.codec.option_tables import SEED_LIMIT, SHOTS_LIMIT
from aerjob_cli.codec.program_text import REGISTER_LIMIT
from aerjob_cli.errors import AerjobError
from aerjob_cli.settings import Settings, StorePaths, WorkerSettings
from aerjob_cli.states import FINAL, MOVES, Reason, Status
from tests.docs.markdown import code_blocks, table, text_of

LIFECYCLE = "docs/lifecycle.md"
EXIT_CODES = "docs/exit-codes.md"
CONFIGURATION = "docs/configuration.md"
DONE_AS_ASKED = 0


def in_code(text: str) -> list[str]:
    """Give what stands in backticks."""
    return re.findall(r"`([^`]+)`", text)


def own_errors(root: type[AerjobError] = AerjobError) -> Iterator[type[AerjobError]]:
    """Give the classes of `errors`; those of the Python API only join them with Qiskit's."""
    if root.__module__ == errors.__name__:
        yield root
        for heir in root.__subclasses__():
            yield from own_errors(heir)


def test_every_state_is_documented_with_its_finality() -> None:
    rows = table(LIFECYCLE, "state", "final", "meaning")
    assert [row["state"] for row in rows] == [str(status) for status in Status]
    assert {row["state"] for row in rows if row["final"] == "yes"} == {str(status) for status in FINAL}


def test_every_move_is_documented() -> None:
    documented = [(row["from"], row["to"]) for row in table(LIFECYCLE, "from", "to", "when")]
    allowed = {(str(source), str(target)) for source, targets in MOVES.items() for target in targets}
    assert set(documented) == allowed
    assert len(documented) == len(allowed)


def test_the_state_diagram_has_the_moves_that_are_made() -> None:
    (diagram,) = code_blocks(text_of(LIFECYCLE), "mermaid")
    drawn = set(re.findall(r"(\w+) --> (\w+)", diagram))
    rows = table(LIFECYCLE, "from", "to", "when")
    assert drawn == {(row["from"], row["to"]) for row in rows if "no part of this version" not in row["when"]}


def test_every_reason_is_documented_with_its_retries() -> None:
    rows = table(LIFECYCLE, "reason", "state", "retried", "meaning")
    assert [row["reason"] for row in rows] == [str(reason) for reason in Reason]
    assert {row["reason"] for row in rows if row["retried"] == "yes"} == {
        str(reason) for reason in Reason if reason.is_retried
    }


def test_every_exit_code_is_documented() -> None:
    documented = [int(row["code"]) for row in table(EXIT_CODES, "code", "meaning", "example")]
    assert documented == sorted({DONE_AS_ASKED, *(error.exit_code for error in own_errors())})


def test_every_code_of_an_error_is_documented_with_its_exit_code() -> None:
    documented = {
        (int(code), row["error.code"])
        for row in table(EXIT_CODES, "exit code", "error.code", "meaning")
        for code in row["exit code"].split(",")
    }
    # The root of the two signals' errors is never raised itself.
    raised = {(error.exit_code, error.code) for error in own_errors() if error is not errors.Stopped}
    assert documented == raised


def test_the_readme_names_every_exit_code() -> None:
    listing = text_of("README.md").partition("## Exit codes")[2].partition("##")[0]
    named = {int(number) for number in re.findall(r"\b\d+\b", listing)}
    assert named == {int(row["code"]) for row in table(EXIT_CODES, "code", "meaning", "example")}


def test_every_environment_variable_is_documented_with_its_default() -> None:
    rows = table(CONFIGURATION, "variable", "meaning", "default")
    asked: set[str] = set()

    class Environment(dict[str, str]):
        def get(self, name: str, default: object = None) -> None:  # type: ignore[override]
            asked.add(name)

        def __missing__(self, name: str) -> str:
            asked.add(name)
            raise KeyError(name)

    defaults = Settings.from_environment(Environment())
    assert {in_code(row["variable"])[0] for row in rows} == asked
    default = {in_code(row["variable"])[0]: row["default"].strip("`") for row in rows}
    assert default["AERJOB_BACKEND"] == defaults.backend
    assert defaults.shots is None
    once = " and ".join(f"`{name}`" for name, simulator in SIMULATORS.items() if simulator.default_shots == 1)
    assert default["AERJOB_SHOTS"] == f"the simulator's: {DEFAULT_SHOTS}, but 1 for {once}".rstrip("`")
    assert {simulator.default_shots for simulator in SIMULATORS.values()} == {1, DEFAULT_SHOTS}
    assert default["AERJOB_OUTPUT"] == defaults.output


@pytest.mark.skipif(os.uname().sysname != "Linux", reason="the place in the home folder is Linux's")
def test_the_store_is_where_the_documentation_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/somebody")
    assert Settings.from_environment({}).paths.home == Path("/home/somebody/.local/state/aerjob")
    assert "`~/.local/state/aerjob` on Linux" in text_of(CONFIGURATION)


def test_every_file_of_the_store_is_documented() -> None:
    documented = {
        name.rstrip("/") for row in table("docs/architecture.md", "file", "what it is") for name in in_code(row["file"])
    }
    home = Path("/store")
    paths = StorePaths(home)
    properties = [name for name, value in vars(StorePaths).items() if isinstance(value, property)]
    assert {str(getattr(paths, name).relative_to(home)) for name in properties} <= documented


def test_the_workers_options_are_documented_with_their_defaults() -> None:
    documented = {
        in_code(row["option"])[0]: row["default"] for row in table(CONFIGURATION, "option", "default", "meaning")
    }
    defaults = WorkerSettings()
    assert documented == {
        "--slots": "the cores this process may use",
        "--idle-exit": f"{defaults.idle_exit_s:g} s",
        "--lease": f"{defaults.lease_s:g} s",
        "--drain-grace": f"{defaults.drain_grace_s:g} s",
        "--max-memory": "what the machine has",
        "--on-end-limit": f"{defaults.on_end_limit_s:g} s",
        "--patience": f"{defaults.patience_s:g} s",
        "--validation-limit": f"{defaults.validation_limit_s:g} s",
    }
    for verb in ("start", "run"):
        listing = called("worker", verb, "--help").partition("Options:")[2]
        offered = set(re.findall(r"^  (--[a-z-]+)", listing, re.MULTILINE))
        # How it comes to its place is no setting of a worker.
        assert offered - {"--json", "--help", "--take-over"} == set(documented)


def called(*arguments: str) -> str:
    """Give what `aerjob` prints."""
    command = [sys.executable, "-m", "aerjob_cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_limits_are_documented() -> None:
    documented = {row["what"]: row["limit"] for row in table(CONFIGURATION, "what", "limit")}
    assert (
        documented["one file, or the circuits of one group from Python"] == f"{settings.PAYLOAD_LIMIT_BYTES >> 20} MiB"
    )
    assert documented["circuits in one job from Python"] == f"{settings.CIRCUITS_LIMIT:,}"
    assert documented["experiments of a job with values of parameters"] == f"{settings.CIRCUITS_LIMIT:,}"
    assert documented["operations in one file, after parsing"].startswith(f"{settings.OPERATIONS_LIMIT:,},")
    assert documented["qubits and bits of one circuit in a file, together"] == f"{REGISTER_LIMIT:,}"
    assert documented["tags of a job"] == str(TAGS_LIMIT)
    assert documented["metadata of a job (Python)"] == f"{METADATA_LIMIT_BYTES >> 20} MiB as JSON"
    assert documented["shots"] == "2^31 − 1"
    assert documented["seed"] == "0 to 2^63 − 1"
    assert (SHOTS_LIMIT, SEED_LIMIT) == (2**31 - 1, 2**63 - 1)
    assert documented["validation of one job"] == f"{WorkerSettings().validation_limit_s:g} s"
