"""Running jobs once more, and comparing what they give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from aerjob_cli.api.client import Client
from aerjob_cli.api.comparison import Verdict, compare
from aerjob_cli.cli.answers.base import Answer, Note
from aerjob_cli.cli.answers.verification import Verifications, Verified, remarks_on
from aerjob_cli.cli.endings import await_ends
from aerjob_cli.errors import NoResultOfCancelled, NoResultOfError
from aerjob_cli.states import Status
from aerjob_cli.store.records import JobRecord


def verify(client: Client, jobs: Sequence[JobRecord], *, timeout_s: float | None, quiet: bool) -> Iterator[Answer]:
    """Repeat jobs, wait for the end, and answer whether the results are the same.

    The new ids are told first: whatever ends the wait, the jobs go on. Raises ``NoResultOfCancelled``,
    ``JobNotFinal`` and ``Pruned``, and then nothing was begun.
    """
    originals = list({job.seq: job for job in jobs}.values())
    for job in originals:
        if job.status is Status.CANCELLED:
            raise NoResultOfCancelled(job.job_id, job.status, job.reason, job.message)
    client.require_results(originals)
    retried = client.retry(originals)
    if not quiet:
        yield Note(remarks=tuple(f"job {job.job_id}" for job in retried))
    ended, error = await_ends(client, retried, timeout_s=timeout_s, quiet=quiet)
    verified = tuple(
        Verified(job, again, compare(client, job, again) if again.status.is_final else None)
        for job, again in zip(originals, ended, strict=True)
    )
    yield Verifications(
        verified=verified,
        remarks=tuple(remark for item in verified for remark in remarks_on(item)),
        error=error,
        exit_code=_exit_code(verified) if error is None else error.exit_code,
    )


def _exit_code(verified: Sequence[Verified]) -> int:
    verdicts = {item.verdict for item in verified}
    if Verdict.DIFFERS in verdicts:
        return NoResultOfError.exit_code
    return NoResultOfCancelled.exit_code if Verdict.NOT_COMPARED in verdicts else 0
