"""Finds simulators by name: the catalog's, and those that installed distributions bring as entry points.

An entry point of the group ``aerjob.simulators`` has the simulator's name and leads to a ``catalog.Simulator``. That
is data: a client lists and checks by it, and only an executor or Python's ``run()`` imports the engine. Reading entry
points takes 10 to 30 ms, so it is only done for a name that the catalog does not have, or to list all. What was found
is kept for the process; what was not is looked for again, since it may be installed meanwhile.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from aerjob_cli.catalog import SIMULATORS, Simulator
from aerjob_cli.errors import BackendUnusable, UnknownBackend, brief

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "aerjob.simulators"
_FACT_CHARACTERS = 200

_found: dict[str, Simulator] = {}


@dataclass(frozen=True)
class Plugin:
    """What an entry point leads to. ``origin`` is the distribution, with its version.

    Where the simulator cannot be used, ``fact`` says why and ``remedy`` what helps. ``simulator`` is None where not
    even its data is there.
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
        return subject if self.fact is None else f"{subject} cannot be used, {self.fact}; {self.remedy}"


def simulator_named(name: str) -> Simulator:
    """Give the simulator of that name; raises ``UnknownBackend``, or ``BackendUnusable`` where something is missing."""
    known = SIMULATORS.get(name) or _found.get(name)
    if known is not None:
        return known
    entries = _entries(name)
    if not entries:
        raise UnknownBackend(name, sorted(simulator.name for simulator in usable_simulators()))
    plugin = _examined(entries)
    if plugin.simulator is None or not plugin.is_usable:
        _refuse(plugin)
    return plugin.simulator


def usable_simulators(found: Iterable[Plugin] | None = None) -> list[Simulator]:
    """List what a job can be submitted to: the catalog's simulators, then those of plugins, looked for if not given."""
    others = (plugin.simulator for plugin in (plugins() if found is None else found) if plugin.is_usable)
    return [*SIMULATORS.values(), *(simulator for simulator in others if simulator is not None)]


def plugins() -> list[Plugin]:
    """Look at every entry point of the group, by name; those that cannot be used say why."""
    entries: dict[str, list[EntryPoint]] = {}
    for entry in _entries():
        entries.setdefault(entry.name, []).append(entry)
    return [_examined(entries[name]) for name in sorted(entries)]


def _refuse(plugin: Plugin) -> NoReturn:
    raise BackendUnusable(plugin.name, str(plugin), remedy=plugin.remedy)


def _entries(name: str | None = None) -> Sequence[EntryPoint]:
    from importlib import metadata  # which takes as long as all else of a light command that asks for no plugin

    return tuple(metadata.entry_points(group=GROUP) if name is None else metadata.entry_points(group=GROUP, name=name))


def _examined(entries: Sequence[EntryPoint]) -> Plugin:
    """Load what the entry points of one name lead to, if that can be used."""
    name = entries[0].name
    origins = sorted(map(_origin, entries))
    origin = " and ".join(origins)
    if name in SIMULATORS:
        return Plugin(name, origin, fact="aerjob has one of that name", remedy="rename it there, or uninstall it")
    if len(entries) > 1:
        return Plugin(name, origin, fact="it is there more than once", remedy="uninstall all but one")
    if name not in _found:
        try:
            simulator = _loaded(entries[0])
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a stranger's module raises is its own
            cause = " ".join(f"{type(error).__name__}: {error}".split())[:_FACT_CHARACTERS]
            return Plugin(name, origin, fact=f"it does not load ({cause})", remedy="repair it, or uninstall it")
        if simulator.needs is not None and not _is_installed(simulator.needs):
            remedy = f"install it with `{simulator.remedy or f'pip install {simulator.needs}'}`"
            return Plugin(name, origin, simulator, f"{simulator.needs} is not installed", remedy)
        _found[name] = simulator
    return Plugin(name, origin, _found[name])


def _loaded(entry: EntryPoint) -> Simulator:
    # What it prints must not get into an answer.
    with contextlib.redirect_stdout(sys.stderr):
        simulator = entry.load()
    if not isinstance(simulator, Simulator):
        raise TypeError(f"{entry.value} is of type {type(simulator).__name__}, not a Simulator")
    if simulator.name != entry.name:
        raise ValueError(f"{entry.value} is called {simulator.name!r}")
    return simulator


def _origin(entry: EntryPoint) -> str:
    with contextlib.suppress(Exception):  # damaged metadata, of which an entry point can still be read
        if entry.dist is not None:
            return f"{entry.dist.name} {entry.dist.version}"
    return "an unknown distribution"


def _is_installed(distribution: str) -> bool:
    from importlib import metadata

    try:
        metadata.distribution(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True
