"""What is found among installed distributions: what can be used, and a sentence for each that cannot."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import pytest
from qiskit import QuantumCircuit
from qiskit.exceptions import QiskitError
from qiskit.providers import QiskitBackendNotFoundError

from aerjob_cli import BasicAerProvider
from aerjob_cli.catalog import SIMULATORS, Option, Simulator
from aerjob_cli.codec.options import check_options, options_of, parse_option
from aerjob_cli.engines.registry import engine_of
from aerjob_cli.errors import BackendUnusable, InputRefused, UnknownBackend
from aerjob_cli.plugins.discovery import Plugin, plugins, simulator_named, simulator_of_job, usable_simulators
from tests.support.distributions import write_distribution

_numbers = itertools.count()

Install = Callable[..., str]

DATA = """
from aerjob_cli.catalog import Option, Simulator
SIMULATOR = Simulator(
    name={name!r}, engine="{module}_engine:Engine", method="m", methods=("m",), returns="r", description="d", {more}
)
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install a distribution with one simulator; give the simulator's name, which no other test has."""
    monkeypatch.syspath_prepend(tmp_path)

    def install_one(code: str | None = None, *, entry: str | None = None, more: str = "") -> str:
        module = f"plugin{next(_numbers)}"
        name = entry or f"{module}_simulator"
        text = DATA.format(name=name, module=module, more=more) if code is None else code
        write_distribution(tmp_path, module, {name: f"{module}:SIMULATOR"}, {f"{module}.py": text})
        return name

    return install_one


def found(name: str) -> Plugin:
    (plugin,) = (plugin for plugin in plugins() if plugin.name == name)
    return plugin


def refusal(name: str) -> str:
    """Say why it cannot be used, and see that it is left out everywhere."""
    assert name not in {simulator.name for simulator in usable_simulators()} - set(SIMULATORS)
    with pytest.raises(BackendUnusable) as caught:
        simulator_named(name)
    assert "\n" not in caught.value.message
    assert str(found(name)) == caught.value.message
    return caught.value.message


def test_a_simulator_is_found_by_its_name_with_the_options_of_its_data(install: Install) -> None:
    more = "options={'depth': Option(int, 1, 9), 'label': Option(str), 'shots': Option(bool)}"
    name = install(more=more)
    simulator = simulator_named(name)
    assert (simulator.name, found(name).is_usable) == (name, True)
    assert simulator in usable_simulators()
    assert parse_option("depth=3", name) == ("depth", 3)
    assert check_options({"label": "any", "shots": 5}, name) == {"label": "any", "shots": 5}
    assert options_of(name)["method"].words == ("m",)
    for options, expected in (
        ({"depth": 10}, "it must be a whole number from 1 to 9"),
        ({"label": 1}, "it must be a text"),
        ({"fusion_enable": True}, f"{name} has no option 'fusion_enable'; it is an option of qasm_simulator"),
        ({"dept": 3}, "did you mean 'depth'"),
    ):
        with pytest.raises(InputRefused, match=expected):
            check_options(options, name)


def test_what_was_not_there_is_found_once_it_is_installed(install: Install) -> None:
    with pytest.raises(UnknownBackend, match="there is aer_simulator"):
        simulator_named("late_simulator")
    with pytest.raises(BackendUnusable, match="'late_simulator' is no longer installed; install the package"):
        simulator_of_job("late_simulator")
    assert simulator_named(install(entry="late_simulator")).name == "late_simulator"


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import no_such_module_of_anybody", "it does not load (ModuleNotFoundError: No module named"),
        ("raise SystemExit('gone\\nindeed')", "it does not load (SystemExit: gone indeed); repair it, or uninstall it"),
        ("SIMULATOR = object()", "is of type object, not a Simulator"),
        (DATA.format(name="other", module="m", more=""), "is called 'other'"),
        (DATA.format(name="x", module="m", more="no_such_field=1"), "it does not load (TypeError:"),
        (DATA.format(name="\x1b[31m", module="m", more=""), "it does not load (ValueError: '\\x1b[31m' is no name"),
    ],
)
def test_what_does_not_load_is_left_out(install: Install, code: str, expected: str) -> None:
    name = install(code)
    assert expected in refusal(name)
    assert found(name).is_broken


