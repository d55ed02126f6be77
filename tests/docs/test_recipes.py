"""Each recipe is followed in a folder of its own, and prints what it shows."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from aerjob_cli.settings import StorePaths
from aerjob_cli.store.flocks import try_flock
from tests.docs.conftest import Environment, environment_on
from tests.docs.markdown import ROOT, text_of
from tests.docs.walkthrough import Block, blocks_of, matches, walk
from tests.support.command_line import CommandLine, end_workers

RECIPES = "docs/recipes.md"
# What only these programs can run; they are not everywhere.
NEEDED = {"snakemake", "parallel"}
CRONTAB = "cron"


def sections() -> dict[str, str]:
    """Give the text of each recipe by its title."""
    _, *parts = re.split(r"^## (.*)\n", text_of(RECIPES), flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


SECTIONS = sections()
FOLLOWED = [title for title, text in SECTIONS.items() if any(block.is_run for block in blocks_of(text))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with circuits, as the recipes expect it."""
    place = tmp_path / "place"
    (place / "circuits").mkdir(parents=True)
    for circuit in (ROOT / "examples").glob("*.qasm"):
        shutil.copy(circuit, place / "circuits")
    return place


@pytest.fixture(scope="module")
def common_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    place = tmp_path_factory.mktemp("recipes") / "home"
    yield place
    end_workers(place)


@pytest.fixture
def environment(common_home: Path, folder: Path, programs: Path) -> Iterator[Environment]:
    """The environment of all recipes: one store, unless a recipe makes another one in its folder."""
    yield environment_on(CommandLine(common_home, folder), programs)
    for database in folder.rglob("aerjob.db"):
        end_workers(database.parent)


@pytest.mark.parametrize("title", FOLLOWED)
def test_a_recipe_does_what_it_says(title: str, environment: Environment, folder: Path) -> None:
    if title == "Containers":  # its worker must be the only one
        environment = {**environment, "AERJOB_HOME": str(folder / "volume")}
    for outcome in walk(blocks_of(SECTIONS[title]), folder=folder, environment=environment):
        assert outcome.status == 0, outcome.printed
        shown = outcome.expected or ""
        assert matches(shown, outcome.printed), f"{outcome.printed}\nshould be\n{shown}"


def test_a_crontab_line_runs_as_cron_runs_it(environment: Environment, folder: Path, programs: Path) -> None:
    (crontab,) = [block.content for block in blocks_of(SECTIONS[CRONTAB]) if block.language == "crontab"]
    *settings, line = crontab.replace("/home/me/.venv/bin", str(programs)).replace("/home/me", str(folder)).splitlines()
    variables = dict(setting.split("=", 1) for setting in settings)
    command = line.split(maxsplit=5)[5].replace(r"\%", "%")
    # What cron gives a job, by crontab(5), and nothing else.
    given = {"HOME": str(folder), "LOGNAME": "me", "SHELL": "/bin/sh"} | variables
    for _ in range(2):
        subprocess.run(["/bin/sh", "-c", command], env=given, check=True, timeout=120)
    aerjob = CommandLine(Path(variables["AERJOB_HOME"]), folder)
    (job,) = aerjob.json("list", "--name", "nightly")["jobs"]
    assert job["experiments_total"] == 2
    assert (folder / "nightly.log").read_text() == f"{job['job_id']}\n" * 2


def test_only_what_needs_a_rare_program_may_be_left_out() -> None:
    every = [block for text in SECTIONS.values() for block in blocks_of(text)]
    assert {block.needs for block in every if block.needs} == NEEDED
    assert [block for block in every if block.not_run] == []
    assert {block.language for block in every if not is_used(block)} == {"crontab", "text"}


def is_used(block: Block) -> bool:
    return block.is_run or block.needs is not None


def test_every_recipe_is_followed() -> None:
    without = set(SECTIONS) - set(FOLLOWED)
    assert without == {CRONTAB} | {title for title in SECTIONS if title == "GNU parallel" and not has("parallel")}


def has(program: str) -> bool:
    return shutil.which(program) is not None


def test_make_tries_again_what_did_not_end_well(environment: Environment, folder: Path, aerjob: CommandLine) -> None:
    (makefile,) = [block.content for block in blocks_of(SECTIONS["make"]) if block.language == "make"]
    (folder / "Makefile").write_text(makefile)
    circuit = folder / "circuits/bell.qasm"
    checksum = subprocess.run(
        ["/bin/sh", "-c", f"cksum < {shlex.quote(str(circuit))}"], capture_output=True, check=True
    )
    key = f"bell {checksum.stdout.decode().strip()}"
    # Nobody can start a worker, so that the job is cancelled before it runs.
    assert aerjob("list").returncode == 0
    starting = try_flock(StorePaths(aerjob.home).starter_lock)
    assert starting is not None
    there = CommandLine(aerjob.home, folder)
    (job,) = there.json("submit", circuit.relative_to(folder), "--idempotency-key", key)["jobs"]
    assert aerjob("cancel", job["job_id"]).returncode == 0
    starting.release()
    environment = {**environment, "AERJOB_HOME": str(aerjob.home)}
    done = subprocess.run(
        ["/bin/sh", "-c", "make results/bell.csv"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done
    (again, first) = aerjob.json("list")["jobs"]
    assert (first["job_id"], first["status"]) == (job["job_id"], "CANCELLED")
    assert again["job_id"] in (folder / "results/bell.csv").read_text()
