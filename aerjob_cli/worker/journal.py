"""Every line of the worker's log, worded in one place, and where they go."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterable, Sequence
from itertools import groupby

from aerjob_cli.settings import StorePaths
from aerjob_cli.store.records import Claim
from aerjob_cli.store.releases import Released
from aerjob_cli.worker.holdings import Holding
from aerjob_cli.worker.log_file import LogFile, is_stderr, stderr_is_journal
from aerjob_cli.worker.outcomes import Outcome

_LOG = logging.getLogger("aerjob.worker")
_LOG.setLevel(logging.INFO)
_LOG.propagate = False
_KIND_CHARACTERS = 40  # of what an executor calls its message
# sd-daemon(3): the journal takes a line's priority from such a prefix, and has the time and the process itself.
_PRIORITIES = {logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3}


class _Line(logging.Formatter):
    """The form of a line in a file or on a terminal; times are UTC."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03dZ %(levelname)s [%(process)d] %(message)s", "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime


class _JournalLine(logging.Formatter):
    """The form of a line for systemd's journal."""

    def format(self, record: logging.LogRecord) -> str:
        prefix = f"<{_PRIORITIES.get(record.levelno, _PRIORITIES[logging.ERROR])}>"
        return "\n".join(f"{prefix}{line}" for line in super().format(record).splitlines())


def begin(paths: StorePaths, *, foreground: bool) -> None:
    """Send the log to the store's file, and in the foreground to stderr as well; where that is the journal, only there.

    A store that cannot take a log takes none; the worker goes on.
    """
    if stderr_is_journal(os.environ):
        _add(logging.StreamHandler(sys.stderr), _JournalLine())
        return
    _add(LogFile(paths.worker_log), _Line())
    if foreground and not is_stderr(paths.worker_log):
        _add(logging.StreamHandler(sys.stderr), _Line())


def hold() -> None:
    """Rotate the file from here on; only the worker that holds the store does."""
    for handler in _LOG.handlers:
        if isinstance(handler, LogFile):
            handler.may_rotate = True


def could_not_begin(sentence: str) -> None:
    """Say why there will be no worker, on stderr when that is not said in the log yet."""
    if not _LOG.handlers:
        _add(logging.StreamHandler(sys.stderr), _Line())
        _LOG.error("no worker begins: %s", sentence)


def _add(handler: logging.Handler, formatter: logging.Formatter) -> None:
    handler.setFormatter(formatter)
    _LOG.addHandler(handler)


def waits_for(worker_id: str, version: str) -> None:
    _LOG.info("worker %s of the later aerjob %s works on this store; this one waits for its end", worker_id, version)


def asks_for_room(worker_id: str) -> None:
    _LOG.info("worker %s works on this store; it is asked to stop, and this one waits for its end", worker_id)


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


def began(holdings: Sequence[Holding]) -> None:
    """Say what one executor was sent in one go."""
    first = holdings[0]
    what = "validation" if first.is_validation else f"attempt {first.claim.attempt}"
    ids = ", ".join(holding.job.job_id for holding in holdings)
    _LOG.info("%s %s: %s begins in executor %d", _jobs(len(holdings)), ids, what, first.executor.serial)


def ending(holding: Holding, outcome: Outcome) -> None:
    _LOG.info("job %s: its executor is ended: %s", holding.job.job_id, outcome)


def wrote(outcomes: Iterable[tuple[str, Outcome]]) -> None:
    """Say what was committed in one go: ids of jobs, and what came of them."""
    for kind, group in groupby(outcomes, key=lambda item: type(item[1]).__name__):
        ids = [job_id for job_id, _ in group]
        _LOG.info("%s %s: %s", _jobs(len(ids)), ", ".join(ids), kind)


def _jobs(count: int) -> str:
    return "job" if count == 1 else "jobs"


def write_refused(job_id: str, attempt: int, outcome: Outcome) -> None:
    _LOG.warning(
        "job %s attempt %d is no longer this worker's: its %s was refused and changes nothing",
        job_id,
        attempt,
        type(outcome).__name__,
    )


def claim_lost(claim: Claim) -> None:
    _LOG.warning("job %s attempt %d is no longer this worker's", claim.job_id, claim.attempt)


def stray_message(serial: int, kind: str) -> None:
    _LOG.warning("executor %d sent %r out of turn and is ended", serial, kind[:_KIND_CHARACTERS])


def command_began(job_id: str, pid: int) -> None:
    _LOG.info("job %s: its --on-end command begins in process %d", job_id, pid)


def command_said(job_id: str, line: str) -> None:
    _LOG.info("job %s: on-end: %s", job_id, line)


def command_said_more(job_id: str, size_bytes: int) -> None:
    _LOG.info("job %s: on-end: (%d more bytes are left out)", job_id, size_bytes)


def command_finished(job_id: str, outcome: str) -> None:
    level = logging.INFO if outcome == "exited with code 0" else logging.WARNING
    _LOG.log(level, "job %s: its --on-end command %s", job_id, outcome)


def store_trouble(sentence: str) -> None:
    _LOG.error("the store does not take writes, trying again: %s", sentence)


def store_unread(sentence: str) -> None:
    _LOG.error("the store cannot be read, trying again: %s", sentence)


def draining(jobs: int) -> None:
    _LOG.info("draining: %d jobs are still running", jobs)


def superseded() -> None:
    _LOG.warning("another worker has taken over this store; this one ends")


def ended(why: str) -> None:
    _LOG.info("worker ends: %s", why)


def failed() -> None:
    _LOG.exception("worker ends: a bug in aerjob")
