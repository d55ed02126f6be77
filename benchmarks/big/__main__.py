"""The command: `python -m benchmarks.big` compares big circuits with Aer alone, and large results with the disk.

All figures are of one run on this machine, which should have nothing else to do. Linux only.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.big import meeting, pairs, results
from benchmarks.big.processes import aerjob


def main(arguments: list[str]) -> int:
    """Print the tables; return 1 where a durable job's counts were not those of Aer alone."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.big", description=__doc__)
    parser.add_argument(
        "--qubits", type=int, nargs="*", default=[20, 22, 24], help="of the circuits (default 20 22 24)"
    )
    parser.add_argument("--pairs", type=int, default=5, help="of each (default 5)")
    parser.add_argument("--state-qubits", type=int, default=25, help="of the state that is stored; 0 leaves it out")
    parser.add_argument("--beside-qubits", type=int, default=22, help="of the job beside small ones; 0 leaves it out")
    options = parser.parse_args(arguments)
    # Not in the usual place, which may be memory and no disk.
    with tempfile.TemporaryDirectory(prefix="aerjob-big-", dir=Path.cwd()) as folder:
        home = Path(folder) / "home"
        try:
            pairs.warmed(home)
            _print_all(home, options)
        except pairs.OtherCounts as error:
            print(error, file=sys.stderr)
            return 1
        finally:
            aerjob(home, "worker", "stop")
    return 0


def _print_all(home: Path, options: argparse.Namespace) -> None:
    if options.qubits:
        print(f"{'qubits':>6} {'pairs':>5} {'Aer, s':>9}   durable / Aer: wall          durable / Aer: CPU", flush=True)
    for qubits in options.qubits:
        print(pairs.line_of(qubits, pairs.measured(home, qubits, options.pairs)), flush=True)
    if options.beside_qubits:
        print("", *meeting.table(home, options.beside_qubits, options.pairs), sep="\n", flush=True)
    if options.state_qubits:
        print("", *results.table(home, options.state_qubits), sep="\n", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
