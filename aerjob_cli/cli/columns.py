"""What a list of jobs can show of each, in plain text, and by what it can be sorted."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from aerjob_cli.api.waits import why_waiting
from aerjob_cli.cli.answers.base import show_time
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.cli.durations import show_duration
from aerjob_cli.clock import to_datetime
from aerjob_cli.errors import UsageError
from aerjob_cli.store.listing import SortKey
from aerjob_cli.store.records import JobRecord

DEFAULT_COLUMNS = ("id", "status", "experiments", "backend", "submitted", "name")


def progress(job: JobRecord) -> str:
    """Give ``3/10``, or ``0/?`` while nobody knows how many experiments there are."""
    return f"{job.experiments_done}/{'?' if job.experiments_total is None else job.experiments_total}"


def duration_s(job: JobRecord) -> float | None:
    """Give the seconds from the first attempt to the end; None while there is no end, or for want of an attempt."""
    if job.started_us is None or job.finished_us is None:
        return None
    return (job.finished_us - job.started_us) / 1_000_000


def _duration(job: JobRecord) -> str | None:
    seconds = duration_s(job)
    return None if seconds is None else show_duration(round(seconds, 3))


def _time(time_us: int | None) -> str | None:
    return None if time_us is None else show_time(to_datetime(time_us))


_VALUES: dict[str, Callable[[JobRecord], object]] = {
    "id": lambda job: job.job_id,
    "status": lambda job: job.status,
    "reason": lambda job: job.reason,
    "message": lambda job: job.message,
    "name": lambda job: job.name,
    "tags": lambda job: ",".join(job.tags),
    "group": lambda job: job.group_name,
    "backend": lambda job: job.backend,
    "method": lambda job: job.method,
    "shots": lambda job: job.shots,
    "seed": lambda job: job.seed,
    "priority": lambda job: job.priority,
    "experiments": progress,
    "attempt": lambda job: job.attempt,
    "submitted": lambda job: _time(job.submitted_us),
    "started": lambda job: _time(job.started_us),
    "finished": lambda job: _time(job.finished_us),
    "duration": _duration,
    "engine": lambda job: job.engine,
    "retry_of": lambda job: job.retry_of,
    "waiting": why_waiting,
}
COLUMNS = tuple(_VALUES)


def value_of(job: JobRecord, column: str) -> str:
    """Give what a column shows of a job, clean; nothing where the job has none."""
    value = _VALUES[column](job)
    return "" if value is None else clean(str(value))


def parse_columns(text: str) -> tuple[str, ...]:
    """Give the columns that ``id,status,name`` names; raises ``UsageError`` for one that there is not."""
    columns = tuple(word.strip().lower() for word in text.split(","))
    for column in columns:
        if column not in _VALUES:
            raise UsageError(f"{column!r} is no column of a list; {_offer(column, _VALUES)}")
    return columns


def parse_sort(text: str) -> tuple[SortKey, bool]:
    """Give the key that ``started`` or ``-started`` names, and whether it descends; raises ``UsageError``."""
    word = text.strip().lower()
    descends, key = word.startswith("-"), word.removeprefix("-")
    if key not in list(SortKey):
        raise UsageError(f"jobs are not sorted by {key!r}; {_offer(key, SortKey)}")
    return SortKey(key), descends


def _offer(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    words = [str(item) for item in known]
    near = get_close_matches(word, words)
    return f"did you mean {' or '.join(near)}?" if near else f"there is {', '.join(words)}"
