"""The options of a submission: a closed list, with types and ranges, as data.

What Aer would take without a word (NaN, 0 shots, a misspelt name) is refused here, before anything is stored.
The names and meanings are those of ``AerSimulator``; this module does not import it, a test compares the two.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aerjob_cli.errors import InputRefused

# Aer counts shots in 64 bits; what it samples at once does not fit in memory long before this.
SHOTS_LIMIT = 2**31 - 1
SEED_LIMIT = 2**63 - 1
_INTEGER_LIMIT = 2**31 - 1


@dataclass(frozen=True)
class Option:
    """One option: its type, and its range or its words. Bounds are inclusive."""

    kind: type[bool] | type[int] | type[float] | type[str]
    minimum: float | None = None
    maximum: float | None = None
    words: tuple[str, ...] = ()


def _count(minimum: int = 0, maximum: int = _INTEGER_LIMIT) -> Option:
    return Option(int, minimum, maximum)


_FLAG = Option(bool)
_FRACTION = Option(float, 0.0, 1.0)

SUBMISSION_OPTIONS: dict[str, Option] = {
    "shots": _count(1, SHOTS_LIMIT),
    "seed_simulator": _count(0, SEED_LIMIT),
    "memory": _FLAG,
    # The methods that give counts on a CPU; the others' results cannot be stored yet.
    "method": Option(
        str,
        words=(
            "automatic",
            "statevector",
            "density_matrix",
            "stabilizer",
            "matrix_product_state",
            "extended_stabilizer",
        ),
    ),
    "optimization_level": _count(0, 3),
    # Adds a measurement of every qubit to each circuit that has none.
    "measure_all": _FLAG,
}

AER_OPTIONS: dict[str, Option] = {
    "accept_distributed_results": _FLAG,
    "batched_shots_gpu": _FLAG,
    "batched_shots_gpu_max_qubits": _count(),
    "blocking_enable": _FLAG,
    "blocking_qubits": _count(),
    "chop_threshold": _FRACTION,
    "chunk_swap_buffer_qubits": _count(),
    "cuStateVec_enable": _FLAG,
    "device": Option(str, words=("CPU", "GPU")),
    "enable_truncation": _FLAG,
    "extended_stabilizer_approximation_error": _FRACTION,
    "extended_stabilizer_metropolis_mixing_time": _count(),
    "extended_stabilizer_norm_estimation_repetitions": _count(1),
    "extended_stabilizer_norm_estimation_samples": _count(1),
    "extended_stabilizer_parallel_threshold": _count(),
    "extended_stabilizer_probabilities_snapshot_samples": _count(1),
    "extended_stabilizer_sampling_method": Option(str, words=("metropolis", "resampled_metropolis", "norm_estimation")),
    "fusion_enable": _FLAG,
    "fusion_max_qubit": _count(1),
    "fusion_threshold": _count(),
    "fusion_verbose": _FLAG,
    "matrix_product_state_max_bond_dimension": _count(1),
    "matrix_product_state_truncation_threshold": _FRACTION,
    "max_parallel_experiments": _count(),
    "max_parallel_shots": _count(),
    "mps_lapack": _FLAG,
    "mps_log_data": _FLAG,
    "mps_omp_threads": _count(1),
    "mps_parallel_threshold": _count(),
    "mps_sample_measure_algorithm": Option(str, words=("mps_heuristic", "mps_probabilities", "mps_apply_measure")),
    "mps_swap_direction": Option(str, words=("mps_swap_left", "mps_swap_right")),
    "num_threads_per_device": _count(1),
    "precision": Option(str, words=("double", "single")),
    "runtime_parameter_bind_enable": _FLAG,
    "shot_branching_enable": _FLAG,
    "shot_branching_sampling_enable": _FLAG,
    "stabilizer_max_snapshot_probabilities": _count(),
    "statevector_parallel_threshold": _count(1),
    "statevector_sample_measure_opt": _count(1),
    "tensor_network_num_sampling_qubits": _count(1),
    "use_cuTensorNet_autotuning": _FLAG,
    "zero_threshold": _FRACTION,
}

# Options of AerSimulator that a job has no say in, each with what to do instead.
RULED_ELSEWHERE: dict[str, str] = {
    "executor": "jobs run in processes of their own already",
    "max_job_size": "it has no effect since Aer 0.15",
    "max_shot_size": "it has no effect since Aer 0.15",
    "max_memory_mb": "it follows from the memory limit of the job",
    "max_parallel_threads": "it is chosen by the size of the circuits",
    "noise_model": "noise models cannot be stored yet",
    "validation_threshold": "Aer takes only whole numbers for it, which makes it useless",
}

OPTIONS: dict[str, Option] = SUBMISSION_OPTIONS | AER_OPTIONS


def check_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Check names, types and ranges; give back the options that are not None (which means: the default).

    Whole numbers are taken for fractions, and integers of NumPy for Python's. Raises ``InputRefused``.
    """
    return {name: _checked(name, value) for name, value in options.items() if _known(name) and value is not None}


def _known(name: str) -> bool:
    if name in OPTIONS:
        return True
    if name in RULED_ELSEWHERE:
        raise InputRefused(f"the option {name!r} cannot be set: {RULED_ELSEWHERE[name]}", option=name)
    near = difflib.get_close_matches(name, OPTIONS, n=3)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else "the documentation lists those there are"
    raise InputRefused(f"no option is called {name!r}; {hint}", option=name)


def _checked(name: str, value: Any) -> bool | int | float | str:
    option = OPTIONS[name]
    converted = _converted(option, value)
    if converted is None or (option.words and converted not in option.words) or not _in_range(option, converted):
        raise InputRefused(f"the option {name!r} is {value!r}; it must be {_expectation(option)}", option=name)
    return converted


def _converted(option: Option, value: Any) -> bool | int | float | str | None:
    """Give ``value`` as the option's own type, or None where that would change it."""
    if option.kind is bool or option.kind is str:
        # NumPy's bool has ``item`` too; nothing else that is not a bool stands for one.
        value = value.item() if type(value).__module__ == "numpy" else value
        return option.kind(value) if isinstance(value, option.kind) else None
    if isinstance(value, bool):
        return None
    if hasattr(value, "__index__"):
        return option.kind(value.__index__())
    if option.kind is float and isinstance(value, float):
        return float(value)
    return None


def _in_range(option: Option, value: bool | int | float | str) -> bool:
    if isinstance(value, str):
        return True
    if not math.isfinite(value):
        return False
    return (option.minimum is None or value >= option.minimum) and (option.maximum is None or value <= option.maximum)


def _expectation(option: Option) -> str:
    if option.words:
        return " or ".join(option.words)
    if option.kind is bool:
        return "true or false"
    kind = "a whole number" if option.kind is int else "a finite number"
    return f"{kind} from {option.minimum} to {option.maximum}"
