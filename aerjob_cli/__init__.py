"""Durable quantum-circuit jobs on your own machine.

Names are loaded when they are first used (PEP 562), so that importing the package costs nothing.
"""

from __future__ import annotations

# As type checkers know it. Nothing is imported here: while a command does so, Ctrl-C is not yet looked after.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from aerjob_cli.api.backend_errors import BasicAerError
    from aerjob_cli.api.completion import as_completed
    from aerjob_cli.api.job import BasicAerJob
    from aerjob_cli.api.primitive_job import PrimitiveAerJob
    from aerjob_cli.api.primitives import DurableEstimator, DurableSampler
    from aerjob_cli.api.provider import BasicAerProvider
    from aerjob_cli.version import __version__

__all__ = [
    "BasicAerError",
    "BasicAerJob",
    "BasicAerProvider",
    "DurableEstimator",
    "DurableSampler",
    "PrimitiveAerJob",
    "__version__",
    "as_completed",
]

_HOMES = {
    "BasicAerError": "aerjob_cli.api.backend_errors",
    "BasicAerJob": "aerjob_cli.api.job",
    "BasicAerProvider": "aerjob_cli.api.provider",
    "as_completed": "aerjob_cli.api.completion",
    "DurableEstimator": "aerjob_cli.api.primitives",
    "DurableSampler": "aerjob_cli.api.primitives",
    "PrimitiveAerJob": "aerjob_cli.api.primitive_job",
    "__version__": "aerjob_cli.version",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
