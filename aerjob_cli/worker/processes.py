"""Which processes a worker has started, and which of them runs which job, written down.

A successor ends those that the system did not, and whoever looks at a job sees its process.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection

from aerjob_cli.store import lifecycle, workers
from aerjob_cli.store.records import ProcessIdentity
from aerjob_cli.worker.holdings import Holding

# A pid, and what tells the process from others that have had it.
Child = tuple[int, str]


def note_children(
    tx: Connection, worker_id: str, children: Sequence[Child], versions: Mapping[str, str] | None
) -> None:
    """Write down the processes of a worker, and the versions with which they have said that they run."""
    assert versions is not None
    identities = [ProcessIdentity(pid, started) for pid, started in children]
    workers.note_children(tx, worker_id, identities, qiskit_version=versions["qiskit"], aer_version=versions["aer"])


def note_executors(tx: Connection, children: Sequence[Child], holdings: Iterable[Holding]) -> None:
    """Write down which process runs each of some jobs."""
    started = dict(children)
    for holding in holdings:
        pid = holding.executor.pid
        if pid is not None and pid in started:
            # Where this does not land, the claim is lost, of which the store tells in its own time.
            lifecycle.note_executor(tx, holding.claim, pid=pid, started=started[pid])
