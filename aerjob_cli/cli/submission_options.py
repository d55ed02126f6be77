"""The options that `submit` and `run` have in common, declared once."""

from __future__ import annotations

from aerjob_cli.cli import parameters
from aerjob_cli.cli.parameter_objects import expanded
from aerjob_cli.frozen import dataclass


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
    group: parameters.Group = None
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
    reuse: parameters.Reuse = False
    on_end: parameters.OnEnd = None


takes_submission_options = expanded(SubmissionOptions)
