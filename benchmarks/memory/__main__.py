"""The command: `python -m benchmarks.memory` runs circuits and holds the memory that they take against the estimates.

Each circuit is run by a process of its own, which has the libraries and has run nothing, as an executor has: what it
takes is the most resident memory during the run, less what it had before.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.figures import machine
from benchmarks.memory.cases import CASES
from benchmarks.memory.measuring import Measured, measured

_HEADINGS = ("circuit", "method", "estimated", "measured", "off by")


def main(arguments: list[str]) -> int:
    """Measure the cases, and print a table."""
    if sys.platform != "linux":
        print("the memory is read from Linux's /proc; measure on Linux", file=sys.stderr)
        return 2
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was measured to this file")
    parser.add_argument("--only", nargs="+", metavar="TEXT", help="cases with one of these in their names")
    options = parser.parse_args(arguments)
    chosen = [case for case in CASES if not options.only or any(text in case.name for text in options.only)]
    print(_row(_HEADINGS))
    found = []
    for case in chosen:
        result = measured(case)
        found.append(result)
        print(_row(_cells(result)), flush=True)
    off = [abs(result.off_by) for result in found]
    print(f"\n{sum(share <= 0.2 for share in off)} of {len(off)} within 20 %, the worst is off by {max(off):.0%}")
    if options.json is not None:
        told = {"machine": machine.facts(), "cases": [vars(result) for result in found]}
        options.json.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return 0


def _cells(result: Measured) -> tuple[str, ...]:
    sizes = (f"{size / 2**20:.1f} MiB" for size in (result.estimated_bytes, result.measured_bytes))
    return result.name, result.method, *sizes, f"{result.off_by:+.0%}"


def _row(cells: tuple[str, ...]) -> str:
    return f"{cells[0]:<46} {cells[1]:<22} {cells[2]:>12} {cells[3]:>12} {cells[4]:>8}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
