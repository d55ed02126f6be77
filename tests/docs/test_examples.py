"""The examples run, on a real worker, and so does what the README and the table of exit codes show."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT, code_blocks, table, text_of
from tests.support.command_line import CommandLine

EXAMPLES = ROOT / "examples"
# The only outcomes that each circuit can have.
SUPPORTS = {"bell.qasm": {"00", "11"}, "ghz.qasm": {"00000", "11111"}}


@pytest.fixture
def script_environment(aerjob: CommandLine, tmp_path: Path) -> dict[str, str]:
    """An environment whose PATH leads to this `aerjob`, on the private store."""
    programs = tmp_path / "programs"
    programs.mkdir()
    program = programs / "aerjob"
    program.write_text(f'#!/bin/sh\nexec {shlex.join(aerjob.command())} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return aerjob.environment({"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"})


def printed(command: list[str], environment: dict[str, str]) -> str:
    """Run a program to its end, which must be a good one, and give its stdout."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_example_is_tested() -> None:
    assert {path.name for path in EXAMPLES.iterdir() if path.is_file()} == {*SUPPORTS, "quickstart.sh", "retrieve.py"}


def test_the_circuits_have_the_outcomes_that_they_promise(aerjob: CommandLine) -> None:
    answer = aerjob.json("run", *(EXAMPLES / name for name in SUPPORTS))
    for job, (name, support) in zip(answer["jobs"], SUPPORTS.items(), strict=True):
        (experiment,) = job["experiments"]
        assert set(experiment["counts"]) == support, name
        assert sum(experiment["counts"].values()) == experiment["shots"]


def test_quickstart(script_environment: dict[str, str]) -> None:
    output = printed([str(EXAMPLES / "quickstart.sh")], script_environment)
    assert output.count("DONE") == 2
    assert re.search(r"^00\t\d+$", output, re.MULTILINE)
    assert '"11111": ' in output


def test_retrieve_in_another_process(script_environment: dict[str, str]) -> None:
    script = [sys.executable, str(EXAMPLES / "retrieve.py")]
    job_id = printed(script, script_environment).strip()
    counts: dict[str, int] = ast.literal_eval(printed([*script, job_id], script_environment))
    assert set(counts) <= {"00", "11"}
    assert sum(counts.values()) == 1000


def test_the_readmes_shell_recipe(aerjob: CommandLine) -> None:
    (recipe,) = [block for block in code_blocks(text_of("README.md"), "sh") if "aerjob submit" in block]
    done = aerjob.shell(f"set -e; cd {shlex.quote(str(ROOT))}\n{recipe}")
    assert done.returncode == 0, done.stderr
    assert set(re.findall(r"^([01]+)\t\d+$", done.stdout, re.MULTILINE)) == {"00", "11"}


def test_the_readmes_python_recipe(script_environment: dict[str, str]) -> None:
    submit, retrieve = code_blocks(text_of("README.md"), "python")
    job_id = printed([sys.executable, "-c", submit], script_environment).strip()
    output = printed([sys.executable, "-c", retrieve.replace("…", job_id)], script_environment)
    assert re.fullmatch(r"JobStatus\.\w+ \{.*\}\n", output)


EXIT_CODES = [
    (int(row["code"]), row["example"].strip("`"))
    for row in table("docs/exit-codes.md", "code", "meaning", "example")
    # The others need a job in the midst of its life; the tests of the command line have them.
    if re.fullmatch(r"`[^`]+`", row["example"])
]


def test_most_exit_codes_have_an_example_that_can_be_run() -> None:
    assert {code for code, _ in EXIT_CODES} >= {0, 2, 3, 5, 6, 70}


def test_the_examples_of_exit_codes(script_environment: dict[str, str], aerjob: CommandLine) -> None:
    assert aerjob("run", EXAMPLES / "bell.qasm").returncode == 0
    for code, example in EXIT_CODES:
        done = subprocess.run(
            ["/bin/sh", "-c", example], cwd=ROOT, env=script_environment, capture_output=True, timeout=120, check=False
        )
        assert done.returncode == code, (example, done.stdout, done.stderr)
