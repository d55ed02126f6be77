"""The options of a submission: a closed list for each simulator, with types and ranges, as data.

What a simulator would take without a word (NaN, 0 shots, a misspelt name) is refused here, before anything is stored.
The names and meanings are those of ``AerSimulator``; this module does not import it, a test compares the two.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from aerjob_cli.catalog import METHODS_WITHOUT_COUNTS, SIMULATORS, Simulator
from aerjob_cli.errors import InputRefused, UnknownBackend, UsageError

# Aer counts shots in 64 bits; what it samples at once does not fit in memory long before this.
SHOTS_LIMIT = 2**31 - 1
SEED_LIMIT = 2**63 - 1
_INTEGER_LIMIT = 2**31 - 1
_FLAG_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+")
_LISTED_AT_MOST = 15
_LISTED_AT_MOST = 15
_DIGITS_AT_MOST = 30  # more than any range has; Python refuses to read very long numbers


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

# What every simulator takes; ``method`` comes from the catalog.
SUBMISSION_OPTIONS: dict[str, Option] = {
    "shots": _count(1, SHOTS_LIMIT),
    "seed_simulator": _count(0, SEED_LIMIT),
    "memory": _FLAG,
    "optimization_level": _count(0, 3),
    # False refuses a circuit that the simulator cannot run as it is, instead of translating it.
    "transpile": _FLAG,
}

# Adds a measurement of every qubit to each circuit that has none.
MEASURE_ALL = "measure_all"
# Adds the final state to the result, in the form that the method has it.
SAVE_STATE = "save_state"

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

# Options that only say something to some of the methods: a prefix of the name, and those methods.
_METHODS_OF_PREFIX: dict[str, tuple[str, ...]] = {
    "extended_stabilizer_": ("extended_stabilizer",),
    "matrix_product_state_": ("matrix_product_state",),
    "mps_": ("matrix_product_state",),
    "stabilizer_": ("stabilizer",),
    # Methods that need an Aer with cuTensorNet; only "automatic" can come to them.
    "tensor_network_": ("automatic",),
    "use_cuTensorNet_": ("automatic",),
}


def simulator_named(name: str) -> Simulator:
    """Give the catalog's entry of that name; raises ``UnknownBackend``."""
    if name not in SIMULATORS:
        raise UnknownBackend(name, sorted(SIMULATORS))
    return SIMULATORS[name]


@lru_cache
def options_of(backend: str) -> Mapping[str, Option]:
    """List the options that jobs of a simulator may have, by name; raises ``UnknownBackend``."""
    simulator = simulator_named(backend)
    options = dict(SUBMISSION_OPTIONS)
    options["method"] = Option(str, words=simulator.methods)
    if not set(simulator.methods) <= METHODS_WITHOUT_COUNTS:
        options[MEASURE_ALL] = _FLAG
    if simulator.may_give_state:
        options[SAVE_STATE] = _FLAG
    if simulator.engine == "aer":
        options |= {name: option for name, option in AER_OPTIONS.items() if _concerns(name, simulator.methods)}
    return MappingProxyType(dict(sorted(options.items())))


def check_options(options: Mapping[str, Any], backend: str) -> dict[str, Any]:
    """Check names, types and ranges; give back the options that are not None (which means: the default).

    Whole numbers are taken for fractions, and integers of NumPy for Python's. Raises ``InputRefused``.
    """
    known = options_of(backend)
    checked = {}
    for name, value in options.items():
        option = _found(name, known, backend)
        if value is not None:
            checked[name] = _checked(name, option, value)
    return checked


def parse_option(text: str, backend: str) -> tuple[str, Any]:
    """Read ``KEY=VALUE`` as it is typed on a command line, by the type of the option.

    Raises ``UsageError`` where there is no ``=``, ``InputRefused`` for a name or a value that cannot be.
    """
    name, separator, word = text.partition("=")
    if not separator or not name:
        raise UsageError(f"{text!r} sets no option; write KEY=VALUE, for example fusion_enable=false")
    option = _found(name, options_of(backend), backend)
    value = _read(option, word)
    if value is None:
        raise InputRefused(f"the option {name!r} is {word!r}; it must be {_expectation(option)}", option=name)
    return name, _checked(name, option, value, as_typed=word)


def _concerns(name: str, methods: Iterable[str]) -> bool:
    for prefix, concerned in _METHODS_OF_PREFIX.items():
        if name.startswith(prefix):
            return not set(concerned).isdisjoint(methods)
    return True


def _found(name: str, known: Mapping[str, Option], backend: str) -> Option:
    if name in known:
        return known[name]
    if name in RULED_ELSEWHERE:
        raise InputRefused(f"the option {name!r} cannot be set: {RULED_ELSEWHERE[name]}", option=name)
    raise InputRefused(f"{backend} has no option {name!r}; {_hint(name, known)}", option=name)


def _hint(name: str, known: Mapping[str, Option]) -> str:
    others = [other for other in SIMULATORS if name in options_of(other)]
    if others:
        return f"it is an option of {', '.join(others)}"
    near = difflib.get_close_matches(name, known, n=3)
    if near:
        return f"did you mean {' or '.join(map(repr, near))}?"
    if len(known) <= _LISTED_AT_MOST:
        return f"there is {', '.join(known)}"
    return "they are those of Qiskit Aer's AerSimulator"


def _checked(name: str, option: Option, value: Any, *, as_typed: str | None = None) -> bool | int | float | str:
    converted = _converted(option, value)
    if converted is None or (option.words and converted not in option.words) or not _in_range(option, converted):
        given = repr(value if as_typed is None else as_typed)
        raise InputRefused(f"the option {name!r} is {given}; it must be {_expectation(option)}", option=name)
    return converted


def _read(option: Option, word: str) -> bool | int | float | str | None:
    """Give what a word on the command line says, or None where it is not of the option's type."""
    if option.kind is str:
        return word
    if option.kind is bool:
        return _FLAG_WORDS.get(word.strip().lower())
    if len(word) > _DIGITS_AT_MOST:
        return None
    if option.kind is int:
        return int(word) if _WHOLE_NUMBER.fullmatch(word.strip()) else None
    try:
        return float(word)
    except ValueError:
        return None


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
