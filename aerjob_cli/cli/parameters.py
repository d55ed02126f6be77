"""The options and arguments that several commands share."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from aerjob_cli.cli.durations import parse_duration
from aerjob_cli.cli.sizes import parse_size_mb
from aerjob_cli.cli.times import parse_begin
from aerjob_cli.codec.envelope import OPENQASM2, OPENQASM3, QPY
from aerjob_cli.errors import UsageError, brief


class FormatName(StrEnum):
    """The formats of circuits by the names that people may give."""

    OPENQASM2 = OPENQASM2
    OPENQASM3 = OPENQASM3
    QPY = QPY


def text(value: str) -> str:
    """Take a text that can be stored: the bytes of an argument need not be any."""
    if "\0" in value or (not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value)):
        raise UsageError(f"{brief(value)} is not text in UTF-8; write it so")
    return value


JobIds = Annotated[
    list[str],
    typer.Argument(parser=text, metavar="ID", help="Ids, their first 4 or more characters, or `last`."),
]
SomeJobIds = Annotated[
    list[str] | None,
    typer.Argument(parser=text, metavar="ID", help="Ids, their first 4 or more characters, or `last`."),
]
JobId = Annotated[
    str, typer.Argument(parser=text, metavar="ID", help="An id, its first 4 or more characters, or `last`.")
]
Files = Annotated[
    list[str], typer.Argument(metavar="FILE", help="OpenQASM 2, OpenQASM 3 or QPY; each file is a job. `-` is stdin.")
]
CircuitFormat = Annotated[
    FormatName | None,
    typer.Option("--format", help="The format of all files; told by their content when not given."),
]
OneJob = Annotated[bool, typer.Option("--one-job", help="All files together are one job of many experiments.")]

AsJson = Annotated[bool, typer.Option("--json", help="Print exactly one JSON value.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only list the jobs that are meant, and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Timeout = Annotated[
    float | None,
    typer.Option(parser=parse_duration, metavar="DURATION", help="Wait no longer than this (90, 1m30s, 2h)."),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing on stderr but errors.")]

Backend = Annotated[str | None, typer.Option(parser=text, metavar="NAME", help="The simulator [AERJOB_BACKEND].")]
Method = Annotated[
    str | None, typer.Option(parser=text, metavar="NAME", help="The simulation method; `aerjob backends` has them.")
]
Shots = Annotated[int | None, typer.Option(help="How often each circuit is run [AERJOB_SHOTS].")]
Seed = Annotated[int | None, typer.Option(help="From 0 to 2^63 - 1; drawn and stored when not given.")]
Memory = Annotated[bool, typer.Option("--memory", help="Keep the outcome of each shot, too.")]
MeasureAll = Annotated[
    bool, typer.Option("--measure-all", help="Measure every qubit of a circuit that measures nothing.")
]
SaveState = Annotated[
    bool, typer.Option("--save-state", help="Keep the final state, in the form that the method has it.")
]
Noise = Annotated[
    str | None,
    typer.Option(parser=text, metavar="TEXT", help="Noise, as depolarizing:p1=0.001,p2=0.01,readout=0.02."),
]
NoiseModel = Annotated[
    str | None, typer.Option(metavar="FILE", help="A noise model of Aer's, as JSON (NoiseModel.to_dict).")
]
Like = Annotated[
    str | None,
    typer.Option(
        parser=text, metavar="DEVICE", help="A device's noise, gates and couplings, as generic-5 or sherbrooke."
    ),
]
Bind = Annotated[
    list[str] | None,
    typer.Option(parser=text, metavar="NAME=VALUE", help="A value for a parameter, as theta=0.3; may be repeated."),
]
Sweep = Annotated[
    list[str] | None,
    typer.Option(
        parser=text,
        metavar="NAME=VALUES",
        help="Values for a parameter, as theta=0:pi:100 or theta=0.1,0.2; several make a grid.",
    ),
]
Zip = Annotated[bool, typer.Option("--zip", help="Go through several --sweep together, instead of their grid.")]
SweepFile = Annotated[
    str | None, typer.Option(metavar="FILE", help="Points as CSV; the first line names the parameters.")
]
SimulatorOptions = Annotated[
    list[str] | None,
    typer.Option("--option", parser=text, metavar="KEY=VALUE", help="An option of the simulator; may be repeated."),
]
Observables = Annotated[
    list[str] | None,
    typer.Option(
        "--observable",
        parser=text,
        metavar="PAULI=COEFF",
        help="Estimate this, `ZZ=0.5` for example, instead of counting; may be repeated, for a sum.",
    ),
]
Precision = Annotated[
    float | None,
    typer.Option(metavar="X", help="The standard deviation of noise on what is estimated; 0, exact, when not given."),
]
OptimizationLevel = Annotated[
    int | None, typer.Option(help="0 to 3, for circuits that must be translated; 0 when not given.")
]
NoTranspile = Annotated[bool, typer.Option("--no-transpile", help="Refuse circuits that cannot run just as they are.")]
Name = Annotated[
    str | None, typer.Option(parser=text, metavar="TEXT", help="A name for people; the file's when not given.")
]
Tags = Annotated[list[str] | None, typer.Option("--tag", parser=text, metavar="TEXT", help="A tag; may be repeated.")]
Group = Annotated[
    str | None,
    typer.Option(parser=text, metavar="GROUP", help="What they are looked at and changed together as."),
]
Priority = Annotated[int, typer.Option(help="Higher ones run first.")]
TimeLimit = Annotated[
    float | None, typer.Option(parser=parse_duration, metavar="DURATION", help="How long the job may run.")
]
MaxMemory = Annotated[
    int | None,
    typer.Option(parser=parse_size_mb, metavar="SIZE", help="How much memory the job may take (MiB, or 4GiB)."),
]
MaxAttempts = Annotated[int, typer.Option(help="How often it is tried when its process or the worker is lost.")]
After = Annotated[
    list[str] | None,
    typer.Option(parser=text, metavar="ID,…", help="Start when these jobs have ended, however; may be repeated."),
]
AfterOk = Annotated[
    list[str] | None,
    typer.Option(parser=text, metavar="ID,…", help="Start when these jobs are DONE; fail when one cannot be."),
]
AfterAny = Annotated[
    list[str] | None,
    typer.Option(parser=text, metavar="ID,…", help="Start when one of these jobs is DONE; fail when none can be."),
]
Hold = Annotated[bool, typer.Option("--hold", help="Check the circuits, but do not start before `aerjob release`.")]
Begin = Annotated[
    int | None,
    typer.Option(
        parser=parse_begin,
        metavar="TIME",
        help="Do not start before then: 2026-01-31T12:00, tomorrow, or in two hours as +2h.",
    ),
]
Reuse = Annotated[
    bool,
    typer.Option(
        "--reuse", help="Give the result of an earlier job that had the same circuits, options, --seed and versions."
    ),
]
OnEnd = Annotated[
    str | None,
    typer.Option(
        parser=text,
        metavar="COMMAND",
        help="Run this by a shell, once, when the job has ended; it has AERJOB_JOB_ID and AERJOB_JOB_STATUS.",
    ),
]
IdempotencyKey = Annotated[
    str | None,
    typer.Option(parser=text, metavar="TEXT", help="A repeated submission with this key gives the same job."),
]