def test_what_prints_when_it_is_imported_does_not_get_into_an_answer(
    install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    name = install("print('hello')\nSIMULATOR = None")
    refusal(name)
    assert capsys.readouterr().out == ""


def test_a_name_of_the_catalog_stays_the_catalogs(install: Install) -> None:
    install(entry="qasm_simulator")
    plugin = found("qasm_simulator")
    assert str(plugin).endswith("cannot be used, aerjob has one of that name; rename it there, or uninstall it")
    assert simulator_named("qasm_simulator") is SIMULATORS["qasm_simulator"]
    assert [simulator.name for simulator in usable_simulators()].count("qasm_simulator") == 1


def test_two_of_one_name_are_both_left_out(install: Install) -> None:
    install(entry="twin_simulator")
    install(entry="twin_simulator")
    message = refusal("twin_simulator")
    assert " 1.0 and plugin" in message
    assert "it is there more than once; uninstall all but one" in message


def test_a_library_that_is_missing_is_named_with_its_remedy(install: Install) -> None:
    name = install(more="needs='no-such-library', remedy='pip install no-such-library'")
    assert refusal(name).endswith(
        "cannot be used, no-such-library is not installed; install it with `pip install no-such-library`"
    )
    assert not found(name).is_broken


def test_a_damaged_list_of_entry_points_hides_no_other(install: Install, tmp_path: Path) -> None:
    name = install()
    damaged = tmp_path / "damaged-1.0.dist-info"
    damaged.mkdir()
    (damaged / "entry_points.txt").write_text("[aerjob.simulators]\nthis is no pair\n")
    (damaged / "METADATA").write_text("Metadata-Version: 2.1\nName: damaged\nVersion: 1.0\n")
    assert simulator_named(name).name == name
    assert found(name).is_usable
    assert "whatever simulator damaged 1.0 brings cannot be used, its list of entry points" in str(found("*"))


def test_an_engine_that_is_missing_is_told_with_what_may_help(install: Install, tmp_path: Path) -> None:
    name = install(more="remedy='pip install x'")
    with pytest.raises(BackendUnusable, match=r"its engine does not load .*; `pip install x` may help"):
        engine_of(simulator_named(name))
    (tmp_path / f"{name.removesuffix('_simulator')}_engine.py").write_text("class Engine: pass\n")
    assert engine_of(simulator_named(name)) is engine_of(simulator_named(name))


def test_python_is_told_in_errors_of_qiskit(install: Install, tmp_path: Path) -> None:
    provider = BasicAerProvider(tmp_path / "home")
    lacking, unfinished = install(more="needs='no-such-library'"), install()
    with pytest.raises(QiskitBackendNotFoundError, match="no-such-library is not installed; install it with `pip"):
        provider.get_backend(lacking)
    names = [backend.name for backend in provider.backends()]
    assert lacking not in names
    assert unfinished in names
    backend = provider.get_backend(unfinished)
    circuit = QuantumCircuit(1, 1)
    for use in (lambda: backend.run(circuit), lambda: backend.target):
        with pytest.raises(QiskitError, match="its engine does not load"):
            use()
    assert provider.jobs() == []
    provider.client.close()


@pytest.mark.parametrize(
    "change",
    [
        {"name": "no name"},
        {"name": ""},
        {"methods": ("a", "b\n")},
        {"method": "c"},
        {"engine": "no/place:Engine"},
        {"engine": "module"},
        {"description": "two\nlines"},
        {"returns": ""},
        {"remedy": "\x1b[0m"},
        {"options": {"a b": Option(bool)}},
        {"options": {"a": Option(int, 1)}},
    ],
)
def test_a_simulator_that_could_not_be_shown_or_run_cannot_be_made(change: dict[str, object]) -> None:
    fields: dict[str, object] = {
        "name": "a_simulator",
        "engine": "module.of:Engine",
        "method": "a",
        "methods": ("a", "b"),
        "returns": "counts",
        "description": "A simulator",
    }
    Simulator(**fields)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"no name|engine|method|no line|without a minimum"):
        Simulator(**{**fields, **change})  # type: ignore[arg-type]
