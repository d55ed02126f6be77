"""The examples run, on a real worker, and so does what the README and the table of exit codes show."""

from __future__ import annotations

import ast
import csv
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aerjob_cli.catalog import AER_ENGINE, DEFAULT_BACKEND, SIMULATORS
from aerjob_cli.cli.overview import VERBS
from tests.docs.conftest import Environment, environment_on
from tests.docs.markdown import ROOT, code_blocks, table, text_of
from tests.support.circuits import BELL, layers
from tests.support.command_line import CommandLine, end_workers

EXAMPLES = ROOT / "examples"
# The only outcomes that each circuit can have.
SUPPORTS = {"bell.qasm": {"00", "11"}, "ghz.qasm": {"00000", "11111"}}


def printed(command: list[str], environment: Environment) -> str:
    """Run a program to its end, which must be a good one, and give its stdout."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_example_is_tested() -> None:
    assert {path.name for path in EXAMPLES.iterdir() if path.is_file()} == {
        *(*SUPPORTS, "batch.sh", "quickstart.sh", "retrieve.py")
    }


def test_the_circuits_have_the_outcomes_that_they_promise(aerjob: CommandLine) -> None:
    answer = aerjob.json("run", *(EXAMPLES / name for name in SUPPORTS))
    for job, (name, support) in zip(answer["jobs"], SUPPORTS.items(), strict=True):
        (experiment,) = job["experiments"]
        assert set(experiment["counts"]) == support, name
        assert sum(experiment["counts"].values()) == experiment["shots"]


def test_quickstart(script_environment: Environment) -> None:
    output = printed([str(EXAMPLES / "quickstart.sh")], script_environment)
    assert output.count("DONE") == 2
    assert re.search(r"^00\t\d+$", output, re.MULTILINE)
    assert '"11111": ' in output


@pytest.fixture(scope="module")
def batch_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("batch") / "home"
    yield place
    end_workers(place)


@pytest.fixture(scope="module")
def mixed_circuits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with circuits that run, one that validation refuses, and one that takes minutes."""
    folder = tmp_path_factory.mktemp("circuits of all kinds")
    for name in SUPPORTS:
        shutil.copy(EXAMPLES / name, folder)
    (folder / "bad.qasm").write_text(BELL.replace("cx q[0],q[1];", "cx q[0],q[7];"), encoding="utf-8")
    (folder / "long.qasm").write_text(layers(24, 60), encoding="utf-8")
    return folder


def batch(
    shell: list[str], folder: Path, table_path: Path, *options: str, environment: Environment
) -> subprocess.CompletedProcess[str]:
    """Run the batch script in a shell."""
    command = [*shell, str(EXAMPLES / "batch.sh"), str(folder), str(table_path), *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240, check=False)


def counts_in(table_path: Path) -> dict[str, dict[str, int]]:
    """Read the counts of each circuit from the batch script's table."""
    found: dict[str, dict[str, int]] = {}
    with table_path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file, strict=True):
            found.setdefault(row["name"], {})[row["outcome"]] = int(row["count"])
    return found


@pytest.mark.parametrize(
    ("shell", "term"), [(["sh"], "xterm"), (["bash", "-euo", "pipefail"], "xterm"), (["sh"], "dumb")]
)
def test_a_batch_with_all_kinds_of_outcomes(
    shell: list[str], term: str, batch_home: Path, mixed_circuits: Path, programs: Path, tmp_path: Path
) -> None:
    environment = environment_on(CommandLine(batch_home, tmp_path), programs) | {"TERM": term}
    table_path = tmp_path / "counts.csv"
    options = ("--time-limit", "1s", "--shots", "500", "--seed", "5")
    done = batch(shell, mixed_circuits, table_path, *options, environment=environment)
    assert done.stdout == (f"done 2, refused 1, failed 1, cancelled 0, late 0; the counts are in {table_path}\n"), (
        done.stderr
    )
    assert done.returncode == 1
    assert "bad.qasm cannot be read" in done.stderr
    # It ran, and once more.
    assert len(set(re.findall(r"job (\S+) ended in ERROR, TIMED_OUT", done.stderr))) == 2
    counts = counts_in(table_path)
    assert {f"{name}.qasm": set(outcomes) for name, outcomes in counts.items()} == SUPPORTS
    assert {sum(outcomes.values()) for outcomes in counts.values()} == {500}


def test_a_batch_in_which_all_goes_well(script_environment: Environment, tmp_path: Path) -> None:
    table_path = tmp_path / "counts.csv"
    done = batch(["sh"], EXAMPLES, table_path, environment=script_environment)
    assert done.stdout.startswith("done 2, refused 0, failed 0, cancelled 0, late 0;"), done
    assert done.returncode == 0
    assert len(counts_in(table_path)) == 2


