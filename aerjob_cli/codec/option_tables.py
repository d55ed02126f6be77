"""The options that a submission can have, as data: their types and ranges, and which say something to which method.

The names and meanings are those of ``AerSimulator``; this module does not import it, a test compares the two.
"""

from __future__ import annotations

from aerjob_cli.catalog import Option

# Aer counts shots in 64 bits; what it samples at once does not fit in memory long before this.
SHOTS_LIMIT = 2**31 - 1
SEED_LIMIT = 2**63 - 1
_INTEGER_LIMIT = 2**31 - 1


def _count(minimum: int = 0, maximum: int = _INTEGER_LIMIT) -> Option:
    return Option(int, minimum, maximum)


FLAG = Option(bool)
_FRACTION = Option(float, 0.0, 1.0)

# What every simulator takes; ``method`` comes from the catalog.
SUBMISSION_OPTIONS: dict[str, Option] = {
    "shots": _count(1, SHOTS_LIMIT),
    "seed_simulator": _count(0, SEED_LIMIT),
    "memory": FLAG,
    "optimization_level": _count(0, 3),
    # False refuses a circuit that the simulator cannot run as it is, instead of translating it.
    "transpile": FLAG,
}

# Adds a measurement of every qubit to each circuit that has none.
MEASURE_ALL = "measure_all"
# Adds the final state to the result, in the form that the method has it.
SAVE_STATE = "save_state"

AER_OPTIONS: dict[str, Option] = {
    "accept_distributed_results": FLAG,
    "batched_shots_gpu": FLAG,
    "batched_shots_gpu_max_qubits": _count(),
    "blocking_enable": FLAG,
    "blocking_qubits": _count(),
    "chop_threshold": _FRACTION,
    "chunk_swap_buffer_qubits": _count(),
    "cuStateVec_enable": FLAG,
    "device": Option(str, words=("CPU", "GPU")),
    "enable_truncation": FLAG,
    "extended_stabilizer_approximation_error": _FRACTION,
    "extended_stabilizer_metropolis_mixing_time": _count(),
    "extended_stabilizer_norm_estimation_repetitions": _count(1),
    "extended_stabilizer_norm_estimation_samples": _count(1),
    "extended_stabilizer_parallel_threshold": _count(),
    "extended_stabilizer_probabilities_snapshot_samples": _count(1),
    "extended_stabilizer_sampling_method": Option(str, words=("metropolis", "resampled_metropolis", "norm_estimation")),
    "fusion_enable": FLAG,
    "fusion_max_qubit": _count(1),
    "fusion_threshold": _count(),
    "fusion_verbose": FLAG,
    "matrix_product_state_max_bond_dimension": _count(1),
    "matrix_product_state_truncation_threshold": _FRACTION,
    "max_parallel_experiments": _count(),
    "max_parallel_shots": _count(),
    "mps_lapack": FLAG,
    "mps_log_data": FLAG,
    "mps_omp_threads": _count(1),
    "mps_parallel_threshold": _count(),
    "mps_sample_measure_algorithm": Option(str, words=("mps_heuristic", "mps_probabilities", "mps_apply_measure")),
    "mps_swap_direction": Option(str, words=("mps_swap_left", "mps_swap_right")),
    "num_threads_per_device": _count(1),
    "precision": Option(str, words=("double", "single")),
    "runtime_parameter_bind_enable": FLAG,
    "shot_branching_enable": FLAG,
    "shot_branching_sampling_enable": FLAG,
    "stabilizer_max_snapshot_probabilities": _count(),
    "statevector_parallel_threshold": _count(1),
    "statevector_sample_measure_opt": _count(1),
    "tensor_network_num_sampling_qubits": _count(1),
    "use_cuTensorNet_autotuning": FLAG,
    "zero_threshold": _FRACTION,
}

# Options of AerSimulator that a job has no say in, each with what to do instead.
RULED_ELSEWHERE: dict[str, str] = {
    "executor": "jobs run in processes of their own already",
    "max_job_size": "it has no effect since Aer 0.15",
    "max_shot_size": "it has no effect since Aer 0.15",
    "max_memory_mb": "it follows from the memory limit of the job",
    "max_parallel_threads": "it is chosen by the size of the circuits",
    "noise_model": "it is given by itself (--noise-model, --noise, --like; noise_model= of run() in Python)",
    "parameter_binds": "they are given by themselves (--bind, --sweep; parameter_binds= of run() in Python)",
    "validation_threshold": "Aer takes only whole numbers for it, which makes it useless",
}

# Options that only say something to some of the methods: a prefix of the name, and those methods.
METHODS_OF_PREFIX: dict[str, tuple[str, ...]] = {
    "extended_stabilizer_": ("extended_stabilizer",),
    "matrix_product_state_": ("matrix_product_state",),
    "mps_": ("matrix_product_state",),
    "stabilizer_": ("stabilizer",),
    # Methods that need an Aer with cuTensorNet; only "automatic" can come to them.
    "tensor_network_": ("automatic",),
    "use_cuTensorNet_": ("automatic",),
}
