"""From the stored bytes of a result to counts, without Qiskit."""

from __future__ import annotations

from aerjob_cli.api.client import Client, ExperimentBytes
from aerjob_cli.cli.answers.results import ExperimentCounts, JobResult
from aerjob_cli.codec.counts import bit_counts, bit_memory
from aerjob_cli.codec.envelope import EXPERIMENT_RESULT
from aerjob_cli.codec.results import decode_experiment
from aerjob_cli.errors import PayloadDamaged
from aerjob_cli.store.records import JobRecord


def read_result(client: Client, job: JobRecord) -> JobResult:
    """Read the result of a job that is DONE; raises ``PayloadDamaged`` when it is not what was stored."""
    experiments = tuple(_counts(client, job, stored) for stored in client.results(job))
    if len(experiments) != job.experiments_total:
        fact = f"has {len(experiments)} of the {job.experiments_total} results of job {job.job_id}"
        raise PayloadDamaged(client.settings.paths.database, fact, "restore it from a backup")
    return JobResult(job=job, experiments=experiments)


def _counts(client: Client, job: JobRecord, stored: ExperimentBytes) -> ExperimentCounts:
    try:
        if stored.format != EXPERIMENT_RESULT:
            raise ValueError(f"the format {stored.format!r} is not known")
        content = decode_experiment(stored.data)
        header = content.get("header") or {}
        counts = bit_counts(content["data"].get("counts", {}), header)
        memory = content["data"].get("memory")
        return ExperimentCounts(
            name=str(header.get("name", stored.name)),
            shots=int(content["shots"]),
            seed=int(content.get("seed_simulator", job.seed)),
            counts=dict(sorted(counts.items(), key=lambda item: (-item[1], item[0]))),
            memory=tuple(bit_memory(memory, header)) if job.memory and memory is not None else None,
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        fact = f"has a result of job {job.job_id} that cannot be read ({error})"
        raise PayloadDamaged(
            client.settings.paths.database, fact, "upgrade aerjob, or restore it from a backup"
        ) from error
