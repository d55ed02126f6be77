"""The options that `submit` and `run` have in common, declared once.

Typer reads the signature of a command. ``takes_submission_options`` gives a command the fields of
``SubmissionOptions`` as parameters, and hands them over as one object.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, TypeVar, get_type_hints

from aerjob_cli.cli import parameters
from aerjob_cli.frozen import dataclass

Answered = TypeVar("Answered")


@dataclass(frozen=True)
class SubmissionOptions:
    """What a person may say about a submission, in the order of the help text."""

    files: parameters.Files
    format: parameters.CircuitFormat = None
    one_job: parameters.OneJob = False
    backend: parameters.Backend = None
    method: parameters.Method = None
    shots: parameters.Shots = None
    seed: parameters.Seed = None
    memory: parameters.Memory = False
    measure_all: parameters.MeasureAll = False
    save_state: parameters.SaveState = False
    noise: parameters.Noise = None
    noise_model: parameters.NoiseModel = None
    like: parameters.Like = None
    bind: parameters.Bind = None
    sweep: parameters.Sweep = None
    zip: parameters.Zip = False
    sweep_file: parameters.SweepFile = None
    observable: parameters.Observables = None
    precision: parameters.Precision = None
    option: parameters.SimulatorOptions = None
    optimization_level: parameters.OptimizationLevel = None
    no_transpile: parameters.NoTranspile = False
    name: parameters.Name = None
    tag: parameters.Tags = None
    priority: parameters.Priority = 0
    after: parameters.After = None
    after_ok: parameters.AfterOk = None
    after_any: parameters.AfterAny = None
    hold: parameters.Hold = False
    begin: parameters.Begin = None
    time_limit: parameters.TimeLimit = None
    max_memory: parameters.MaxMemory = None
    max_attempts: parameters.MaxAttempts = 3
    idempotency_key: parameters.IdempotencyKey = None


def takes_submission_options(command: Callable[..., Answered]) -> Callable[..., Answered]:
    """Replace the second parameter of ``command``, a ``SubmissionOptions``, by one parameter for each of its fields."""
    hints = get_type_hints(SubmissionOptions, include_extras=True)
    shared = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=hints[field.name],
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
        )
        for field in fields(SubmissionOptions)
    ]
    context, _, *own = inspect.signature(command, eval_str=True).parameters.values()

    @functools.wraps(command)
    def expanded(context: Any, **given: Any) -> Answered:
        wanted = SubmissionOptions(**{field.name: given.pop(field.name) for field in fields(SubmissionOptions)})
        return command(context, wanted, **given)

    own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
    # Typer asks both for the signature and for the annotations.
    expanded.__signature__ = inspect.Signature([context, *shared, *own])  # type: ignore[attr-defined]
    expanded.__annotations__ = {parameter.name: parameter.annotation for parameter in (context, *shared, *own)}
    del expanded.__wrapped__  # or the signature would be looked for there
    return expanded
