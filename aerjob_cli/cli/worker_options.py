"""The options that say how a worker behaves, shared by all commands that start one."""

from __future__ import annotations

from typing import Annotated

import typer

from aerjob_cli.cli.durations import parse_duration
from aerjob_cli.cli.sizes import parse_size_mb
from aerjob_cli.errors import UsageError
from aerjob_cli.frozen import dataclass
from aerjob_cli.settings import WorkerSettings

_SLOTS_AT_MOST = 1024

Slots = Annotated[
    int | None, typer.Option(min=1, max=_SLOTS_AT_MOST, help="How many jobs at once; else one for each core.")
]
IdleExit = Annotated[
    float | None,
    typer.Option(parser=parse_duration, metavar="DURATION", help="Stop after this time without work; 0 is never."),
]
Lease = Annotated[
    float | None,
    typer.Option(parser=parse_duration, metavar="DURATION", help="After this silence another worker may take over."),
]
DrainGrace = Annotated[
    float | None,
    typer.Option(parser=parse_duration, metavar="DURATION", help="How long running jobs go on after a stop."),
]
MaxMemory = Annotated[
    int | None,
    typer.Option(
        parser=parse_size_mb, metavar="SIZE", help="The most memory that all jobs may have together; else all."
    ),
]
Patience = Annotated[
    float | None,
    typer.Option(
        parser=parse_duration, metavar="DURATION", help="How long smaller jobs may pass one that waits for memory."
    ),
]
ValidationLimit = Annotated[
    float | None,
    typer.Option(parser=parse_duration, metavar="DURATION", help="How long checking the circuits of a job may take."),
]
OnEndLimit = Annotated[
    float | None,
    typer.Option(parser=parse_duration, metavar="DURATION", help="How long an --on-end command may run; else 1m."),
]


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """What was given; None leaves a worker its own default."""

    slots: int | None = None
    idle_exit_s: float | None = None
    lease_s: float | None = None
    drain_grace_s: float | None = None
    validation_limit_s: float | None = None
    max_memory_mb: int | None = None
    patience_s: float | None = None
    on_end_limit_s: float | None = None

    def __post_init__(self) -> None:
        if self.lease_s is not None and self.lease_s <= 0:
            raise UsageError("a lease must be longer than 0; the default is 30s")
        if self.max_memory_mb == 0:
            raise UsageError("the memory of all jobs must be more than 0; leave --max-memory out for all there is")
        if self.validation_limit_s is not None and self.validation_limit_s <= 0:
            raise UsageError("the limit of a validation must be longer than 0; the default is 1m")
        if self.on_end_limit_s is not None and self.on_end_limit_s <= 0:
            raise UsageError("the limit of a command for the end must be longer than 0; the default is 1m")

    def settings(self, *, foreground: bool = False, takes_over: bool = False) -> WorkerSettings:
        """Fill in the defaults."""
        given = {name: value for name, value in vars(self).items() if value is not None}
        return WorkerSettings(foreground=foreground, takes_over=takes_over, **given)

    def arguments(self) -> tuple[str, ...]:
        """Write what was given as arguments again."""
        values = {
            "--slots": self.slots,
            "--idle-exit": self.idle_exit_s,
            "--lease": self.lease_s,
            "--drain-grace": self.drain_grace_s,
            "--validation-limit": self.validation_limit_s,
            "--max-memory": self.max_memory_mb,
            "--patience": self.patience_s,
            "--on-end-limit": self.on_end_limit_s,
        }
        return tuple(f"{option}={_number(value)}" for option, value in values.items() if value is not None)


def _number(value: float) -> str:
    # In full, since a duration is not read in exponents.
    return str(value) if isinstance(value, int) else f"{value:.9f}".rstrip("0").rstrip(".")
