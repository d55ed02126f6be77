"""Waiting in coroutines: however many jobs of a store an event loop awaits, one task looks at it for all of them.

Each look is a short call in a thread of the loop's, so that the loop goes on even where the store is busy; between two
looks no thread waits for anything. When nobody waits any more, the task ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from weakref import WeakKeyDictionary

from sqlalchemy import Connection

from aerjob_cli.api.client import Client
from aerjob_cli.api.waiting import look_if_changed, pause_after
from aerjob_cli.errors import JobNotFound
from aerjob_cli.store import jobs
from aerjob_cli.store.database import Watch
from aerjob_cli.store.records import JobRecord


async def end_of(client: Client, record: JobRecord) -> JobRecord:
    """Return the record of a job as soon as the job has ended.

    Raises ``JobNotFound`` when somebody deletes it meanwhile, and ``WorkerUnavailable``.
    """
    lookouts = _LOOKOUTS.setdefault(asyncio.get_running_loop(), {})
    if id(client) not in lookouts:
        lookouts[id(client)] = _Lookout(client, lookouts)
    return await lookouts[id(client)].end_of(record)


class _Lookout:
    """The task of one event loop that looks at one store, and those who wait for what it sees."""

    def __init__(self, client: Client, lookouts: dict[int, _Lookout]) -> None:
        self._client = client  # kept, so that its id stays its own
        self._lookouts = lookouts
        self._watch: Watch | None = None
        self._waiting: dict[asyncio.Future[JobRecord], JobRecord] = {}
        self._stirred = asyncio.Event()  # somebody has come or gone
        self._task = asyncio.create_task(self._keep_looking())

    async def end_of(self, record: JobRecord) -> JobRecord:
        ended: asyncio.Future[JobRecord] = asyncio.get_running_loop().create_future()
        self._waiting[ended] = record
        self._stirred.set()
        try:
            return await ended
        finally:
            del self._waiting[ended]
            self._stirred.set()

    async def _keep_looking(self) -> None:
        looking: asyncio.Future[dict[int, JobRecord] | None] | None = None
        begun_s = time.monotonic()
        try:
            while self._waiting:
                asked = dict(self._waiting)
                if self._stirred.is_set():
                    self._stirred.clear()
                    begun_s = time.monotonic()
                    if self._watch is not None:
                        # A newcomer's job may have ended since it was last read, and nothing will tell of that again.
                        self._watch.forget()
                looking = asyncio.get_running_loop().run_in_executor(None, self._look, asked)
                # A thread cannot be ended: who is cancelled meanwhile lets it come to its end.
                _tell(asked, await asyncio.shield(looking))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stirred.wait(), pause_after(time.monotonic() - begun_s))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised where somebody waits
            for ended in self._waiting:
                if not ended.done():
                    ended.set_exception(error)
        finally:
            # Who comes from here on starts another one.
            del self._lookouts[id(self._client)]
            if looking is not None:
                await asyncio.wait([looking])
            if self._watch is not None:
                self._watch.close()

    def _look(self, asked: dict[asyncio.Future[JobRecord], JobRecord]) -> dict[int, JobRecord] | None:
        """Read the jobs that are waited for, or give None when nothing in the store has changed; in a thread."""
        if self._watch is None:
            self._watch = self._client.store.watch()
        self._client.attend_if_due()
        seqs = sorted({record.seq for record in asked.values()})

        def read(tx: Connection) -> dict[int, JobRecord]:
            return jobs.find_many(tx, seqs)

        return look_if_changed(self._client.store, self._watch, read)


def _tell(asked: dict[asyncio.Future[JobRecord], JobRecord], found: dict[int, JobRecord] | None) -> None:
    if found is None:
        return
    for ended, record in asked.items():
        if ended.done():  # cancelled meanwhile
            continue
        now = found.get(record.seq)
        if now is None:
            ended.set_exception(JobNotFound(record.job_id))
        elif now.status.is_final:
            ended.set_result(now)


_LOOKOUTS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[int, _Lookout]] = WeakKeyDictionary()
