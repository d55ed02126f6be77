"""Looking again and again at what goes on: reads what has changed and makes a `Dashboard` of it."""

from __future__ import annotations

from collections.abc import Sequence

from aerjob_cli.api.progress import Pace
from aerjob_cli.cli import worker_control
from aerjob_cli.cli.answers.dashboard import RATE_WINDOW_S, Dashboard, RunningJob, Throughput
from aerjob_cli.cli.answers.worker import LiveWorker
from aerjob_cli.cli.live.sources import Rows, Source, ran_of
from aerjob_cli.cli.live.throughput import experiments_per_s, jobs_per_s
from aerjob_cli.errors import StoreBusy
from aerjob_cli.memory import available_bytes
from aerjob_cli.store import jobs
from aerjob_cli.store.database import Store
from aerjob_cli.store.listing import short_ids
from aerjob_cli.store.records import JobRecord, WorkerRecord


class Gauge:
    """Reads a source whenever something was committed, and says what goes on at any moment."""

    def __init__(self, store: Store, source: Source, *, title: str) -> None:
        self._store = store
        self._source = source
        self._title = title
        self._watch = store.watch()
        self._rows: Rows | None = None
        self._short_ids: dict[str, str] = {}
        self._pace = Pace()

    def changed(self) -> bool:
        """Tell whether anything was committed since the last look; what was read before is out of date then."""
        try:
            if self._watch.changed():
                self._rows = None
        except StoreBusy:
            # With a rollback journal a writer keeps readers out; there will be a next time.
            self._watch.forget()
        return self._rows is None

    def look(self) -> Dashboard:
        """Say what goes on now."""
        now_us = self._store.now_us()
        self.changed()
        rows = self._rows or self._read(now_us)
        # A worker that was killed has written nothing of it.
        living = worker_control.living(self._store)
        running = [RunningJob(job, self._pace.progress_of(job, now_us=now_us)) for job in rows.running]
        known = [item.progress.rss_bytes for item in running if item.progress.rss_bytes is not None]
        ran = [*rows.ran, *(ran_of(job) for job in rows.running)]
        return Dashboard(
            title=self._title,
            home=self._store.paths.home,
            at_us=now_us,
            worker=self._live(living[0]) if living else None,
            counts=rows.counts,
            throughput=Throughput(
                jobs_per_s=jobs_per_s(ran, now_us=now_us, window_s=RATE_WINDOW_S),
                experiments_per_s=experiments_per_s(ran, now_us=now_us, window_s=RATE_WINDOW_S),
            ),
            executors_rss_bytes=sum(known) if known or not running else None,
            available_bytes=available_bytes(),
            running=tuple(running),
            waiting=tuple(rows.waiting),
            ended=tuple(rows.ended),
            short_ids=self._short_ids,
        )

    def close(self) -> None:
        """Close what was opened to look."""
        self._watch.close()

    def _read(self, now_us: int) -> Rows:
        with self._store.reading_directly() as tx:
            rows = self._source.read(tx, now_us=now_us)
            self._short_ids = short_ids(tx, _shown(rows))
        self._rows = rows
        return rows

    def _live(self, worker: WorkerRecord) -> LiveWorker:
        with self._store.reading_directly() as tx:
            running = tuple(jobs.running_of(tx, worker.worker_id))
        age_s = max(0.0, self._store.clock.monotonic_s() - worker.heartbeat_monotonic_s)
        return LiveWorker(worker, running, worker_control.memory_of(worker), age_s)


def _shown(rows: Rows) -> Sequence[JobRecord]:
    return [*rows.running, *(item.job for item in rows.waiting), *rows.ended]
