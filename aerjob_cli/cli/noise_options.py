"""From `--noise`, `--noise-model` and `--like` to the noise of a job, as payloads."""

from __future__ import annotations

import os
from pathlib import PurePath

from aerjob_cli.api.requests import CircuitBytes
from aerjob_cli.cli.inputs import read_text
from aerjob_cli.codec.envelope import NOISE, NOISE_FILE, NOISE_TEXT
from aerjob_cli.codec.noise_texts import parse_noise
from aerjob_cli.errors import UsageError


def noise_payloads(*, text: str | None, file: str | None, like: str | None) -> tuple[CircuitBytes, ...]:
    """Give the noise as a payload, or nothing where none is given; raises ``UsageError`` or ``InputRefused``."""
    flags = {"--noise": text, "--noise-model": file, "--like": like}
    given = [flag for flag, value in flags.items() if value is not None]
    if len(given) > 1:
        raise UsageError(f"{' and '.join(given)} each say what the noise is; give one of them")
    if text is not None:
        parse_noise(text)
        return (CircuitBytes("noise", NOISE_TEXT, text.encode()),)
    if file is not None:
        name, content = read_text(file, kind="a noise model in JSON")
        return (CircuitBytes(PurePath(os.fsdecode(name)).name or name, NOISE_FILE, content.encode()),)
    if like is not None:
        # It imports Qiskit, Aer and what devices are described in.
        from aerjob_cli.api.devices import device_named

        return (CircuitBytes(like, NOISE, device_named(like)),)
    return ()
