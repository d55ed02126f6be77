"""Circuits that were damaged, or made to do harm: each is accepted, refused in a sentence, or costs one executor.

The executors are real ones, forked by a real pool. What a worker writes of one that died is in
``test_hostile_validation.py``. A failing mutant is made again by its number: ``mutant_of(kind, number, matrix)``.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from aerjob_cli.codec import envelope
from tests.faults.support import circuit_seeds, program_grammar
from tests.faults.support.mutants import mutant
from tests.faults.support.validator import ACCEPTED, REFUSED, Validator, is_sentence, validator_in
from tests.support.matrix import Matrix

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc for what an executor takes")

# 10^5 of QPY and 10^5 of texts.
_SAMPLE, _QPY_FULL, _TEXTS_FULL = 400, 100_000, 50_000
# Of what the parsers and checks let through or die of, there must be some; or the mutants are not worth much.
_ACCEPTED_AT_LEAST = 0.01
_LOST_AT_MOST = 0.02


@pytest.fixture(scope="module")
def validator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Validator]:
    with validator_in(tmp_path_factory.mktemp("scratch")) as made:
        yield made


def mutant_of(kind: str, number: int, matrix: Matrix) -> bytes:
    """Make the mutant of that number: of a good file, of a generated program, or a generated program itself."""
    chance = matrix.random(f"{kind}/{number}")
    if kind == envelope.QPY:
        return mutant(_QPY, chance, is_text=False)
    seeds, generate = _TEXTS[kind]
    if number % 3 == 0:
        return generate(chance)
    return mutant((generate(chance), *seeds) if number % 3 == 1 else seeds, chance, is_text=True)


@pytest.mark.parametrize("kind", [envelope.QPY, envelope.OPENQASM2, envelope.OPENQASM3])
def test_a_mutated_circuit_is_accepted_or_refused_in_a_sentence_or_costs_one_executor(
    kind: str, validator: Validator, matrix: Matrix
) -> None:
    total = matrix.times(sample=_SAMPLE, full=_QPY_FULL if kind == envelope.QPY else _TEXTS_FULL)
    outcomes: Counter[str] = Counter()
    for number in range(total):
        verdict = validator.ask(kind, mutant_of(kind, number, matrix))
        assert verdict.outcome != REFUSED or is_sentence(verdict.message), (kind, number, verdict)
        outcomes[verdict.outcome] += 1
    print(f"{kind}: {dict(outcomes.most_common())}")  # noqa: T201 - what a full run is for
    assert outcomes[ACCEPTED] >= total * _ACCEPTED_AT_LEAST, outcomes
    assert total - outcomes[ACCEPTED] - outcomes[REFUSED] <= total * _LOST_AT_MOST, outcomes


@pytest.mark.parametrize("kind", [envelope.QPY, envelope.OPENQASM2, envelope.OPENQASM3])
def test_what_mutants_are_made_of_is_accepted(kind: str, validator: Validator) -> None:
    for number, seed in enumerate(_QPY if kind == envelope.QPY else _TEXTS[kind][0]):
        verdict = validator.ask(kind, seed)
        assert verdict.outcome == ACCEPTED, (number, verdict)


_QPY = circuit_seeds.qpy_files()
_TEXTS = {
    envelope.OPENQASM2: (circuit_seeds.OPENQASM2, program_grammar.openqasm2),
    envelope.OPENQASM3: (circuit_seeds.OPENQASM3, program_grammar.openqasm3),
}
