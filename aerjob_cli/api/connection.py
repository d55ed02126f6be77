"""A client that is opened when it is first needed, so that making a provider touches no file."""

from __future__ import annotations

import threading

from aerjob_cli.api.client import Client
from aerjob_cli.settings import Settings
from aerjob_cli.store import forks


class Connection:
    """One store, opened at most once in this process. A copy, also in another process, opens it for itself."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._client: Client | None = None
        self._opening = threading.Lock()

    @property
    def client(self) -> Client:
        """Give the client of the store; raises ``StoreUnusable`` when it cannot be opened."""
        # In this order: a fork waits until the lock is free, which no thread of the child would ever let go of.
        with forks.none(), self._opening:
            if self._client is None:
                self._client = Client(self.settings)
            return self._client

    def __reduce__(self) -> tuple[type[Connection], tuple[Settings]]:
        return Connection, (self.settings,)
