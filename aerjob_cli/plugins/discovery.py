"""Finds simulators by name: the catalog's, and those that installed distributions bring as entry points.

An entry point of the group ``aerjob.simulators`` has the simulator's name and leads to a ``catalog.Simulator``. That
is data: a client lists and checks by it, and only an executor or Python's ``run()`` imports the engine. Reading entry
points takes 10 to 30 ms, so it is only done for a name that the catalog does not have, or to list all. What was found
is kept for the process; what was not is looked for again, since it may be installed meanwhile.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from aerjob_cli.catalog import SIMULATORS, Simulator
from aerjob_cli.errors import BackendUnusable, UnknownBackend, brief
from aerjob_cli.frozen import dataclass

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

GROUP = "aerjob.simulators"
ANY = "*"
_FACT_CHARACTERS = 200

_found: dict[str, Simulator] = {}


@dataclass(frozen=True)
class Plugin:
    """What an entry point leads to. ``origin`` is the distribution, with its version.

    Where the simulator cannot be used, ``fact`` says why and ``remedy`` what helps. ``simulator`` is None where not
    even its data is there. The name ``ANY`` stands for whatever a distribution may bring that cannot be read.
    """

    name: str
    origin: str
    simulator: Simulator | None = None
    fact: str | None = None
    remedy: str | None = None

    @property
    def is_usable(self) -> bool:
        return self.fact is None

    @property
    def is_broken(self) -> bool:
        """Tell whether it cannot be used, and not only for want of a library."""
        return self.fact is not None and self.simulator is None

    def __str__(self) -> str:
        subject = f"the simulator {brief(self.name)} of {self.origin}"
        if self.name == ANY:
            subject = f"whatever simulator {self.origin} brings"
        return subject if self.fact is None else f"{subject} cannot be used, {self.fact}; {self.remedy}"


def simulator_named(name: str) -> Simulator:
    """Give the simulator of that name; raises ``UnknownBackend``, or ``BackendUnusable`` where something is missing."""
    known = SIMULATORS.get(name) or _found.get(name)
    if known is not None:
        return known
    entries, _ = _entries(name)
    if not entries:
        raise UnknownBackend(name, sorted(simulator.name for simulator in usable_simulators()))
    plugin = _examined(entries)
    if plugin.simulator is None or not plugin.is_usable:
        raise BackendUnusable(name, str(plugin), remedy=plugin.remedy)
    return plugin.simulator


def simulator_of_job(name: str) -> Simulator:
    """Give the simulator of a job that was accepted once; raises ``BackendUnusable`` where it is no longer there."""
    try:
        return simulator_named(name)
    except BackendUnusable:
        raise
    except UnknownBackend as error:
        message = f"the simulator {brief(name)} is no longer installed; install the package that brings it"
        raise BackendUnusable(name, message, remedy=None) from error


def usable_simulators(found: Iterable[Plugin] | None = None) -> list[Simulator]:
    """List what a job can be submitted to: the catalog's simulators, then those of plugins, looked for if not given."""
    others = (plugin.simulator for plugin in (plugins() if found is None else found) if plugin.is_usable)
    return [*SIMULATORS.values(), *(simulator for simulator in others if simulator is not None)]


def plugins() -> list[Plugin]:
    """Look at every entry point of the group, by name; those that cannot be used say why."""
    found, unreadable = _entries()
    entries: dict[str, list[EntryPoint]] = {}
    for entry in found:
        entries.setdefault(entry.name, []).append(entry)
    return [*(_examined(entries[name]) for name in sorted(entries)), *unreadable]


def _entries(name: str | None = None) -> tuple[Sequence[EntryPoint], Sequence[Plugin]]:
    """Read the entry points of the group, or of one name in it; what cannot be read is told of, and left out."""
    # Here, since importing it takes a tenth of a light command, which seldom looks at any.
    from importlib import metadata

    with contextlib.suppress(Exception):  # one damaged file of any distribution, and there are none at all
        return _of_group(metadata.entry_points(group=GROUP), name), ()
    entries: dict[tuple[str, str], EntryPoint] = {}
    unreadable = []
    for distribution in metadata.distributions():
        try:
            for entry in _of_group(distribution.entry_points.select(group=GROUP), name):
                entries.setdefault((entry.name, entry.value), entry)
        except Exception as error:  # noqa: BLE001 - as above
            fact = f"its list of entry points cannot be read ({_cause(error)})"
            unreadable.append(Plugin(ANY, _named(distribution), fact=fact, remedy="install it anew, or uninstall it"))
    return tuple(entries.values()), unreadable


def _of_group(entries: Iterable[EntryPoint], name: str | None) -> tuple[EntryPoint, ...]:
    return tuple(entry for entry in entries if name is None or entry.name == name)


def _examined(entries: Sequence[EntryPoint]) -> Plugin:
    """Load what the entry points of one name lead to, if that can be used."""
    name = entries[0].name
    origin = " and ".join(sorted(_named(entry.dist) for entry in entries))
    if name in SIMULATORS:
        return Plugin(name, origin, fact="aerjob has one of that name", remedy="rename it there, or uninstall it")
    if len(entries) > 1:
        return Plugin(name, origin, fact="it is there more than once", remedy="uninstall all but one")
    if name not in _found:
        try:
            simulator = _loaded(entries[0])
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a stranger's module raises is its own
            return Plugin(name, origin, fact=f"it does not load ({_cause(error)})", remedy="repair it, or uninstall it")
        if simulator.needs is not None and not _is_installed(simulator.needs):
            remedy = f"install it with `{simulator.remedy or f'pip install {simulator.needs}'}`"
            return Plugin(name, origin, simulator, f"{simulator.needs} is not installed", remedy)
        _found[name] = simulator
    return Plugin(name, origin, _found[name])


def _loaded(entry: EntryPoint) -> Simulator:
    # This process may be older than what is installed, and knows folders as they were when it looked last.
    importlib.invalidate_caches()
    # What it prints must not get into an answer.
    with contextlib.redirect_stdout(sys.stderr):
        simulator = entry.load()
    if not isinstance(simulator, Simulator):
        raise TypeError(f"{entry.value} is of type {type(simulator).__name__}, not a Simulator")
    if simulator.name != entry.name:
        raise ValueError(f"{entry.value} is called {simulator.name!r}")
    return simulator


def _cause(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:_FACT_CHARACTERS]


def _named(distribution: Distribution | None) -> str:
    with contextlib.suppress(Exception):  # damaged metadata
        if distribution is not None and distribution.name:
            return f"{distribution.name} {distribution.version}"
    return "an unknown distribution"


def _is_installed(distribution: str) -> bool:
    from importlib import metadata

    try:
        metadata.distribution(distribution)
    except (metadata.PackageNotFoundError, ValueError):
        return False
    return True
