"""Which engines there are. Each is imported when it is first used: with Aer's comes Aer."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module

from aerjob_cli.engines.base import Engine

_HOMES = {
    "aer": ("aerjob_cli.engines.aer", "AerEngine"),
    "basic": ("aerjob_cli.engines.basic", "BasicEngine"),
}


@lru_cache
def engine_named(name: str) -> Engine:
    """Give the engine that the catalog names so; raises ``KeyError`` for any other name."""
    module, kind = _HOMES[name]
    engine: Engine = getattr(import_module(module), kind)()
    return engine
