"""The stand-in for a simulator that is no longer there, so that a job of it always loads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from qiskit.providers import BackendV2, Options
from qiskit.transpiler import Target

from aerjob_cli.api.backend_errors import BackendGone
from aerjob_cli.api.client import Client
from aerjob_cli.errors import BackendUnusable
from aerjob_cli.plugins.discovery import simulator_of_job

if TYPE_CHECKING:
    from aerjob_cli.api.provider import BasicAerProvider


class RetiredBackend(BackendV2):
    """Knows the name and the store of old jobs, and can run nothing."""

    _provider: BasicAerProvider

    def __init__(self, provider: BasicAerProvider, name: str) -> None:
        super().__init__(provider=provider, name=name, description="A simulator that is not installed here")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"

    @property
    def client(self) -> Client:
        """The client of the store that the jobs are in."""
        return self._provider.client

    @property
    def target(self) -> Target:
        """An empty target: there is no instruction that could be run."""
        return Target()

    @property
    def max_circuits(self) -> None:
        """No number of circuits is too large or small enough."""
        return

    @classmethod
    def _default_options(cls) -> Options:
        return Options()

    def run(self, run_input: object, **options: Any) -> NoReturn:
        """Raise ``BackendGone``, which says what is missing."""
        try:
            simulator_of_job(self.name)
            fact = f"the simulator {self.name!r} is there again; take it from the provider anew"
        except BackendUnusable as error:
            fact = f"{error.message}; until then its jobs can only be read"
        raise BackendGone(fact, name=self.name)
