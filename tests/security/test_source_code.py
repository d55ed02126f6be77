"""What the package's own code does not do, by its syntax trees: unpickle, evaluate, start shells, build SQL."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import PickleType

import aerjob_cli
from aerjob_cli.store.tables import metadata

ROOT = Path(aerjob_cli.__file__).parent
# What is installed, the migrations included; tests and benchmarks may do what they like to a store of theirs.
SOURCES = sorted([*ROOT.rglob("*.py"), *(ROOT.parent / "migrations").rglob("*.py")])

# Modules that make code or objects out of bytes.
DANGEROUS_MODULES = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "jsonpickle"}
DANGEROUS_MODULES |= {"yaml", "code", "codeop", "runpy", "imp", "xmlrpc", "pdb", "telnetlib", "ctypes.util"}
DANGEROUS_CALLS = {"eval", "exec", "compile", "__import__", "breakpoint", "input"}
DANGEROUS_METHODS = {"getoutput", "getstatusoutput", "mktemp", "load_module"}
SHELLS_OF_OS = ("system", "popen", "spawn", "exec", "posix_spawn")
SUBPROCESS_CALLS = {"run", "Popen", "call", "check_call", "check_output"}

# SQL that is put together, and why that is safe. All other statements are constants or SQLAlchemy's expressions.
BUILT_SQL = {
    "store/creation.py": {"PRAGMA application_id={}": "a number of ours; a pragma takes no parameters"},
    "store/connections.py": {
        "PRAGMA synchronous={}": "a word of ours; a pragma takes no parameters",
        "PRAGMA journal_mode={}": "a word of ours; a pragma takes no parameters",
        "PRAGMA busy_timeout={}": "a number of ours; a pragma takes no parameters",
    },
    "store/copying.py": {"PRAGMA integrity_check({})": "a number of ours; a pragma takes no parameters"},
    "store/repair.py": {'DROP {} IF EXISTS "{}"': "names that the migrations have; a name is no parameter"},
    "migrations/versions/0002_arrays_and_provenance.py": {"ALTER TABLE jobs ADD COLUMN {}": "constants of that file"},
}
SQL_CALLS = {
    "execute",
    "executemany",
    "executescript",
    "exec_driver_sql",
    "text",
    "scalar",
    "scalars",
    "literal_column",
}


def _trees() -> Iterator[tuple[str, ast.Module]]:
    for path in SOURCES:
        place = path.relative_to(ROOT if path.is_relative_to(ROOT) else ROOT.parent).as_posix()
        yield place, ast.parse(path.read_text(encoding="utf-8"), str(path))


def _calls(tree: ast.Module) -> Iterator[tuple[str, bool, ast.Call]]:
    """Give each call with the last part of what is called, and whether that is a name alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id, True, node
            elif isinstance(node.func, ast.Attribute):
                yield node.func.attr, False, node


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def findings_of(tree: ast.Module) -> list[str]:
    """List what is dangerous in a module."""
    found = [f"import {name}" for name in _imported(tree) if _is_dangerous(name)]
    for name, is_alone, call in _calls(tree):
        flags = {keyword.arg: keyword.value for keyword in call.keywords}
        if is_alone and name in DANGEROUS_CALLS:
            found.append(f"{name}() in line {call.lineno}")
        if name in DANGEROUS_METHODS or (name.startswith(SHELLS_OF_OS) and _is_of(call, "os")):
            found.append(f".{name}() in line {call.lineno}")
        if name in SUBPROCESS_CALLS and "shell" in flags:
            found.append(f"shell= in line {call.lineno}")
        if name in ("load", "loads", "fromfile") and _is_of(call, "np", "numpy"):
            allowed = flags.get("allow_pickle")
            if not (isinstance(allowed, ast.Constant) and allowed.value is False):
                found.append(f"numpy.{name} without allow_pickle=False in line {call.lineno}")
        if "allow_pickle" in flags and not _is_false(flags["allow_pickle"]):
            found.append(f"allow_pickle in line {call.lineno}")
    return found


