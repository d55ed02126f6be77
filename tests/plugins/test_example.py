"""The plugin that the documents show, installed, used, uninstalled and broken."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from aerjob_cli import BasicAerProvider
from aerjob_cli.api.backend_errors import BackendGone
from aerjob_cli.api.requests import Plan
from aerjob_cli.api.retired import RetiredBackend
from aerjob_cli.states import Reason, Status
from tests.docs.markdown import code_blocks, text_of
from tests.support.circuits import BELL
from tests.support.command_line import CommandLine
from tests.support.distributions import GROUP, write_distribution
from tests.support.running import Scene

PAGE = text_of("docs/plugins.md")
NAME = "reversible_simulator"
ADDER = """OPENQASM 2.0;
include "qelib1.inc";
qreg q[3];
creg c[3];
x q[0];
x q[1];
ccx q[0],q[1],q[2];
cx q[0],q[1];
measure q -> c;
"""
GONE = f"the simulator '{NAME}' is no longer installed; install the package that brings it"

Install = Callable[[], None]


def code() -> tuple[str, str]:
    data, engine = code_blocks(PAGE, "python")
    return data, engine


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path of every command and worker, but not of this process."""
    folder = tmp_path / "site"
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return folder


@pytest.fixture
def install(site: Path) -> Install:
    def install_it() -> None:
        (project,) = (tomllib.loads(block) for block in code_blocks(PAGE, "toml"))
        data, engine = code()
        modules = {"reversible/__init__.py": data, "reversible/engine.py": engine}
        entry_points: dict[str, str] = project["project"]["entry-points"][GROUP]
        write_distribution(site, project["project"]["name"], entry_points, modules)

    return install_it


@pytest.fixture
def scene(home: Path) -> Iterator[Scene]:
    scene = Scene(home)
    yield scene
    scene.stop()


def test_it_has_about_thirty_lines() -> None:
    lines = [line for block in code() for line in block.splitlines() if line.strip()]
    assert len(lines) <= 32


def test_its_jobs_run_and_outlive_it(
    install: Install, site: Path, aerjob: CommandLine, scene: Scene, tmp_path: Path
) -> None:
    (tmp_path / "adder.qasm").write_text(ADDER)
    (tmp_path / "bell.qasm").write_text(BELL)
    # A worker that runs already finds what is installed later.
    scene.start_worker()
    install()
    assert NAME in {backend["name"] for backend in aerjob.json("backends")["backends"]}
    done = aerjob.json("run", "adder.qasm", "--backend", NAME, "--shots", "7", "--memory")
    (job,) = done["jobs"]
    assert (job["status"], job["method"], len(job["experiments"][0]["memory"])) == ("DONE", "bits", 7)
    assert scene.client.find(job["job_id"]).engine == "reversible 1.0"
    refused = aerjob("submit", "bell.qasm", "--backend", NAME)
    assert refused.returncode == 6
    assert "contains 'h', which reversible_simulator cannot run; leave it out" in refused.stderr
    assert aerjob("worker", "stop").returncode == 0

    (waiting,) = scene.put(scene.request(ADDER, backend="qasm_simulator", plan=Plan(1, 1)))
    with scene.store.writing() as tx:
        tx.exec_driver_sql("UPDATE jobs SET backend = ?, method = 'bits' WHERE seq = ?", (NAME, waiting.seq))
    shutil.rmtree(site)

    before = aerjob.json("list")["jobs"]
    assert {entry["backend"] for entry in before} == {NAME}
    assert aerjob.json("status", job["job_id"])["jobs"][0]["status"] == "DONE"
    assert aerjob.json("result", job["job_id"])["experiments"][0]["counts"] == {"101": 7}
    assert aerjob("show", job["job_id"]).returncode == 0
    retried = aerjob("retry", job["job_id"])
    assert (retried.returncode, retried.stdout, retried.stderr) == (6, "", f"aerjob: {GONE}\n")
    submitted = aerjob("submit", "adder.qasm", "--backend", NAME)
    assert submitted.returncode == 6
    assert submitted.stderr.startswith(f"aerjob: no simulator is called '{NAME}'; there is aer_simulator, ")
    assert aerjob.json("list")["jobs"] == before

    provider = BasicAerProvider(aerjob.home)
    old = provider.retrieve_job(job["job_id"])
    assert old.result().get_counts() == {"101": 7}
    backend = old.backend()
    assert isinstance(backend, RetiredBackend)
    with pytest.raises(BackendGone, match=GONE):
        backend.run(old.circuits())
    provider.client.close()

    scene.start_worker()
    ended = scene.wait_for_status(waiting, Status.ERROR)
    assert (ended.reason, ended.message) == (Reason.SIMULATION_FAILED, GONE)


def test_a_broken_one_is_left_out_with_a_sentence(install: Install, site: Path, aerjob: CommandLine) -> None:
    install()
    (site / "reversible" / "__init__.py").write_text("import no_such_module\n")
    done = aerjob("backends")
    assert (done.returncode, NAME in done.stdout) == (0, False)
    fact = "it does not load (ModuleNotFoundError: No module named 'no_such_module')"
    assert f"the simulator '{NAME}' of reversible 1.0 cannot be used, {fact}; repair it, or uninstall it" in done.stderr
    (left_out,) = left_out_of(aerjob)
    assert (left_out["name"], left_out["broken"], left_out["fact"]) == (NAME, True, fact)
    findings = {finding["subject"]: finding for finding in aerjob.json("doctor")["findings"]}
    finding = findings[f"plugin {NAME}"]
    assert (finding["state"], finding["fact"]) == ("note", f"reversible 1.0 brings it, and {fact}")


def left_out_of(aerjob: CommandLine) -> list[dict[str, Any]]:
    return [plugin for plugin in aerjob.json("backends")["left_out"] if plugin["origin"].startswith("reversible")]
