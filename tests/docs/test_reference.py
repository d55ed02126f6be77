"""The reference of the commands is what the program says of itself, and the program says it well."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from jsonschema import Draft202012Validator

from aerjob_cli.cli.app import command_tree
from aerjob_cli.cli.overview import VERBS
from aerjob_cli.cli.schemas import schema_of
from tests.docs.markdown import ROOT, code_blocks, text_of
from tests.support.command_tree import leaves

GENERATED = ("cli.md", "man/aerjob.1", "schema/aerjob.schema.json")
COLUMNS = 80
VISIBLE = {name: command for name, command in command_tree().commands.items() if not command.hidden}


@pytest.mark.parametrize("path", GENERATED)
def test_what_is_generated_is_up_to_date(path: str, generated: Path) -> None:
    assert (generated / path).read_text(encoding="utf-8") == (ROOT / "docs" / path).read_text(encoding="utf-8"), (
        "run: python docs/generate.py"
    )


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs")
    subprocess.run([sys.executable, str(ROOT / "docs/generate.py"), str(folder)], check=True, timeout=120)
    return folder


@pytest.mark.parametrize("command", [("groff", "-man", "-Tutf8", "-ww", "-z"), ("mandoc", "-Tlint", "-Wwarning")])
def test_the_man_page_is_sound(command: tuple[str, ...], generated: Path) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    page = str(generated / "man/aerjob.1")
    done = subprocess.run([*command, page], capture_output=True, text=True, check=False, timeout=60)
    complaints = [line for line in (done.stdout + done.stderr).splitlines() if "missing date" not in line]
    assert complaints == []


COMMANDS_WITH_JSON = [
    path for path, command in leaves(command_tree()) if any("--json" in parameter.opts for parameter in command.params)
]


def test_the_examples_of_json_have_the_published_form() -> None:
    sections = re.split(r"^### `aerjob (.*)`$", text_of("docs/json.md"), flags=re.MULTILINE)[1:]
    examples = [(line, code_blocks(text, "json")) for line, text in zip(sections[::2], sections[1::2], strict=True)]
    assert len(examples) > 10
    for line, (example,) in examples:
        path = max((path for path in COMMANDS_WITH_JSON if line.split()[: len(path)] == list(path)), key=len)
        Draft202012Validator(schema_of(path)).validate(json.loads(example))


def test_every_command_is_in_the_description_of_json() -> None:
    text = text_of("docs/json.md")
    assert [path for path in COMMANDS_WITH_JSON if not re.search(rf"`(aerjob )?{' '.join(path)}\b", text)] == []


def test_the_reference_has_every_command(generated: Path) -> None:
    reference, page = ((generated / path).read_text(encoding="utf-8") for path in GENERATED[:2])
    for path, _ in leaves(command_tree()):
        name = " ".join(("aerjob", *path))
        assert re.search(rf"^##+ {name}$", reference, re.MULTILINE), name
        assert f'.SS "{name} '.replace("-", "\\-") in page, name


def test_every_help_text_has_an_example_and_exit_codes_and_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    for path, command in leaves(command_tree()):
        text = help_of(command, " ".join(("aerjob", *path)))
        example = re.search(r"^  Example:\n    (.+)$", text, re.MULTILINE)
        assert example is not None, path
        assert " ".join(("aerjob", *path)) in example[1], path
        listing = text.partition("  Exit codes:\n")[2]
        assert [*map(int, re.findall(r"^    (\d+) +\S", listing, re.MULTILINE))][:1] == [0], path
        assert {"0", "2"} <= set(re.findall(r"^    (\d+) +\S", listing, re.MULTILINE)), path
        assert [line for line in text.splitlines() if len(line) > COLUMNS] == [], path


def test_the_overview_agrees_with_the_commands() -> None:
    assert sorted(verb for verbs in VERBS.values() for verb in verbs) == sorted(VISIBLE)
    sentences = {verb: sentence for verbs in VERBS.values() for verb, sentence in verbs.items()}
    assert sentences == {verb: first_sentence(command) for verb, command in VISIBLE.items()}


def first_sentence(command: Any) -> str:
    """Give the first sentence of a help text, as an overview shows it."""
    paragraph = " ".join(command.help.partition("\n\n")[0].split())
    return re.split(r"(?<=[^.])\.(?: |$)", paragraph)[0]


def test_the_overview_fits_a_line_for_each_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    text = help_of(command_tree([]), "aerjob")
    for verbs in VERBS.values():
        for verb, sentence in verbs.items():
            assert re.search(rf"^  {verb} +{re.escape(sentence)}$", text, re.MULTILINE), verb
    assert "man aerjob" in text.splitlines()[-1]


def help_of(command: Any, name: str) -> str:
    return str(command.get_help(typer.Context(command, info_name=name)))


def test_the_overview_imports_no_command() -> None:
    code = (
        "import sys; sys.argv = ['aerjob', '--help']\n"
        "from aerjob_cli.__main__ import main\n"
        "try: main()\n"
        "finally: print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert "  submit " in done.stdout
    modules = done.stderr.split()
    assert "typer" in modules
    assert {"sqlalchemy", "rich", "aerjob_cli.cli.parameters"}.isdisjoint(modules)
