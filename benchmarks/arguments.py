"""What the commands of the benchmarks take."""

from __future__ import annotations

import argparse


def counting_number(text: str) -> int:
    """Read a number of 1 or more, for ``argparse``."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number from 1 on")
    return number
