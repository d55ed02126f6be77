"""From a simulator to its engine, which is imported when it is first used: with Aer's comes Aer."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module

from aerjob_cli.catalog import Simulator
from aerjob_cli.engines.base import Engine
from aerjob_cli.errors import BackendUnusable, brief

_FACT_CHARACTERS = 200


def engine_of(simulator: Simulator) -> Engine:
    """Give the engine that runs a simulator; raises ``BackendUnusable`` where it cannot be imported."""
    try:
        return _engine_at(simulator.engine)
    except Exception as error:
        cause = " ".join(f"{type(error).__name__}: {error}".split())[:_FACT_CHARACTERS]
        remedy = f"`{simulator.remedy}` may help" if simulator.remedy else "repair what brings it, or install it again"
        raise BackendUnusable(
            simulator.name,
            f"the simulator {brief(simulator.name)} cannot be used, its engine does not load ({cause}); {remedy}",
            remedy=simulator.remedy,
        ) from error


@lru_cache
def _engine_at(place: str) -> Engine:
    module, _, kind = place.partition(":")
    engine: Engine = getattr(import_module(module), kind)()
    return engine
