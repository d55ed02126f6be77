"""The stand-in for a simulator that is no longer in the catalog, so that a job of it always loads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from qiskit.providers import BackendV2, Options
from qiskit.transpiler import Target

from aerjob_cli.api.backend_errors import BackendGone
from aerjob_cli.api.client import Client

if TYPE_CHECKING:
    from aerjob_cli.api.provider import BasicAerProvider


class RetiredBackend(BackendV2):
    """Knows the name and the store of old jobs, and can run nothing."""

    _provider: BasicAerProvider

    def __init__(self, provider: BasicAerProvider, name: str) -> None:
        super().__init__(provider=provider, name=name, description="A simulator that this aerjob does not have")

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
        """Raise ``BackendGone``."""
        known = ", ".join(backend.name for backend in self._provider.backends())
        raise BackendGone(
            f"the simulator {self.name!r} is not in this version of aerjob; its jobs can be read, and there is {known}",
            name=self.name,
        )
