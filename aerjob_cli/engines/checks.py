"""What every engine refuses before it runs: simulators would run it without a word, or fail without a helpful one."""

from __future__ import annotations

from collections.abc import Sequence

from qiskit import QuantumCircuit

from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.codec.option_tables import MEASURE_ALL
from aerjob_cli.codec.program_text import as_clause
from aerjob_cli.engines.survey import Survey, survey
from aerjob_cli.errors import CircuitRefused, brief

_SHOWN_PARAMETERS = 5
_SHOWN_CHARACTERS = 60  # of a name


def check_contents(
    circuit: QuantumCircuit, findings: Survey, spec: JobSpec, *, may_have_parameters: bool = False
) -> None:
    """Refuse a circuit for what is in it, as it was submitted; raises ``CircuitRefused``.

    It may have parameters where the job brings their values.
    """
    subject = f"circuit {brief(circuit.name)}"
    if circuit.parameters and not may_have_parameters:
        names = sorted(as_clause(parameter.name)[:_SHOWN_CHARACTERS] for parameter in circuit.parameters)
        listing = ", ".join(names[:_SHOWN_PARAMETERS]) + (", …" if len(names) > _SHOWN_PARAMETERS else "")
        raise CircuitRefused(
            f"{subject} has parameters without a value: {listing}; give them some, as --bind {names[0]}=0.3 or as "
            "parameter_binds= of run()"
        )
    if circuit.num_input_vars:
        raise CircuitRefused(f"{subject} has input variables, and a job has no inputs; give them values instead")
    if findings.lost is not None:
        raise CircuitRefused(
            f"{subject} contains {brief(findings.lost)}, an instruction of Aer's own, of which QPY keeps only the "
            "name; hand the circuit to run() in Python, or leave it out and use --save-state"
        )
    check_numbers(circuit, findings)
    if spec.counts_required and not spec.gives_state and "measure" not in findings.names:
        raise CircuitRefused(
            f"{subject} measures nothing and would give no counts; add measurements, or use --measure-all"
        )


def as_run(circuits: Sequence[QuantumCircuit], spec: JobSpec) -> Sequence[QuantumCircuit]:
    """Give the circuits with the measurements that the job's options ask for."""
    return [_measured(circuit) for circuit in circuits] if spec.options.get(MEASURE_ALL) else circuits


def _measured(circuit: QuantumCircuit) -> QuantumCircuit:
    """Give the circuit with a measurement of every qubit at its end, or as it is when it measures anything."""
    if "measure" in survey(circuit).names:
        return circuit
    return circuit.measure_all(inplace=False)


def check_numbers(circuit: QuantumCircuit, findings: Survey) -> None:
    """Refuse NaN and infinity, for which Aer gives counts without complaint; raises ``CircuitRefused``."""
    if findings.nonfinite is not None:
        owner = as_clause(findings.nonfinite)[:_SHOWN_CHARACTERS]
        raise CircuitRefused(
            f"circuit {brief(circuit.name)} has a parameter of {owner} that is not a finite number; correct it"
        )
