"""Durable quantum-circuit jobs on your own machine.

Names are loaded when they are first used (PEP 562), so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aerjob_cli.version import __version__

if TYPE_CHECKING:
    from aerjob_cli.api.job import BasicAerJob
    from aerjob_cli.api.provider import BasicAerProvider

__all__ = ["BasicAerJob", "BasicAerProvider", "__version__"]

_HOMES = {"BasicAerJob": "aerjob_cli.api.job", "BasicAerProvider": "aerjob_cli.api.provider"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
