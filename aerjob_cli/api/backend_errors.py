"""What looking for a simulator and handing circuits to it can raise: errors that are also Qiskit's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from qiskit.exceptions import QiskitError
from qiskit.providers import QiskitBackendNotFoundError

from aerjob_cli.errors import AerjobError, InputRefused, JobNotFound, UnknownBackend


class BasicAerError(QiskitError):
    """What the simulators raise for what they cannot run, by the name that it had in ``qiskit.providers.basicaer``."""


class RunRefused(BasicAerError, InputRefused):
    """What was handed to ``run()`` cannot run; nothing was stored. The cause says more."""

    code: ClassVar[str] = InputRefused.code
    exit_code: ClassVar[int] = InputRefused.exit_code

    def __init__(self, message: str, **fields: object) -> None:
        AerjobError.__init__(self, message, **fields)

    def __str__(self) -> str:
        # Qiskit's own errors show their message in quotation marks.
        return self.message


class RunTypeRefused(RunRefused, TypeError):
    """What was handed to ``run()`` is not even of a type that could run."""


class RunValueRefused(RunRefused, ValueError):
    """What was handed to ``run()`` is of a type that could run, and has a value that cannot."""


class BackendNotFound(RunRefused, QiskitBackendNotFoundError, UnknownBackend):
    """No simulator fits what was asked for."""

    code: ClassVar[str] = UnknownBackend.code
    exit_code: ClassVar[int] = UnknownBackend.exit_code


class DependencyUnknown(RunRefused, JobNotFound):
    """A job was to start after one that the store does not have."""

    code: ClassVar[str] = JobNotFound.code
    exit_code: ClassVar[int] = JobNotFound.exit_code


class BackendGone(RunRefused):
    """The simulator of an old job is no longer there, so nothing can be run on it."""

    code: ClassVar[str] = "backend_gone"


@contextmanager
def raised_as_backend_errors() -> Iterator[None]:
    """Turn refusals into errors that are also Qiskit's."""
    try:
        yield
    except RunRefused:
        raise
    except UnknownBackend as error:
        raise BackendNotFound(error.message, **error.fields) from error
    except JobNotFound as error:
        raise DependencyUnknown(error.message, **error.fields) from error
    except InputRefused as error:
        refusal = RunRefused(error.message, **error.fields)
        raise refusal from error
