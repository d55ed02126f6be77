"""From `--bind`, `--sweep`, `--zip` and `--sweep-file` to the values of a job's parameters.

Written without Qiskit and NumPy: whether the circuits have such parameters is found out where they are parsed.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from itertools import product

from aerjob_cli.api.requests import CircuitBytes
from aerjob_cli.cli.inputs import read_text
from aerjob_cli.codec import sweeps
from aerjob_cli.codec.envelope import SWEEP
from aerjob_cli.codec.sweeps import Sweep, Table
from aerjob_cli.errors import InputRefused, UsageError, brief
from aerjob_cli.frozen import dataclass
from aerjob_cli.settings import CIRCUITS_LIMIT

_NAME = "parameters"
_DIGITS = 12  # of a number of points that is told again; Python does not read thousands of them
_BIND, _SWEEP = "theta=0.3", "theta=0:3.14:100"
# A number, or a multiple or a fraction of π as people write it.
_PI = re.compile(r"([+-]?)(?:([0-9.]+)\*?)?(?:pi|π)(?:/([0-9.]+))?", re.ASCII)


@dataclass(frozen=True)
class _Column:
    """A parameter and its values."""

    name: str
    values: tuple[float, ...]


def sweep_payloads(
    *, bind: Sequence[str], sweep: Sequence[str], is_zipped: bool, file: str | None
) -> tuple[CircuitBytes, ...]:
    """Give the values of parameters as a payload, or nothing where none are given.

    Raises ``UsageError`` for what is not written as it must be, and ``InputRefused`` for a file or a number that
    cannot be.
    """
    if is_zipped and len(sweep) < 2:
        raise UsageError("--zip goes through several --sweep together; give two or more, or leave it out")
    if file is not None and sweep:
        raise UsageError("--sweep-file and --sweep both say where the points are; give one of them")
    columns = [_swept(text) for text in sweep]
    constants = [_bound(text) for text in bind]
    names, points = _from_file(file) if file is not None else _points(columns, is_zipped=is_zipped)
    names = (*names, *(constant.name for constant in constants))
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"the parameter {brief(name)} is given twice; decide on one")
    if not names:
        return ()
    if len(points) > CIRCUITS_LIMIT:
        raise InputRefused(f"the sweep has {len(points)} points; a job may have {CIRCUITS_LIMIT}, so submit several")
    fixed = tuple(value for constant in constants for value in constant.values)
    table = Table(names, tuple((*point, *fixed) for point in points))
    return (CircuitBytes(_NAME, SWEEP, sweeps.encode(Sweep((table,)))),)


def _points(columns: Sequence[_Column], *, is_zipped: bool) -> tuple[tuple[str, ...], Sequence[tuple[float, ...]]]:
    names = tuple(column.name for column in columns)
    if not is_zipped:
        size = math.prod(len(column.values) for column in columns)
        if size > CIRCUITS_LIMIT:  # before it is made
            raise InputRefused(f"the grid has {size} points; a job may have {CIRCUITS_LIMIT}, so take fewer of each")
        return names, list(product(*(column.values for column in columns)))
    if len({len(column.values) for column in columns}) > 1:
        lengths = ", ".join(f"{column.name} {len(column.values)}" for column in columns)
        raise UsageError(f"with --zip all have as many values, and there are {lengths}; make them equal")
    return names, list(zip(*(column.values for column in columns), strict=True))


def _bound(text: str) -> _Column:
    name, word = _assignment(text, "--bind", _BIND)
    return _Column(name, (_number(word, f"--bind {brief(text)}"),))


def _swept(text: str) -> _Column:
    """Read ``name=start:stop:count``, both ends included, or ``name=a,b,c``."""
    name, words = _assignment(text, "--sweep", _SWEEP)
    if ":" not in words:
        return _Column(name, tuple(_number(word, f"--sweep {brief(text)}") for word in words.split(",")))
    parts = words.split(":")
    points = parts[2].lstrip("0") if len(parts) == 3 and parts[2].isascii() and parts[2].isdigit() else ""
    if len(points) > _DIGITS:
        raise InputRefused(f"--sweep {brief(text)} has too many points; a job may have {CIRCUITS_LIMIT}")
    count = int(points or 0)
    if count > CIRCUITS_LIMIT:
        raise InputRefused(f"--sweep {brief(text)} has {count} points; a job may have {CIRCUITS_LIMIT}, so take fewer")
    if count < 1:
        raise UsageError(f"--sweep {brief(text)} is not START:STOP:COUNT; write for example {_SWEEP}")
    start, stop = (_number(word, f"--sweep {brief(text)}") for word in parts[:2])
    if count == 1:
        return _Column(name, (start,))
    step = (stop - start) / (count - 1)
    if not math.isfinite(step):
        raise InputRefused(f"--sweep {brief(text)} is wider than a number can be; take a narrower range")
    return _Column(name, (*(start + step * index for index in range(count - 1)), stop))


def _assignment(text: str, flag: str, example: str) -> tuple[str, str]:
    # A name may have a sign of equality in it, a value has none.
    name, separator, words = text.rpartition("=")
    if not separator or not name.strip() or not words.strip():
        raise UsageError(f"{flag} {brief(text)} sets no parameter; write for example {example}")
    return name.strip(), words.strip()


def _number(word: str, place: str) -> float:
    """Read a number; ``place`` says in messages where it stands."""
    word = word.strip()
    multiple = _PI.fullmatch(word)
    try:
        if multiple is not None:
            sign, factor, divisor = multiple.groups()
            value = math.pi * float(factor or 1.0) / float(divisor or 1.0) * (-1.0 if sign == "-" else 1.0)
        elif "_" in word:  # which Python takes between digits, and nobody else
            raise ValueError
        else:
            value = float(word)
    except (ValueError, ZeroDivisionError):
        raise UsageError(f"{place} has {brief(word)}, which is no number; write 0.3 or pi/4") from None
    if not math.isfinite(value):
        raise InputRefused(f"{place} has {brief(word)}, which is not finite; give a number")
    return value


def _from_file(file: str) -> tuple[tuple[str, ...], list[tuple[float, ...]]]:
    """Read a CSV file whose first line names the parameters and whose others are the points."""
    name, text = read_text(file, kind="CSV")
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        raise InputRefused(f"{name} is not CSV ({error}); write a line of names, and numbers below them") from None
    if len(rows) < 2:
        raise InputRefused(f"{name} has no points; its first line names the parameters, each other one is a point")
    names = tuple(word.strip() for word in rows[0])
    points = []
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(names):
            raise InputRefused(f"row {number} of {name} has {len(row)} values for {len(names)} parameters; correct it")
        try:
            points.append(tuple(_number(word, f"row {number} of {name}") for word in row))
        except UsageError as error:
            raise InputRefused(error.message) from None
    if "" in names:
        raise InputRefused(f"{name} has a column without a name; its first line names the parameters")
    return names, points
