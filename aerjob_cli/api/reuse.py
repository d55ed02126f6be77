"""Finding the earlier job whose result will do: asked for the same, and run with the versions that are here.

The versions are those that are installed, as their packages tell; nothing heavy is imported for it. What machine the
earlier job ran on is not asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from aerjob_cli.store.request_digest import result_key_of
from aerjob_cli.store.reuse import Candidate, candidates, is_sound
from aerjob_cli.version import __version__

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from aerjob_cli.settings import StorePaths
    from aerjob_cli.store.records import Submission

# What decides about a result, by the name in the facts of a runtime, with its package.
_PACKAGES = {"qiskit": "qiskit", "qiskit_aer": "qiskit-aer", "numpy": "numpy"}


def reusable(tx: Connection, paths: StorePaths, submission: Submission) -> str | None:
    """Give the id of a job that has the result which this one would have; None where there is none."""
    for candidate in candidates(tx, result_key_of(submission)):
        if _is_as_here(candidate) and is_sound(tx, paths, candidate):
            return candidate.job_id
    return None


def _is_as_here(candidate: Candidate) -> bool:
    if candidate.runtimes is None:
        return False
    # As engines name themselves: the package and its version.
    package, _, used = (candidate.engine or "").rpartition(" ")
    return _installed(package) == used and all(map(_is_here, candidate.runtimes))


def _is_here(facts: Mapping[str, str]) -> bool:
    versions = {name: _installed(package) for name, package in _PACKAGES.items()} | {"aerjob": __version__}
    return all(facts.get(name) == found for name, found in versions.items())


@cache
def _installed(package: str) -> str | None:
    try:
        return version(package) if package else None
    except PackageNotFoundError:
        return None
