"""How soon a big running job is gone after `cancel()`: its executor, and its state in the store."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from aerjob_cli.processes import is_running, started_of
from benchmarks.circuits import big_circuit
from benchmarks.figures.figure import Bench, Figure, Line, Sample, Setting
from benchmarks.meters import Family, rss_mb
from benchmarks.site import Site, site_in, until

_BYTES_PER_AMPLITUDE = 16


@contextmanager
def _set_up(setting: Setting) -> Iterator[Bench]:
    with site_in(setting.folder / "home") as site:
        site.start_worker()
        yield Bench(lambda number: _cancelled(site, setting.cancel_qubits, number))


def _cancelled(site: Site, qubits: int, seed: int) -> Sample:
    job = site.provider.get_backend("qasm_simulator").run(big_circuit(qubits, seed))
    state_mb = 2**qubits * _BYTES_PER_AMPLITUDE / 1e6
    executor = until(lambda: _executor_above(site, state_mb))
    started = started_of(executor) or ""
    gone_s: list[float] = []

    def watch() -> None:
        until(lambda: None if is_running(executor, started) else True)
        gone_s.append(time.perf_counter())

    watching = threading.Thread(target=watch)
    watching.start()
    began_s = time.perf_counter()
    if not job.cancel():
        raise RuntimeError("the job ended before it was cancelled; take more qubits")
    final_s = time.perf_counter() - began_s
    watching.join()
    return {"executor gone": gone_s[0] - began_s, "state final": final_s, "size": state_mb}


def _executor_above(site: Site, size_mb: float) -> int | None:
    """Give the executor that has all of its state in memory by now."""
    for pid in Family.of(site.worker()).executors:
        if started_of(pid) is not None and rss_mb(pid) > size_mb:
            return pid
    return None


CANCELLING = Figure(
    "cancelling",
    "cancel() of a running job whose state fills the memory asked for",
    (
        Line("until the executor is gone", lambda s: s["executor gone"], unit="s", at_most=0.2, source="bound"),
        Line("until the state is final", lambda s: s["state final"], unit="s", at_most=0.5, source="bound"),
        Line("size of the state", lambda s: s["size"], unit="MB"),
    ),
    _set_up,
)
