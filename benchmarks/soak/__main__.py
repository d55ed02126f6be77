"""The command: `python -m benchmarks.soak --home DIR --seed N --kills 10000`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

# Before NumPy is loaded: with a second thread this process could not be forked from.
os.environ.update({"OPENBLAS_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1", "QISKIT_PARALLEL": "FALSE"})

from benchmarks.soak.disk import SmallDisk
from benchmarks.soak.ledger import Ledger
from benchmarks.soak.mix import Mix, UnknownMix
from benchmarks.soak.report import report_of, table_of
from benchmarks.soak.run import Orders, Soak

SOUND, NOT_SOUND, USAGE = 0, 1, 2


def main(arguments: list[str]) -> int:
    """Run, or go on with, a soak; return whether it found the store sound."""
    if sys.platform != "linux":
        print("the soak tells processes apart by Linux's pidfd and /proc; run it on Linux", file=sys.stderr)
        return USAGE
    options = _parser().parse_args(arguments)
    folder = options.home.absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    ledger = Ledger.of(folder)
    try:
        mix = (ledger.mix or Mix()).changed(options.mix)
    except UnknownMix as error:
        print(error, file=sys.stderr)
        return USAGE
    seed = options.seed if ledger.seed is None else ledger.seed
    if seed != options.seed:
        print(f"{folder} holds a soak of seed {seed}; take that one, or another folder", file=sys.stderr)
        return USAGE
    disk = SmallDisk(folder / "disk")
    is_mounted = (ledger.disk or not ledger.begun) and os.path.ismount(disk.folder)
    if ledger.disk and not is_mounted:
        print(f"the file system of this soak, at {disk.folder}, is gone; begin in another folder", file=sys.stderr)
        return USAGE
    if not ledger.begun and not options.no_full_disk:
        is_mounted = disk.mount(mix.disk_mib + mix.disk_mib_per_1000_kills * options.kills // 1000)
        if not is_mounted:
            print("no file system can be mounted here: the disk will not be full in this soak", flush=True)
    orders = Orders(folder, seed, options.kills, options.minutes, options.audit_every, mix)
    return _go(Soak(orders, ledger, disk if is_mounted else None), orders, ledger, disk if is_mounted else None)


def _go(soak: Soak, orders: Orders, ledger: Ledger, disk: SmallDisk | None) -> int:
    while True:
        goal = min(orders.kills, (ledger.kills_total // orders.audit_every + 1) * orders.audit_every)
        soak.disturb(goal)
        is_last = ledger.kills_total >= orders.kills or soak.is_late
        settled = soak.settle()
        left = soak.leave() if is_last else None
        report = report_of(ledger, soak.audit(), settled=settled, left=left)
        (orders.folder / "report.json").write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        print(table_of(report), flush=True)
        if not report["is_sound"]:
            return NOT_SOUND
        if is_last:
            if disk is not None:
                disk.unmount()
            return SOUND


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument(
        "--home", type=Path, required=True, help="the folder of this soak; a second start goes on in it"
    )
    parser.add_argument("--seed", type=int, default=1, help="what jobs and faults are drawn by (default 1)")
    parser.add_argument("--kills", type=int, default=10_000, help="how many SIGKILLs in all (default 10000)")
    parser.add_argument("--minutes", type=float, help="end after this time, however many kills there were")
    parser.add_argument("--audit-every", type=int, default=2500, help="kills from one audit to the next (default 2500)")
    parser.add_argument("--mix", action="append", default=[], metavar="NAME=VALUE", help="another number of the mix")
    parser.add_argument("--no-full-disk", action="store_true", help="mount nothing, and leave the full disk out")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
