"""`estimate`: what circuits would take, without a job."""

from __future__ import annotations

import typer

from aerjob_cli.cli import parameters
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.estimate import Estimates
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.estimates import estimated
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.inputs import read_circuits
from aerjob_cli.cli.noise_options import noise_payloads
from aerjob_cli.codec.options import parse_option
from aerjob_cli.errors import UsageError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("aerjob estimate bell.qasm", 6))(estimate)


def estimate(
    context: typer.Context,
    files: parameters.Files,
    format: parameters.CircuitFormat = None,
    backend: parameters.Backend = None,
    method: parameters.Method = None,
    shots: parameters.Shots = None,
    noise: parameters.Noise = None,
    noise_model: parameters.NoiseModel = None,
    like: parameters.Like = None,
    option: parameters.SimulatorOptions = None,
    as_json: parameters.AsJson = False,
) -> Answer:
    """Tell what circuits would take, without queuing them.

    By each simulator and method: the memory, which is what a job takes beyond the libraries and what a worker counts
    on before it begins one, and the time to an order of magnitude. With --method or --option it is about one
    simulator, the default one unless named.
    """
    settings = Invocation.of(context, as_json=as_json).settings
    chosen = backend or (settings.backend if method is not None or option else None)
    pairs = [parse_option(text, chosen or settings.backend) for text in option or ()]
    if len({name for name, _ in pairs}) < len(pairs):
        raise UsageError("an option is given twice; decide on one value")
    found = estimated(
        read_circuits(files, None if format is None else str(format)),
        noise_payloads(text=noise, file=noise_model, like=like),
        backend=chosen,
        method=method,
        shots=settings.shots if shots is None else shots,
        options=dict(pairs),
    )
    return Estimates(circuits=tuple(found))
