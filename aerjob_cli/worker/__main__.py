"""The program that clients start: ``python -m aerjob_cli.worker --home FOLDER``."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from aerjob_cli.errors import AerjobError
from aerjob_cli.settings import StorePaths, WorkerSettings
from aerjob_cli.worker import journal
from aerjob_cli.worker.daemon import run


def main(arguments: list[str]) -> int:
    """Run the worker of one store; give its exit code."""
    defaults = WorkerSettings()
    parser = argparse.ArgumentParser(prog="aerjob worker", description="Run the worker of one store.")
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--starter-lock", type=int)
    parser.add_argument("--foreground", action="store_true")
    parser.add_argument("--take-over", action="store_true")
    parser.add_argument("--slots", type=int, default=defaults.slots)
    parser.add_argument("--idle-exit", type=float, default=defaults.idle_exit_s, metavar="SECONDS")
    parser.add_argument("--lease", type=float, default=defaults.lease_s, metavar="SECONDS")
    parser.add_argument("--drain-grace", type=float, default=defaults.drain_grace_s, metavar="SECONDS")
    parser.add_argument("--validation-limit", type=float, default=defaults.validation_limit_s, metavar="SECONDS")
    parser.add_argument("--max-memory", type=int, default=defaults.max_memory_mb, metavar="MIB")
    parser.add_argument("--patience", type=float, default=defaults.patience_s, metavar="SECONDS")
    parser.add_argument("--on-end-limit", type=float, default=defaults.on_end_limit_s, metavar="SECONDS")
    options = parser.parse_args(arguments)
    settings = replace(
        defaults,
        slots=options.slots,
        idle_exit_s=options.idle_exit,
        lease_s=options.lease,
        drain_grace_s=options.drain_grace,
        validation_limit_s=options.validation_limit,
        max_memory_mb=options.max_memory,
        patience_s=options.patience,
        on_end_limit_s=options.on_end_limit,
        foreground=options.foreground,
        takes_over=options.take_over,
    )
    try:
        return run(StorePaths(options.home), settings, starter_lock=options.starter_lock)
    except AerjobError as error:
        journal.could_not_begin(str(error))
        return error.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
