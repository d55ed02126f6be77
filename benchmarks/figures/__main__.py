"""The command: `python -m benchmarks.figures` measures every figure, and says which bounds are met.

Of each figure all contenders are measured in every round, in an order that changes from round to round. The exit code
is 0 whatever the figures are, since a machine that does other things at the same time misses bounds that aerjob meets,
and 1 when one could not be measured.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import traceback
from dataclasses import replace
from pathlib import Path

from benchmarks.arguments import counting_number
from benchmarks.figures import machine
from benchmarks.figures.figure import Figure, Setting
from benchmarks.figures.registry import FIGURES
from benchmarks.figures.report import Measured, load_row, machine_row, rows_of
from benchmarks.site import end_on_sigterm


def main(arguments: list[str]) -> int:
    """Measure what was asked for, one figure after the other."""
    if sys.platform != "linux":
        print("the figures are read from Linux's /proc; measure on Linux", file=sys.stderr)
        return 2
    options = _parser().parse_args(arguments)
    end_on_sigterm()
    machine.compile_all()
    facts, load = machine.facts(), [machine.load()]
    found, failed = [], False
    for name in options.only or FIGURES:
        try:
            with tempfile.TemporaryDirectory(prefix=f"aerjob-{name}-") as folder:
                measured = measure(FIGURES[name], _setting(options, Path(folder)))
        except Exception:  # noqa: BLE001 - the other figures take long, and are not to be lost
            print(f"{name} could not be measured:\n{traceback.format_exc()}", file=sys.stderr)
            failed = True
            continue
        print("\n".join(rows_of(measured)), end="\n\n", flush=True)
        load.append(measured.load[-1])
        found.append(measured)
    print(machine_row(facts, load))
    if (busy := load_row(facts, load)) is not None:
        print(busy, file=sys.stderr)
    if options.json is not None:
        told = {"machine": facts, "load": load, "figures": {item.figure.name: item.as_json() for item in found}}
        options.json.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return 1 if failed else 0


def measure(figure: Figure, setting: Setting) -> Measured:
    """Set a figure up and measure its rounds."""
    with figure.set_up(setting) as bench:
        samples, load = [], []
        for number in range(setting.rounds):
            samples.append(bench.measure(number))
            load.append(machine.load())
    return Measured(figure, samples, bench.left_out, tuple(load))


def _setting(options: argparse.Namespace, folder: Path) -> Setting:
    asked = {
        name: getattr(options, name)
        for name in ("rounds", "jobs", "qubits", "result_qubits", "cancel_qubits", "store_jobs")
    }
    return replace(Setting(folder), **asked)


def _parser() -> argparse.ArgumentParser:
    usual = Setting(Path())
    parser = argparse.ArgumentParser(prog="python -m benchmarks.figures", description=__doc__)
    number = counting_number
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was measured to this file")
    parser.add_argument("--rounds", type=number, default=usual.rounds, help="of each figure (default %(default)s)")
    parser.add_argument("--only", nargs="+", choices=FIGURES, metavar="NAME", help=f"some of: {', '.join(FIGURES)}")
    parser.add_argument("--jobs", type=number, default=usual.jobs, help="of the throughput (default %(default)s)")
    parser.add_argument("--qubits", type=number, default=usual.qubits, help="of the big circuit (default %(default)s)")
    parser.add_argument(
        "--result-qubits",
        type=number,
        default=usual.result_qubits,
        help="of the state that is a result (default %(default)s, which is 512 MiB)",
    )
    parser.add_argument(
        "--cancel-qubits",
        type=number,
        default=usual.cancel_qubits,
        help="of the circuit that is cancelled (default %(default)s, which takes 1 GiB; 28 takes 4)",
    )
    parser.add_argument(
        "--store-jobs", type=number, default=usual.store_jobs, help="of the large store (default %(default)s)"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
