"""From `--observable` and `--precision` to what is to be estimated."""

from __future__ import annotations

from aerjob_cli.api.requests import CircuitBytes
from aerjob_cli.catalog import ESTIMATOR
from aerjob_cli.cli.submission_options import SubmissionOptions
from aerjob_cli.codec.envelope import ESTIMATION
from aerjob_cli.codec.observables import Estimation, encode_estimation, parse_observables
from aerjob_cli.errors import UsageError

_NAME = "observables"


def estimation_of(wanted: SubmissionOptions) -> Estimation | None:
    """Give what is to be estimated, or None; raises ``UsageError`` for options that do not go with one another."""
    if not wanted.observable:
        if wanted.precision is not None:
            raise UsageError("--precision is about what is estimated; give --observable with it, or leave it out")
        return None
    if wanted.backend not in (None, ESTIMATOR):
        raise UsageError(f"--observable is for the {ESTIMATOR}; leave out --backend {wanted.backend}, or --observable")
    if wanted.memory:
        raise UsageError("--memory keeps the outcomes of shots, and an estimator gives none; leave it out")
    return parse_observables(wanted.observable, wanted.precision)


def estimation_payloads(estimation: Estimation | None) -> tuple[CircuitBytes, ...]:
    """Give what is to be estimated as a payload, or nothing where circuits are counted."""
    return () if estimation is None else (CircuitBytes(_NAME, ESTIMATION, encode_estimation(estimation)),)