def _is_dangerous(module: str) -> bool:
    return module in DANGEROUS_MODULES or module.partition(".")[0] in DANGEROUS_MODULES


def _is_of(call: ast.Call, *owners: str) -> bool:
    function = call.func
    return isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id in owners


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def built_sql_of(tree: ast.Module) -> set[str]:
    """List the statements that are put together of texts when the program runs, with ``{}`` for what is put in."""
    found = set()
    for name, _, call in _calls(tree):
        if name not in SQL_CALLS or not call.args:
            continue
        statement = call.args[0]
        if isinstance(statement, ast.JoinedStr):
            found.add("".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in statement.values))
        elif (isinstance(statement, ast.BinOp) and isinstance(statement.op, (ast.Add, ast.Mod))) or (
            isinstance(statement, ast.Call)
            and isinstance(statement.func, ast.Attribute)
            and statement.func.attr in ("format", "join", "replace", "format_map")
        ):
            found.add(ast.unparse(statement))
    return found


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from pickle import loads",
        "import numpy as np\nnp.load(path)",
        "np.load(path, allow_pickle=True)",
        "eval(text)",
        "exec(text)",
        "import os\nos.system(command)",
        "os.execv(path, arguments)",
        "subprocess.run(command, shell=True)",
        "import yaml",
        "import dill",
    ],
)
def test_what_is_dangerous_is_found(code: str) -> None:
    assert findings_of(ast.parse(code))


@pytest.mark.parametrize(
    "code",
    [
        'tx.execute(text(f"SELECT {name}"))',
        'tx.exec_driver_sql("SELECT " + name)',
        'connection.execute("SELECT %s" % name)',
        'text("SELECT {}".format(name))',
        'text(" OR ".join(parts))',
    ],
)
def test_sql_that_is_built_is_found(code: str) -> None:
    assert built_sql_of(ast.parse(code))


def test_no_module_unpickles_evaluates_or_starts_a_shell() -> None:
    assert len(SOURCES) > 150
    assert {place: found for place, tree in _trees() if (found := findings_of(tree))} == {}


def test_sql_has_bound_parameters_only() -> None:
    built = {place: found for place, tree in _trees() if (found := built_sql_of(tree))}
    # What users have is never among it; each of these has its reason above.
    assert built == {place: set(statements) for place, statements in BUILT_SQL.items()}


def test_no_module_of_ours_holds_a_module_that_unpickles() -> None:
    """Look at what each module has at run time, however it got there; third parties may have what they like."""
    names = [name for _, name, _ in pkgutil.walk_packages([str(ROOT)], "aerjob_cli.")]
    importable = [name for name in names if not name.endswith("__main__") and "._migrations" not in name]
    assert len(importable) > 150
    for name in importable:
        module = importlib.import_module(name)
        held = {getattr(value, "__name__", "") for value in vars(module).values() if type(value) is type(ast)}
        assert not {one for one in held if _is_dangerous(one)}, name


def test_a_light_command_and_the_worker_load_no_module_that_unpickles_for_us() -> None:
    """Who imports pickle there is named: the standard library and SQLAlchemy, for types that no table of ours has."""
    code = (
        "import builtins, sys\n"
        "real, who = builtins.__import__, set()\n"
        "def note(name, globals=None, *rest, **more):\n"
        "    if name.partition('.')[0] in ('pickle', '_pickle', 'marshal', 'shelve', 'dill'):\n"
        "        who.add((globals or {}).get('__name__', '?').partition('.')[0])\n"
        "    return real(name, globals, *rest, **more)\n"
        "builtins.__import__ = note\n"
        "import aerjob_cli.cli.boundary, aerjob_cli.worker.daemon, aerjob_cli.cli.app\n"
        "aerjob_cli.cli.app.command_tree()\n"
        "print(*sorted(who))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert "aerjob_cli" not in done.stdout.split()
    assert "sqlalchemy" in done.stdout.split()


def test_no_column_is_a_pickle() -> None:
    columns = [column for table in metadata.tables.values() for column in table.columns]
    assert len(columns) > 50
    assert not any(isinstance(column.type, PickleType) for column in columns)
