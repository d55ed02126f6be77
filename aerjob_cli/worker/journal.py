"""Every line of the worker's log, worded in one place; the file is private and rotates."""

from __future__ import annotations

import logging
import os
import sys
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from aerjob_cli.settings import StorePaths
from aerjob_cli.store.folder import open_private
from aerjob_cli.store.lifecycle import Released
from aerjob_cli.worker.holdings import Holding
from aerjob_cli.worker.outcomes import Outcome

_LOG = logging.getLogger("aerjob.worker")
_ROTATE_BYTES = 2_000_000
_KEPT = 3


class _PrivateFile(RotatingFileHandler):
    """Makes each file with 0600, whatever the umask."""

    def _open(self) -> TextIOWrapper:
        descriptor = open_private(Path(self.baseFilename), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return os.fdopen(descriptor, "a", encoding="utf-8")


def begin(paths: StorePaths, *, foreground: bool) -> None:
    """Send the log to the store's file, and to stderr as well in the foreground."""
    handlers: list[logging.Handler] = [_PrivateFile(paths.worker_log, maxBytes=_ROTATE_BYTES, backupCount=_KEPT)]
    if foreground:
        handlers.append(logging.StreamHandler(sys.stderr))
    formatter = logging.Formatter("%(asctime)s %(levelname)s [%(process)d] %(message)s", "%Y-%m-%dT%H:%M:%S%z")
    for handler in handlers:
        handler.setFormatter(formatter)
        _LOG.addHandler(handler)
    _LOG.setLevel(logging.INFO)
    _LOG.propagate = False


def started(worker_id: str, version: str, slots: int) -> None:
    _LOG.info("worker %s of aerjob %s begins with %d slots", worker_id, version, slots)


def left_to_another() -> None:
    _LOG.info("another worker already runs on this store; this one leaves")


def took_over(worker_id: str) -> None:
    _LOG.warning("worker %s has been silent for longer than its lease; this one takes over", worker_id)


def released(item: Released) -> None:
    _LOG.warning(
        "job %s attempt %d of lost worker %s: %s -> %s",
        item.job_id,
        item.attempt,
        item.lost_worker_id,
        item.source,
        item.target,
    )


def executors_ready(versions: dict[str, str]) -> None:
    _LOG.info("executors can start: Qiskit %s, Aer %s", versions["qiskit"], versions["aer"])


def began(holding: Holding) -> None:
    what = "validation" if holding.is_validation else f"attempt {holding.claim.attempt}"
    _LOG.info("job %s: %s begins in executor %d", holding.job.job_id, what, holding.executor.serial)


def ending(holding: Holding, outcome: Outcome) -> None:
    _LOG.info("job %s: its executor is ended: %s", holding.job.job_id, outcome)


def wrote(job_id: str, outcome: Outcome) -> None:
    _LOG.info("job %s: %s", job_id, type(outcome).__name__)


def write_refused(job_id: str, attempt: int, outcome: Outcome) -> None:
    _LOG.warning(
        "job %s attempt %d is no longer this worker's: its %s was refused and changes nothing",
        job_id,
        attempt,
        type(outcome).__name__,
    )


def claim_lost(holding: Holding) -> None:
    _LOG.warning("job %s attempt %d is no longer this worker's", holding.job.job_id, holding.claim.attempt)


def stray_message(serial: int, kind: str) -> None:
    _LOG.warning("executor %d sent %r out of turn and is ended", serial, kind)


def store_trouble(sentence: str) -> None:
    _LOG.error("the store does not take writes, trying again: %s", sentence)


def draining(jobs: int) -> None:
    _LOG.info("draining: %d jobs are still running", jobs)


def superseded() -> None:
    _LOG.warning("another worker has taken over this store; this one ends")


def ended(why: str) -> None:
    _LOG.info("worker ends: %s", why)


def failed() -> None:
    _LOG.exception("worker ends: a bug in aerjob")
