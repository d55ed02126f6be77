"""The built wheel, installed where nothing of the checkout can be seen, makes its store and runs a job.

The venv is empty but for the wheel. Installing Qiskit and Aer into it would take most of a minute, so it borrows the
run-time dependencies of the environment that runs the tests: exactly those that the wheel declares, and what these
need, each linked into one folder. The checkout is not among them, and a dependency that nobody declared is missing.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
PACKAGE_DATA = {".json", ".bash", ".zsh", ".fish"}
SETTINGS_OF_THIS_PROCESS = ("PYTHON", "AERJOB", "PIP_TARGET", "PIP_PREFIX", "PIP_USER", "VIRTUAL_ENV")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a source distribution of the tree, and the wheel from that."""
    folder = tmp_path_factory.mktemp("dist")
    called(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT), cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into an empty venv, and give the folder of its programs."""
    folder = tmp_path_factory.mktemp("installed")
    dependencies = folder / "dependencies"
    dependencies.mkdir()
    link_dependencies(wheel, dependencies)
    environment = folder / "venv"
    venv.create(environment, symlinks=True)
    programs = environment / "bin"
    pip = (sys.executable, "-m", "pip", "--python", str(programs / "python"))
    called(*pip, "install", "--quiet", "--no-index", "--no-deps", str(wheel), cwd=folder)
    (packages,) = environment.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(f"{dependencies}\n", encoding="utf-8")
    return programs


@pytest.fixture
def home(installed: Path, tmp_path: Path) -> Iterator[Path]:
    """A store of its own, whose worker is ended after the test."""
    folder = tmp_path / "home"
    yield folder
    called(installed / "aerjob", "worker", "stop", cwd=tmp_path, home=folder)


def called(*command: str | Path, cwd: Path, home: Path | None = None) -> str:
    """Run a program outside of the checkout, without this process's settings of Python; give its stdout."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS_OF_THIS_PROCESS)}
    if home is not None:
        environment["AERJOB_HOME"] = str(home)
    completed = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return completed.stdout


def link_dependencies(wheel: Path, folder: Path) -> None:
    """Link what the wheel needs at run time, and no more, into ``folder``."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = archive.read(name).decode()
    header = metadata.partition("\n\n")[0]
    open_needs = needed(re.findall(r"^Requires-Dist: (.*)$", header, re.MULTILINE), extra="")
    seen: set[tuple[str, str]] = set()
    while open_needs:
        wanted = open_needs.pop()
        if wanted in seen:
            continue
        seen.add(wanted)
        name, extra = wanted
        found = installed_here(name)
        if found is None:  # pip will have had a reason to leave it out; if not, the import says so
            continue
        link(found, folder)
        open_needs |= needed(found.requires or [], extra=extra)


def needed(requirements: list[str], *, extra: str) -> set[tuple[str, str]]:
    """Give the names of the requirements that hold here with an extra, each with an extra of its own or with none."""
    parsed = map(Requirement, requirements)
    held = [item for item in parsed if item.marker is None or item.marker.evaluate({"extra": extra})]
    return {(item.name.lower(), wanted) for item in held for wanted in ("", *item.extras)}


def installed_here(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def link(found: Distribution, folder: Path) -> None:
    files = [Path(str(file)) for file in found.files or []]
    for top in {file.parts[0] for file in files if file.parts[0] not in ("..", "__pycache__")}:
        place = folder / top
        if not place.exists():
            place.symlink_to(Path(str(found.locate_file(top))))


def test_the_wheel_carries_the_migrations_and_nothing_of_the_tests(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    migrations = {str(path.relative_to(ROOT)) for path in (ROOT / "migrations").rglob("*.py")}
    assert migrations
    assert {f"aerjob_cli/_{name}" for name in migrations} <= names
    assert "aerjob_cli/py.typed" in names
    beside = re.compile(r"[^/]+\.(dist-info|data)/")
    assert {name.partition("/")[0] for name in names if not beside.match(name)} == {"aerjob_cli"}
    (shared,) = {name for name in names if ".data/" in name}
    assert shared.endswith(".data/data/share/man/man1/aerjob.1")
    package_data = {path for path in (ROOT / "aerjob_cli").rglob("*") if path.suffix in PACKAGE_DATA}
    assert {str(path.relative_to(ROOT)) for path in package_data} <= names
    assert {path.suffix for path in package_data} == PACKAGE_DATA


def test_it_imports_nothing_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    program = (
        "import json, sys, aerjob_cli, aerjob_cli.store.revisions as revisions;"
        "print(json.dumps([aerjob_cli.__file__, str(revisions.migrations_folder()), sys.path]))"
    )
    package, migrations, path = json.loads(called(installed / "python", "-P", "-c", program, cwd=tmp_path))
    environment = installed.parent
    assert Path(package).is_relative_to(environment)
    assert Path(migrations) == Path(package).parent / "_migrations"
    assert [entry for entry in path if Path(entry).resolve().is_relative_to(ROOT)] == []


def test_everything_it_imports_is_declared(installed: Path, tmp_path: Path) -> None:
    (package,) = installed.parent.glob("lib/python*/site-packages/aerjob_cli")
    imported = {name for module in package.rglob("*.py") for name in imports_of(module)}
    assert "qiskit" in imported
    program = "import sys; from importlib.util import find_spec; print(*(n for n in sys.argv[1:] if not find_spec(n)))"
    missing = called(installed / "python", "-P", "-c", program, *sorted(imported), cwd=tmp_path).split()
    # The first is declared for the platforms that it has a wheel for, the others by extras; all may be absent.
    assert set(missing) <= {"pysqlite3", "matplotlib", "mqt"}


def imports_of(module: Path) -> set[str]:
    """Give the top-level names that a module imports anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_bytes())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


def test_it_makes_a_store_and_runs_a_job(installed: Path, home: Path, tmp_path: Path) -> None:
    circuit = tmp_path / "bell.qasm"
    circuit.write_bytes((ROOT / "examples/bell.qasm").read_bytes())
    aerjob = installed / "aerjob"
    job_id = called(aerjob, "submit", "--shots", "400", circuit, cwd=tmp_path, home=home).strip()
    called(aerjob, "wait", job_id, "--timeout", "2m", cwd=tmp_path, home=home)
    result = json.loads(called(aerjob, "result", job_id, "--json", cwd=tmp_path, home=home))
    (experiment,) = result["experiments"]
    assert set(experiment["counts"]) <= {"00", "11"}
    assert sum(experiment["counts"].values()) == 400
    assert (home / "aerjob.db").is_file()
