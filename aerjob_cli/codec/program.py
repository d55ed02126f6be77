"""What a job runs, as it comes out of the payloads of a submission: circuits or PUBs, and what they are run with.

One payload is one file of a submission, or what Python handed in; its format says what is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from aerjob_cli.codec import envelope, noise_files, noise_models, noise_texts, sweeps
from aerjob_cli.codec.circuits import decode_circuits
from aerjob_cli.codec.noise_models import Surroundings
from aerjob_cli.codec.observables import Estimation, decode_estimation
from aerjob_cli.codec.sweeps import NO_PARAMETERS, Sweep
from aerjob_cli.errors import CircuitRefused, InputRefused
from aerjob_cli.frozen import dataclass
from aerjob_cli.settings import CIRCUITS_LIMIT

if TYPE_CHECKING:
    from qiskit import QuantumCircuit

    from aerjob_cli.codec.pubs import Pub

# Without a sweep.
EVERYTHING_ONCE = Sweep((NO_PARAMETERS,))


@dataclass(frozen=True)
class Program:
    """What an engine checks and runs.

    Where there are ``pubs``, each is an experiment, and ``circuits`` are theirs. ``estimation`` is what an estimator is
    asked about circuits that are no part of a PUB.
    """

    circuits: Sequence[QuantumCircuit]
    surroundings: Surroundings | None = None
    sweep: Sweep = EVERYTHING_ONCE
    pubs: Sequence[Pub] = ()
    estimation: Estimation | None = None

    @property
    def experiments_total(self) -> int:
        """Count the experiments: what is run, stored and started again one by one."""
        return sum(len(self.sweep.of(position).points) for position in range(len(self.circuits)))


def decode_program(payloads: Iterable[tuple[str, bytes, str]]) -> Program:
    """Read the payloads of a job (format, bytes, name), in their order; raises ``CircuitRefused``."""
    circuits: list[QuantumCircuit] = []
    pubs: list[Pub] = []
    surroundings, sweep, estimation = None, EVERYTHING_ONCE, None
    for format, data, name in payloads:
        if format in _NOISE:
            surroundings = _NOISE[format](data, name)
        elif format == envelope.SWEEP:
            sweep = sweeps.decode(data, name)
        elif format == envelope.ESTIMATION:
            estimation = decode_estimation(data, name)
        elif format == envelope.PUBS:
            # NumPy, which a program of circuits does not need.
            from aerjob_cli.codec.pubs import decode_pubs

            pubs += decode_pubs(data, name)
        else:
            circuits += decode_circuits(format, data, name)
    if pubs:
        return program_of_pubs(pubs, surroundings)
    if len(sweep.tables) not in (1, len(circuits)):
        raise CircuitRefused(f"there are values for {len(sweep.tables)} circuits, and the job has {len(circuits)}")
    program = Program(circuits, surroundings, sweep, estimation=estimation)
    if sweep is not EVERYTHING_ONCE and program.experiments_total > CIRCUITS_LIMIT:
        raise CircuitRefused(
            f"the sweep makes {program.experiments_total} experiments of {len(circuits)} circuits; a job may have "
            f"{CIRCUITS_LIMIT}, so submit several"
        )
    return program


def program_of_pubs(pubs: Sequence[Pub], surroundings: Surroundings | None = None) -> Program:
    """Make the program of a primitive's job."""
    return Program(tuple(pub.circuit for pub in pubs), surroundings, pubs=tuple(pubs))


def _from_text(data: bytes, name: str) -> Surroundings:
    try:
        return noise_models.depolarizing(noise_texts.parse_noise(data.decode()))
    except (InputRefused, ValueError) as error:
        raise CircuitRefused(f"{name} is damaged and cannot be read; submit it again") from error


def _from_file(data: bytes, name: str) -> Surroundings:
    model = noise_files.read(data, name)
    return Surroundings(model, basis_gates=tuple(model.basis_gates))


_NOISE = {
    envelope.NOISE: noise_models.decode,
    envelope.NOISE_TEXT: _from_text,
    envelope.NOISE_FILE: _from_file,
}
