"""The job of one of Qiskit's primitives: a job like any other, whose result is one for each PUB."""

from __future__ import annotations

from qiskit.primitives import BasePrimitiveJob, PrimitiveResult, PubResult
from qiskit.providers import JobStatus

from aerjob_cli.api.job import BasicAerJob
from aerjob_cli.api.stored_content import primitive_result_of
from aerjob_cli.store.records import JobRecord


class PrimitiveAerJob(BasicAerJob, BasePrimitiveJob[PrimitiveResult[PubResult], JobStatus]):
    """A job in the store that ``DurableSampler`` or ``DurableEstimator`` made, or ``aerjob submit --observable``.

    ``circuits()`` gives the circuit of each PUB, as it was handed in.
    """

    def result(self, timeout: float | None = None) -> PrimitiveResult[PubResult]:
        """Wait until the job has ended, then give its ``PrimitiveResult``; every call gives the same object.

        Raises as ``BasicAerJob.result``.
        """
        return super().result(timeout)

    def _stored_result(self, record: JobRecord) -> PrimitiveResult[PubResult]:
        return primitive_result_of(self._client, record)
