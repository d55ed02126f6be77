"""From the options of `submit` and `run` to requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from aerjob_cli.api.requests import Request
from aerjob_cli.catalog import ESTIMATOR
from aerjob_cli.cli.estimation_options import estimation_of, estimation_payloads
from aerjob_cli.cli.inputs import STDIN, read_circuits
from aerjob_cli.cli.noise_options import noise_payloads
from aerjob_cli.cli.submission_options import SubmissionOptions
from aerjob_cli.cli.sweep_options import sweep_payloads
from aerjob_cli.codec.options import parse_option
from aerjob_cli.errors import UsageError
from aerjob_cli.settings import Settings

_OWN_FLAGS = ("shots", "seed_simulator", "memory")


def requests_of(wanted: SubmissionOptions, settings: Settings) -> list[Request]:
    """Make a request of each file, or one of all; raises ``InputRefused`` for a file or an option that cannot be."""
    if wanted.idempotency_key is not None and len(wanted.files) > 1 and not wanted.one_job:
        raise UsageError("an idempotency key stands for one job; give one file with it, or --one-job")
    if [*wanted.files, wanted.noise_model, wanted.sweep_file].count(STDIN) > 1:
        raise UsageError("stdin can be read once; give `-` one time")
    estimation = estimation_of(wanted)
    backend = ESTIMATOR if estimation is not None else wanted.backend or settings.backend
    if backend == ESTIMATOR and estimation is None:
        raise UsageError(f"the {ESTIMATOR} must know what to estimate; give --observable PAULI=COEFF")
    wish = Request(
        circuits=(),
        beside=(
            *noise_payloads(text=wanted.noise, file=wanted.noise_model, like=wanted.like),
            *estimation_payloads(estimation),
            *sweep_payloads(
                bind=wanted.bind or (), sweep=wanted.sweep or (), is_zipped=wanted.zip, file=wanted.sweep_file
            ),
        ),
        backend=backend,
        shots=settings.shots if wanted.shots is None else wanted.shots,
        seed=wanted.seed,
        memory=wanted.memory,
        options=_options(wanted, backend),
        name=wanted.name,
        tags=tuple(wanted.tag or ()),
        group=wanted.group,
        priority=wanted.priority,
        time_limit_s=wanted.time_limit,
        max_memory_mb=wanted.max_memory,
        max_attempts=wanted.max_attempts,
        idempotency_key=wanted.idempotency_key,
        after=_references("--after", wanted.after),
        after_ok=_references("--after-ok", wanted.after_ok),
        after_any=_references("--after-any", wanted.after_any),
        hold=wanted.hold,
        begin=wanted.begin,
        reuse=wanted.reuse,
        on_end=wanted.on_end,
    )
    circuits = read_circuits(wanted.files, None if wanted.format is None else str(wanted.format))
    groups = [tuple(circuits)] if wanted.one_job else [(circuit,) for circuit in circuits]
    return [replace(wish, circuits=group, name=_name(wanted, group[0].name)) for group in groups]


def _name(wanted: SubmissionOptions, file: str) -> str | None:
    # An empty one is refused where all are checked.
    return (PurePath(file).stem or None) if wanted.name is None else wanted.name


def _references(flag: str, texts: Sequence[str] | None) -> tuple[str, ...]:
    """Give the ids, prefixes and ``last`` of an option that takes several, with commas between them."""
    found = tuple(reference.strip() for text in texts or () for reference in text.split(","))
    if "" in found:
        raise UsageError(f"{flag} has an empty id; write ids with commas between them, as in {flag} 3f2a,77b1")
    return found


def _options(wanted: SubmissionOptions, backend: str) -> dict[str, Any]:
    """Give the simulator's options, those with a flag of their own included; raises ``InputRefused``."""
    options: dict[str, Any] = {}
    for text in wanted.option or ():
        name, value = parse_option(text, backend)
        if name in options:
            raise UsageError(f"the option {name!r} is given twice; decide on one value")
        options[name] = value
    flags: dict[str, Any] = {
        "method": wanted.method,
        "measure_all": wanted.measure_all or None,
        "save_state": wanted.save_state or None,
        "optimization_level": wanted.optimization_level,
        "transpile": False if wanted.no_transpile else None,
    }
    for name, value in flags.items():
        if value is not None:
            if name in options:
                raise UsageError(f"the option {name!r} is given twice; decide on one value")
            options[name] = value
    for name in _OWN_FLAGS:
        if name in options:
            raise UsageError(f"the option {name!r} has a flag of its own; see --{name.removesuffix('_simulator')}")
    return options
