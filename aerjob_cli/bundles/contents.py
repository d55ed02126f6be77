"""The bytes of the jobs of a bundle, in the form in which the store takes them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from aerjob_cli.bundles.fields import NotAsItShouldBe
from aerjob_cli.bundles.layout import TEXT_LIMIT_BYTES, array_path, circuits_path, result_path
from aerjob_cli.bundles.reading import Bundle
from aerjob_cli.bundles.results import require_result
from aerjob_cli.frozen import dataclass
from aerjob_cli.settings import INLINE_LIMIT_BYTES
from aerjob_cli.store.imported_jobs import ImportedJob
from aerjob_cli.store.records import ExperimentRecord, Payload


@dataclass(frozen=True)
class Program:
    """The payloads of a job that was found valid where it comes from: (path, SHA-256, format, name, size) of each."""

    job_id: str
    experiments_total: int
    files: tuple[tuple[str, str, str, str, int], ...]

    @property
    def key(self) -> tuple[object, ...]:
        """What is the same for all jobs of which one need be looked at."""
        return self.experiments_total, *(file[1:] for file in self.files)


class Contents:
    """What a bundle has of its jobs beside what it says of them."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle

    def large(self, job: ImportedJob) -> Iterator[tuple[str, str, int]]:
        """Give path, SHA-256 and size of the files of a job that belong into the object folder."""
        files = [
            (circuits_path(job.job_id, place, item.format), item.sha256, item.size_bytes)
            for place, item in enumerate(job.asked.payloads)
        ]
        for result in job.results:
            files.append((result_path(job.job_id, result.position), result.sha256, result.size_bytes))
            files += [
                (array_path(job.job_id, result.position, array.name), array.sha256, array.size_bytes)
                for array in result.arrays
            ]
        return (file for file in files if file[2] > INLINE_LIMIT_BYTES)

    def payloads(self, job: ImportedJob) -> list[Payload]:
        """Give what a job was submitted with, small bytes included; raises ``BundleRefused``."""
        return [
            replace(
                item, data=self._inline(circuits_path(job.job_id, place, item.format), item.sha256, item.size_bytes)
            )
            for place, item in enumerate(job.asked.payloads)
        ]

    def results(self, job: ImportedJob) -> Iterator[tuple[ExperimentRecord, str | None]]:
        """Give the results of a job, small bytes included, and what each ran with; raises ``BundleRefused``."""
        for item in job.results:
            path = result_path(job.job_id, item.position)
            arrays = tuple(
                Payload(
                    array.name,
                    array.format,
                    array.sha256,
                    array.size_bytes,
                    self._inline(array_path(job.job_id, item.position, array.name), array.sha256, array.size_bytes),
                )
                for array in item.arrays
            )
            data = self._inline(path, item.sha256, item.size_bytes)
            payload = Payload(item.name, item.format, item.sha256, item.size_bytes, data)
            yield ExperimentRecord(item.position, item.attempt, item.shots, payload, arrays, item.run), item.runtime_id

    def _inline(self, path: str, sha256: str, size_bytes: int) -> bytes | None:
        return None if size_bytes > INLINE_LIMIT_BYTES else self._bundle.data(path, sha256)

    def require_results(self, job: ImportedJob) -> None:
        """Refuse a bundle with something that cannot be the result of an experiment; raises ``BundleRefused``."""
        for item in job.results:
            path = result_path(job.job_id, item.position)
            if item.size_bytes > TEXT_LIMIT_BYTES:
                continue
            try:
                require_result(item.format, self._bundle.data(path, item.sha256))
            except NotAsItShouldBe as error:
                raise self._bundle.refused(f"{path} is not the result of an experiment ({error})") from error


def program_of(job: ImportedJob) -> Program | None:
    """Give what has to be parsed before it is stored: of a job that was never valid, nobody will read the circuits.

    Nor of one without them.
    """
    total = job.asked.experiments_total
    if total is None or job.end.circuits_pruned_us is not None:
        return None
    return Program(
        job.job_id,
        total,
        tuple(
            (circuits_path(job.job_id, place, item.format), item.sha256, item.format, item.name, item.size_bytes)
            for place, item in enumerate(job.asked.payloads)
        ),
    )
