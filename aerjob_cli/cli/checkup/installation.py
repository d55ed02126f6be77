"""Is everything installed that aerjob stands on, and does it start?"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from importlib.metadata import version as version_of

from packaging.requirements import Requirement

from aerjob_cli.cli.checkup.finding import Finding, Part, good, note, wrong
from aerjob_cli.memory import MIB, available_bytes, usable_memory_mb
from aerjob_cli.plugins.discovery import plugins
from aerjob_cli.settings import usable_cores
from aerjob_cli.store.dbapi import sqlite_library
from aerjob_cli.version import __version__

_DISTRIBUTION = "aerjob-cli"
# A first import after an installation compiles everything; a loaded machine is slower still.
_IMPORT_TAKES_AT_MOST_S = 120.0
# A job of 24 qubits needs 256 MiB for its state alone.
_LITTLE_MEMORY_BYTES = 512 * MIB


def examine() -> Iterator[Finding]:
    """Look at the packages and plugins, at SQLite, at what executors import, and at the machine's cores and memory."""
    yield good("aerjob", f"{__version__}, Python {'.'.join(map(str, sys.version_info[:3]))}")
    yield _packages()
    yield from _plugins()
    yield _executors()
    yield _sqlite()
    yield _machine()


def _packages() -> Finding:
    try:
        wanted = [Requirement(text) for text in requires(_DISTRIBUTION) or ()]
    except PackageNotFoundError:
        return note("packages", f"{_DISTRIBUTION} is not installed as a package, so that its needs are not known")
    faults = []
    for requirement in wanted:
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version_of(requirement.name)
        except PackageNotFoundError:
            faults.append(f"{requirement.name} is not installed")
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            faults.append(f"{requirement.name} is {found}, and {requirement.specifier} is needed")
    if faults:
        return wrong("packages", "; ".join(faults), f"pip install --upgrade {_DISTRIBUTION}", Part.PROGRAM)
    return good("packages", f"Qiskit {version_of('qiskit')}, Aer {version_of('qiskit-aer')}, all others as needed")


def _plugins() -> Iterator[Finding]:
    """Look at the simulators that are not in the catalog; one for which only an extra is missing is none of these."""
    found = plugins()
    usable = [f"{plugin.name} ({plugin.origin})" for plugin in found if plugin.is_usable]
    yield good("plugins", ", ".join(usable) or "no other simulators are installed")
    for plugin in found:
        if plugin.is_broken:
            yield note(f"plugin {plugin.name}", f"{plugin.origin} brings it, and {plugin.fact}", plugin.remedy)


def _executors() -> Finding:
    """Import, in a process of its own, what every executor imports before it can run anything."""
    command = [sys.executable, "-P", "-c", "from aerjob_cli.executors.child import preload; preload()"]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_IMPORT_TAKES_AT_MOST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        fact = f"Qiskit and Aer have not been imported within {_IMPORT_TAKES_AT_MOST_S:g} s"
        return wrong("executors", fact, "see what keeps this machine busy", Part.PROGRAM)
    if done.returncode != 0:
        last = done.stderr.strip().rpartition("\n")[2] or f"the process ended with code {done.returncode}"
        fact = f"Qiskit and Aer cannot be imported: {last}"
        return wrong("executors", fact, "pip install --force-reinstall qiskit qiskit-aer", Part.PROGRAM)
    return good("executors", "Qiskit and Aer can be imported")


def _sqlite() -> Finding:
    library = sqlite_library()
    name = library.module.__name__.partition(".")[0]
    fact = f"{'.'.join(map(str, library.version))} ({name})"
    if not library.is_recent_enough:
        return wrong("SQLite", f"{fact} is too old", "use a Python that was built with a later one", Part.STORE)
    if not library.has_sound_wal:
        fact += " can damage a database with a write-ahead log, so that a slower journal is used"
        return note("SQLite", fact, "pip install pysqlite3, where its wheel fits this machine")
    return good("SQLite", fact)


def _machine() -> Finding:
    cores, memory_mb, available = usable_cores(), usable_memory_mb(), available_bytes()
    fact = f"{cores} {'core' if cores == 1 else 'cores'}, {memory_mb} MiB of memory"
    if available is None:
        return good("machine", fact)
    fact += f", {available // MIB} MiB of it available"
    if available < _LITTLE_MEMORY_BYTES:
        return note("machine", fact, "end what uses the memory, or larger jobs will end with OUT_OF_MEMORY")
    return good("machine", fact)
