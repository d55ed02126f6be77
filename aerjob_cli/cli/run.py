"""`run`: files become jobs, and the results are printed when they have ended."""

from __future__ import annotations

from collections.abc import Iterator

import typer

from aerjob_cli.cli import options
from aerjob_cli.cli.answers import Answer, Note
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.endings import await_ends, exit_code_of, is_refused, refusal_of, refusals, remarks_on
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.outcomes import read_result
from aerjob_cli.cli.requests import requests_of, take_in
from aerjob_cli.cli.result_answers import JobResult, RunResults
from aerjob_cli.states import Status


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("aerjob run bell.qasm --shots 4000", 1, 4, 6, 124))(run)


def run(
    context: typer.Context,
    files: options.Files,
    backend: options.Backend = None,
    shots: options.Shots = None,
    seed: options.Seed = None,
    memory: options.Memory = False,
    measure_all: options.MeasureAll = False,
    name: options.Name = None,
    tag: options.Tags = None,
    priority: options.Priority = 0,
    time_limit: options.TimeLimit = None,
    max_memory: options.MaxMemory = None,
    max_attempts: options.MaxAttempts = 3,
    idempotency_key: options.IdempotencyKey = None,
    timeout: options.Timeout = None,
    quiet: options.Quiet = False,
    as_json: options.AsJson = False,
) -> Iterator[Answer]:
    """Submit circuits, wait for their end and print the results; the ids are on stderr."""
    invocation = Invocation.of(context, as_json=as_json)
    requests = requests_of(context.params, invocation.settings)
    client = invocation.client
    jobs, error = take_in(client, requests)
    if error is not None or not quiet:
        yield Note(remarks=tuple(f"job {job.job_id}" for job in jobs))
    if error is None:
        jobs, error = await_ends(client, jobs, timeout_s=timeout)
    problem = error or refusal_of(jobs)
    yield RunResults(
        results=tuple(
            read_result(client, job) if job.status is Status.DONE else JobResult(job=job, experiments=())
            for job in jobs
        ),
        remarks=(*refusals(jobs), *remarks_on(job for job in jobs if not is_refused(job))),
        error=problem,
        exit_code=exit_code_of(jobs) if problem is None else problem.exit_code,
    )
