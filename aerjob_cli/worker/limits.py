"""Limits of running jobs: time, memory, and what a death by signal means."""

from __future__ import annotations

import signal

from aerjob_cli.memory import MIB, oom_kills
from aerjob_cli.processes import rss_bytes, signal_name
from aerjob_cli.states import Reason
from aerjob_cli.worker.holdings import Holding
from aerjob_cli.worker.outcomes import Crashed, Failed, Outcome, ValidationReturned

# Aer checks the state alone against the limit; sampling and results come on top of it.
_MEMORY_SLACK_BYTES = 64 * MIB


def time_is_over(holding: Holding, now_s: float) -> Outcome | None:
    """Give the end of a job whose time is over, None while it is not."""
    deadline_s = holding.deadline_s
    if deadline_s is None or holding.limit_s is None or now_s < deadline_s:
        return None
    if holding.is_validation:
        message = f"validation took longer than {holding.limit_s:g} s; make the circuits smaller or fewer"
        return Failed(Reason.INVALID_CIRCUIT, message)
    return Failed(Reason.TIMED_OUT, f"it ran longer than its time limit of {holding.limit_s:g} s")


def memory_is_exceeded(holding: Holding) -> Outcome | None:
    """Give the end of a job whose executor has grown above the job's limit, None while it has not."""
    # The libraries are not the job's memory: what the executor had before it began does not count.
    if holding.base_rss_bytes is None or holding.executor.pid is None:
        return None
    rss = rss_bytes(holding.executor.pid)
    if rss is None:
        return None
    grown = rss - holding.base_rss_bytes
    if grown <= holding.memory_limit_bytes + _MEMORY_SLACK_BYTES:
        return None
    message = (
        f"it needed more than its {holding.memory_limit_bytes // MIB} MiB of memory ({grown // MIB} MiB when ended)"
    )
    return Failed(Reason.INVALID_CIRCUIT if holding.is_validation else Reason.OUT_OF_MEMORY, message)


def cause_of_death(holding: Holding, code: int | None, fault: str | None, stderr_tail: str) -> Outcome:
    """Say what it means that an executor ended which nobody had asked to end."""
    if code == -signal.SIGKILL and fault is None and oom_kills() > holding.oom_kills_before:
        message = "the system killed its executor for want of memory"
        return Failed(Reason.OUT_OF_MEMORY, message, stderr_tail)
    how = _how_it_ended(code, fault)
    if holding.is_validation:
        return ValidationReturned(f"the parser of these circuits failed: {how}")
    return Crashed(Reason.EXECUTOR_CRASHED, f"the executor failed: {how}", stderr_tail)


def _how_it_ended(code: int | None, fault: str | None) -> str:
    if fault is not None:
        return fault
    if code is None:
        return "it ended together with its parent"
    if code < 0:
        return f"it died of {signal_name(-code)}"
    return f"it ended with code {code}"
