"""What an estimator is asked about the circuits of a job that came as files: a sum of Paulis, and how precisely.

Written and read without Qiskit and NumPy, so that a command can refuse what cannot be, and show what was asked.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable

from aerjob_cli.codec import strict_json
from aerjob_cli.errors import CircuitRefused, InputRefused, UsageError, brief
from aerjob_cli.frozen import dataclass

_LETTERS = frozenset("IXYZ")
_SHOWN_TERMS = 5
_NEGLIGIBLE = 1e-8

Term = tuple[str, float]


@dataclass(frozen=True)
class Estimation:
    """A sum of Paulis, each a text with a letter a qubit (the first qubit's is the last) and a real coefficient.

    ``precision`` is the standard deviation of the noise that the estimator adds to the exact value; 0 adds none.
    """

    terms: tuple[Term, ...]
    precision: float = 0.0

    @property
    def num_qubits(self) -> int:
        return len(self.terms[0][0])

    def in_words(self) -> str:
        """Write the sum for a person, cut where it is long: ``ZZ + 0.5 XX - 2 IZ``."""
        parts: list[str] = []
        for label, coefficient in self.terms[:_SHOWN_TERMS]:
            size = "" if abs(coefficient) == 1 else f"{abs(coefficient):g} "
            sign = "-" if coefficient < 0 else "+"
            parts.append(f"{sign} {size}{label}" if parts else f"{'-' if coefficient < 0 else ''}{size}{label}")
        return " ".join(parts) + (" + …" if len(self.terms) > _SHOWN_TERMS else "")


def parse_observables(texts: Iterable[str], precision: float | None) -> Estimation:
    """Read ``PAULI=COEFFICIENT`` as it is typed on a command line, once for each term; the coefficient may be left out.

    Raises ``UsageError`` for what is not of that form or a Pauli that comes twice, ``InputRefused`` for letters,
    lengths and numbers that cannot be.
    """
    terms = [_term(text) for text in texts]
    labels = [label for label, _ in terms]
    for label in labels:
        if len(label) != len(labels[0]):
            raise InputRefused(
                f"the observables {brief(labels[0])} and {brief(label)} are not of one length; write as many letters "
                "as the circuit has qubits, I where nothing is measured"
            )
        if labels.count(label) > 1:
            raise UsageError(f"the observable {brief(label)} is given twice; add its coefficients")
    if precision is not None and not (math.isfinite(precision) and precision >= 0):
        raise InputRefused(f"--precision is {precision}; it must be a number from 0 on, and 0 gives exact values")
    return Estimation(tuple(terms), precision or 0.0)


def _term(text: str) -> Term:
    label, separator, number = text.partition("=")
    if not label or (separator and not number):
        raise UsageError(f"{text!r} is no observable; write PAULI or PAULI=COEFFICIENT, for example ZZ=0.5")
    unknown = sorted(set(label) - _LETTERS)
    if unknown:
        raise InputRefused(
            f"the observable {brief(label)} has the letter {brief(unknown[0])}; write I, X, Y or Z for each qubit"
        )
    try:
        coefficient = float(number) if separator else 1.0
    except ValueError:
        coefficient = math.nan
    if not math.isfinite(coefficient) or abs(coefficient) <= _NEGLIGIBLE:
        raise InputRefused(
            f"the coefficient of the observable {brief(label)} is {brief(number)}; it must be a number of more than "
            f"{_NEGLIGIBLE:g}, of either sign, since Qiskit leaves out smaller ones"
        )
    return label, coefficient


def encode_estimation(estimation: Estimation) -> bytes:
    """Write it as JSON; equal ones give equal bytes."""
    terms = [[label, coefficient] for label, coefficient in estimation.terms]
    return strict_json.dumps({"precision": estimation.precision, "terms": terms})


def decode_estimation(data: bytes, name: str) -> Estimation:
    """Read what ``encode_estimation`` wrote; raises ``CircuitRefused`` for anything else."""
    try:
        content = json.loads(data)
        terms = tuple((str(label), float(coefficient)) for label, coefficient in content["terms"])
        estimation = Estimation(terms, float(content["precision"]))
        if not {len(label) for label, _ in terms} == {estimation.num_qubits}:
            raise ValueError("the terms are not of one length")
    except (ValueError, TypeError, KeyError, LookupError) as error:
        raise CircuitRefused(f"{name} is damaged and cannot be read; submit it again") from error
    return estimation
