"""What a soak says of itself: a line now and then, a table and a JSON file at its end."""

from __future__ import annotations

from collections import Counter
from typing import Any

from benchmarks.soak.ledger import Ledger
from benchmarks.soak.observer import Sight

_FAULTS_SHOWN = 5


def progress_line(ledger: Ledger, sight: Sight | None, gave_up: Counter[str]) -> str:
    """Give one line on how far it is."""
    kills = ", ".join(f"{kind} {count}" for kind, count in ledger.kills.most_common())
    jobs = ", ".join(f"{status} {count}" for status, count in sorted(sight.jobs.items())) if sight else "none yet"
    rate = ledger.kills_total / ledger.worked_s if ledger.worked_s else 0.0
    parts = [
        f"{ledger.worked_s:7.0f} s",
        f"{ledger.kills_total} kills ({rate:.1f}/s: {kills})",
        f"{sum(ledger.stops.values())} stops, {ledger.full_disks} full disks",
        f"{len(ledger.acknowledged)} acknowledged",
        f"jobs: {jobs}",
        f"refused: {dict(ledger.refusals)}" if ledger.refusals else "",
        f"gave up: {dict(gave_up)}" if gave_up else "",
        f"BUGS: {len(ledger.bugs)}" if ledger.bugs else "",
    ]
    return " | ".join(part for part in parts if part)


def report_of(ledger: Ledger, findings: dict[str, Any], *, settled: bool, left: list[str] | None) -> dict[str, Any]:
    """Put together what is written as JSON. ``left`` are processes that stayed; None where none was asked to go."""
    faults = dict(findings["faults"])
    faults["not settled"] = [] if settled else ["not all was done in time after the last fault"]
    if left is not None:
        faults["left processes"] = left
    return {
        "seed": ledger.seed,
        "mix": None if ledger.mix is None else ledger.mix.as_json(),
        "starts": ledger.begun,
        "worked_s": round(ledger.worked_s, 1),
        "sigkills": {"total": ledger.kills_total, **dict(ledger.kills.most_common())},
        "stops": dict(ledger.stops),
        "full_disks": ledger.full_disks if ledger.disk else "left out: no file system could be mounted here",
        **{name: value for name, value in findings.items() if name != "faults"},
        "faults": faults,
        "is_sound": not any(faults.values()),
    }


def table_of(report: dict[str, Any]) -> str:
    """Give the report as people read it."""
    rows: list[tuple[str, object]] = [("seed", report["seed"]), ("seconds", report["worked_s"])]
    rows += [(f"SIGKILL {kind}", count) for kind, count in report["sigkills"].items()]
    rows += [(f"SIGSTOP {kind}", count) for kind, count in report["stops"].items()]
    rows += [("full disk", report["full_disks"])]
    names = ("intended", "acknowledged", "committed without acknowledgement", "jobs", "results compared")
    rows += [(name, report[name]) for name in (*names, "seen by clients")]
    rows += [(f"refused {code}", count) for code, count in report["refused"].items()]
    rows += [(ending, count) for ending, count in report["endings"].items()]
    rows += [(f"! {name}", len(found)) for name, found in report["faults"].items()]
    width = max(len(name) for name, _ in rows)
    lines = [f"{name:<{width}}  {value:>8}" for name, value in rows]
    for name, found in report["faults"].items():
        lines += [f"{name}: {sentence}" for sentence in found[:_FAULTS_SHOWN]]
    return "\n".join([*lines, "sound" if report["is_sound"] else "NOT SOUND"])
