"""The answers to a submission, with and without waiting for its end."""

from __future__ import annotations

from collections.abc import Sequence

from aerjob_cli.cli.answers.jobs import Submitted
from aerjob_cli.cli.endings import exit_code_of, is_refused, refusal_of, refusals, remarks_on
from aerjob_cli.errors import AerjobError
from aerjob_cli.store.records import JobRecord


def submission(jobs: Sequence[JobRecord], *, error: AerjobError | None, remarks: tuple[str, ...]) -> Submitted:
    """Answer when the verdicts are there: a refused circuit decides the exit code."""
    problem = error or refusal_of(jobs)
    return Submitted(
        jobs=tuple(jobs),
        error=problem,
        remarks=(*refusals(jobs), *remarks),
        exit_code=0 if problem is None else problem.exit_code,
    )


def waited_submission(jobs: Sequence[JobRecord], *, error: AerjobError | None) -> Submitted:
    """Answer when the jobs have ended, or ``error`` ended the wait; the remarks leave out what was refused."""
    problem = error or refusal_of(jobs)
    return Submitted(
        jobs=tuple(jobs),
        error=problem,
        remarks=remarks_on(job for job in jobs if not is_refused(job)),
        exit_code=exit_code_of(jobs) if problem is None else problem.exit_code,
    )
