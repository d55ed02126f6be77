"""The program `aerjob`, also as ``python -m aerjob_cli``."""

from __future__ import annotations

import sys


def main() -> None:
    """Do what the command line says and end this process with its exit code."""
    from aerjob_cli.cli.boundary import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