def test_a_batch_leaves_what_is_late_and_counts_what_was_cancelled(
    aerjob: CommandLine, script_environment: Environment, mixed_circuits: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "one"
    folder.mkdir()
    shutil.copy(mixed_circuits / "long.qasm", folder)
    patience = script_environment | {"BATCH_TIMEOUT": "1s"}
    same = ("--idempotency-key", "the same")
    done = batch(["sh"], folder, tmp_path / "counts.csv", *same, environment=patience)
    assert "cancelled 0, late 1;" in done.stdout, done
    assert done.returncode == 1
    assert aerjob("cancel", "--all").returncode == 0
    done = batch(["sh"], folder, tmp_path / "counts.csv", *same, environment=patience)
    assert "cancelled 1, late 0;" in done.stdout, done
    assert done.returncode == 1


def test_retrieve_in_another_process(script_environment: Environment) -> None:
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


def test_the_readmes_python_recipe(script_environment: Environment) -> None:
    submit, retrieve = code_blocks(text_of("README.md"), "python")
    job_id = printed([sys.executable, "-c", submit], script_environment).strip()
    output = printed([sys.executable, "-c", retrieve.replace("…", job_id)], script_environment)
    assert re.fullmatch(r"JobStatus\.\w+ \{.*\}\n", output)


def test_the_readme_names_every_command() -> None:
    named = {
        word for row in table("README.md", "to", "commands") for word in re.findall(r"`([a-z]+)`", row["commands"])
    }
    assert named == {verb for verbs in VERBS.values() for verb in verbs}


def test_the_readme_names_every_simulator() -> None:
    rows = table("README.md", "simulator", "run by", "gives")
    assert [row["simulator"].split("`")[1] for row in rows] == list(SIMULATORS)
    assert f"`{DEFAULT_BACKEND}` (the default)" in {row["simulator"] for row in rows}
    for row in rows:
        simulator = SIMULATORS[row["simulator"].split("`")[1]]
        is_aers = simulator.engine == AER_ENGINE or simulator.is_primitive
        assert row["run by"].startswith("Aer" if is_aers else "Qiskit")


AERS_OWN = """
import sys
import qiskit_aer
from qiskit import QuantumCircuit, qpy
from qiskit_aer.noise import depolarizing_error
from aerjob_cli import BasicAerProvider

saving, setting, noisy = (QuantumCircuit(1, 1) for _ in range(3))
saving.save_statevector()
setting.set_statevector([0, 1])
noisy.append(depolarizing_error(0.1, 1).to_instruction(), [0])
backend = BasicAerProvider().get_backend("aer_simulator")
for name, circuit in (("saving", saving), ("setting", setting), ("noisy", noisy)):
    circuit.measure(0, 0)
    with open(f"{sys.argv[1]}/{name}.qpy", "wb") as file:
        qpy.dump(circuit, file)
    print(backend.run(circuit, shots=1).result().success)
"""


def test_aers_own_instructions_come_from_python_only(
    script_environment: Environment, aerjob: CommandLine, tmp_path: Path
) -> None:
    assert "`save_*` and `set_*` come from Python only" in text_of("README.md")
    output = printed([sys.executable, "-c", AERS_OWN, str(tmp_path)], script_environment)
    assert output.split() == ["True"] * 3
    for name, exit_code in (("saving", 6), ("setting", 6), ("noisy", 0)):
        assert aerjob("submit", "--wait", tmp_path / f"{name}.qpy").returncode == exit_code, name


EXIT_CODES = [
    (int(row["code"]), row["example"].strip("`"))
    for row in table("docs/exit-codes.md", "code", "meaning", "example")
    # The others need a job in the midst of its life; the tests of the command line have them.
    if re.fullmatch(r"`[^`]+`", row["example"])
]


def test_most_exit_codes_have_an_example_that_can_be_run() -> None:
    assert {code for code, _ in EXIT_CODES} >= {0, 2, 3, 5, 6, 70}


def test_the_examples_of_exit_codes(script_environment: Environment, aerjob: CommandLine) -> None:
    assert aerjob("run", EXAMPLES / "bell.qasm").returncode == 0
    for code, example in EXIT_CODES:
        done = subprocess.run(
            ["/bin/sh", "-c", example], cwd=ROOT, env=script_environment, capture_output=True, timeout=120, check=False
        )
        assert done.returncode == code, (example, done.stdout, done.stderr)
