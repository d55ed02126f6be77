"""The jobs of a soak. Each is known by its number: the same seed and number give the same job on any day.

A small family of circuits, so that each result can be computed once, undisturbed, and compared bit for bit.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from benchmarks.soak.mix import Mix

SHOTS = 200
PATIENT_ATTEMPTS = 100_000  # of jobs that must come to their end whatever is killed
DEFAULT_ATTEMPTS = 3

# Qubits, layers and circuits of a job. A state of 15 qubits, 512 KiB, is kept in a file; the results of `many` come in
# a few chunks; `long` computes for half a second, and `endless` for minutes, of which it sees only the first.
_SHAPES = {
    "text": (5, 4, 2),
    "python": (6, 4, 1),
    "three-attempts": (16, 40, 1),
    "many": (12, 12, 60),
    "states": (15, 4, 3),
    "long": (17, 40, 1),
    "endless": (22, 1000, 1),
    "refused": (3, 2, 1),
}


@dataclass(frozen=True)
class Task:
    """One job to be submitted, and what may come of it."""

    number: int
    name: str
    kind: str
    variant: int
    is_keyed: bool
    is_cancelled: bool
    is_command: bool  # submitted by a real `aerjob submit`

    @property
    def simulator_seed(self) -> int:
        return 1000 + self.variant

    @property
    def backend(self) -> str:
        return "statevector_simulator" if self.kind == "states" else "qasm_simulator"

    @property
    def shots(self) -> int:
        return 1 if self.kind == "states" else SHOTS

    @property
    def max_attempts(self) -> int:
        return DEFAULT_ATTEMPTS if self.kind == "three-attempts" else PATIENT_ATTEMPTS

    @property
    def is_text(self) -> bool:
        """Whether it is submitted as text, which an executor has to validate."""
        return self.kind in ("text", "refused", "endless")

    @property
    def texts(self) -> list[str]:
        """The circuits as OpenQASM 2."""
        qubits, depth, count = _SHAPES[self.kind]
        measure = self.kind != "states"
        texts = [layers(qubits, depth, seed=f"{self.kind}/{self.variant}/{at}", measure=measure) for at in range(count)]
        # A qubit that the register does not have.
        return [text.replace("cx q[0],q[1];", "cx q[0],q[77];") if self.kind == "refused" else text for text in texts]


def task(seed: int, number: int, mix: Mix) -> Task:
    """Give the job of that number."""
    source = random.Random(f"{seed}/{number}")
    kind = source.choices(list(mix.jobs), list(mix.jobs.values()))[0]
    endless = kind == "endless"
    return Task(
        number=number,
        name=f"soak-{seed}-{number}",
        kind=kind,
        variant=source.randrange(mix.variants),
        # Of a job that never ends somebody must learn the id, to cancel it.
        is_keyed=source.random() < mix.keyed or endless,
        is_cancelled=source.random() < mix.cancelled or endless,
        is_command=source.random() < mix.commands and kind == "text",
    )


def number_in(name: str | None) -> int | None:
    """Give the number of the task that a job's name tells of, None for a job that is not ours."""
    start, _, number = (name or "").rpartition("-")
    return int(number) if start.startswith("soak-") and number.isdecimal() else None


def layers(qubits: int, depth: int, *, seed: str, measure: bool) -> str:
    """Write a circuit of random rotations and a brick wall of CNOTs: nothing that Aer could shorten."""
    source = random.Random(seed)

    def angle() -> str:
        return f"{source.uniform(0, 3):.6f}"

    lines = ["OPENQASM 2.0;", 'include "qelib1.inc";', f"qreg q[{qubits}];", f"creg c[{qubits}];"]
    # A long circuit repeats its first layers, so that it is written and read quickly.
    written: list[list[str]] = []
    for layer in range(depth):
        if layer < 40:
            rotations = [f"u3({angle()},{angle()},{angle()}) q[{qubit}];" for qubit in range(qubits)]
            written.append(rotations + [f"cx q[{qubit}],q[{qubit + 1}];" for qubit in range(layer % 2, qubits - 1, 2)])
        lines += written[layer % len(written)]
    return "\n".join([*lines, "measure q -> c;" if measure else "", ""])
