"""Where a job's results come from, and how each of its experiments was run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aerjob_cli.api.provenance import Provenance
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.cli.durations import show_duration
from aerjob_cli.cli.live.figures import size_text
from aerjob_cli.store.records import RanExperiment

# What people call the programs whose versions are kept; any other is called as it is kept.
_CALLED = {"aerjob": "aerjob", "python": "Python", "qiskit": "Qiskit", "qiskit_aer": "Aer", "numpy": "NumPy"}
_MACHINE = ("cpu", "cpus", "system")
_DIGITS = 6  # of seconds: simulators tell no more


def provenance_json(provenance: Provenance) -> dict[str, Any]:
    """Give its public keys; how each experiment was run has a key of its own beside it."""
    return {
        "options_sha256": provenance.options_sha256,
        "methods": list(provenance.methods),
        "time_taken_s": provenance.time_taken_s,
        "peak_rss_bytes": provenance.peak_rss_bytes,
        "attempts": [
            {"attempt": attempt.attempt, "runtime": None if attempt.runtime is None else dict(attempt.runtime)}
            for attempt in provenance.attempts
        ],
    }


def experiment_json(experiment: RanExperiment) -> dict[str, Any]:
    """Give the public keys of how one experiment was run."""
    run = experiment.run
    return {
        "index": experiment.position,
        "name": experiment.name,
        "attempt": experiment.attempt,
        "shots": experiment.shots,
        "seed": run.seed,
        "method": run.method,
        "threads": run.threads,
        "time_taken_s": run.time_taken_s,
        "peak_rss_bytes": run.peak_rss_bytes,
        "size_bytes": experiment.size_bytes,
        "sha256": experiment.sha256,
    }


def provenance_facts(provenance: Provenance) -> Iterator[tuple[str, object]]:
    """Give what there is to say in a few words, labelled; None where there is nothing."""
    yield "methods used", ", ".join(provenance.methods) or None
    yield "simulated", None if provenance.time_taken_s is None else _seconds(provenance.time_taken_s)
    yield "peak memory", None if provenance.peak_rss_bytes is None else size_text(provenance.peak_rss_bytes)
    yield "options hash", provenance.options_sha256
    told: list[tuple[list[int], Mapping[str, str]]] = []
    for attempt in provenance.attempts:
        if attempt.runtime is not None and told and told[-1][1] == attempt.runtime:
            told[-1][0].append(attempt.attempt)
        elif attempt.runtime is not None:
            told.append(([attempt.attempt], attempt.runtime))
    for numbers, runtime in told:
        which = f"attempt {numbers[0]}" if len(numbers) == 1 else f"attempts {numbers[0]} to {numbers[-1]}"
        yield "ran with", f"{runtime_text(runtime)} ({which})"


def runtime_text(runtime: Mapping[str, str]) -> str:
    """Say what a job ran with: versions first, then the machine."""
    versions = {name: fact for name, fact in runtime.items() if name not in _MACHINE}
    cpus = f"{runtime['cpus']} × " if runtime.get("cpus", "1") != "1" else ""
    machine = [f"{cpus}{runtime['cpu']}"] if "cpu" in runtime else []
    return ", ".join([version_text(versions), *machine, *([runtime["system"]] if "system" in runtime else [])])


def version_text(versions: Mapping[str, str]) -> str:
    """Name programs by their versions, those that people know first."""
    names = [*(name for name in _CALLED if name in versions), *sorted(versions.keys() - _CALLED.keys())]
    return ", ".join(f"{_CALLED.get(name, name)} {versions[name]}" for name in names)


def experiment_row(experiment: RanExperiment) -> tuple[str, ...]:
    """Give how one experiment was run in columns, clean: index, name, attempt, seed, method, threads, time, memory."""
    run = experiment.run
    return (
        str(experiment.position),
        clean(experiment.name),
        str(experiment.attempt),
        _or_dash(run.seed),
        clean(_or_dash(run.method)),
        _or_dash(run.threads),
        "-" if run.time_taken_s is None else _seconds(run.time_taken_s),
        "-" if run.peak_rss_bytes is None else size_text(run.peak_rss_bytes),
    )


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)


def _seconds(duration_s: float) -> str:
    return show_duration(round(duration_s, _DIGITS))
