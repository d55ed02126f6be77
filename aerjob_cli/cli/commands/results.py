"""`result`: what a job measured, for people, for scripts, and in the formats of other programs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Annotated

import typer

from aerjob_cli.api.client import Client
from aerjob_cli.cli import parameters, result_options, streams
from aerjob_cli.cli.answers.base import Answer, Document, Note
from aerjob_cli.cli.awaited_results import Wanted, job_with_result, remarks_on_part
from aerjob_cli.cli.chosen_arrays import one_array
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.outcomes import ELEMENTS_LISTED, StoredOutcome, read_outcomes, read_result
from aerjob_cli.cli.output_files import OutputFile, output_file
from aerjob_cli.cli.render import as_text
from aerjob_cli.cli.result_csv import arrays_csv, counts_csv, expectations_csv
from aerjob_cli.cli.selection import SelectionWithReason, takes_selection_with_reason
from aerjob_cli.cli.several_results import Looked, csv_of, look_at, results_of
from aerjob_cli.errors import UsageError
from aerjob_cli.frozen import dataclass
from aerjob_cli.store.records import JobRecord


class ResultFormat(StrEnum):
    """How a result is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    NPY = "npy"
    QISKIT = "qiskit"


_ANSWERS = (ResultFormat.TABLE, ResultFormat.JSON)
_WITH_TOP = (*_ANSWERS, ResultFormat.CSV)
_WITH_ARRAY = (ResultFormat.CSV, ResultFormat.NPY)


@dataclass(frozen=True, kw_only=True)
class _Form:
    """What is wanted of a result."""

    format: ResultFormat
    indices: frozenset[int] | None
    top: int | None
    array: str | None
    place: OutputFile | None


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("aerjob result last --format csv -o counts.csv", 1, 3, 4, 8, 70, 124))(result)


@takes_selection_with_reason
def result(
    context: typer.Context,
    selection: SelectionWithReason,
    form: Annotated[
        ResultFormat | None, typer.Option("--format", help="For people, scripts, spreadsheets, NumPy or Qiskit.")
    ] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file; `-` is stdout.")
    ] = None,
    force: result_options.Force = False,
    top: result_options.Top = None,
    experiment: Annotated[
        list[int] | None, typer.Option(metavar="I", help="Only this experiment, counted from 0; may be repeated.")
    ] = None,
    array: result_options.ArrayName = None,
    partial: result_options.Partial = False,
    wait: result_options.Wait = False,
    timeout: parameters.Timeout = None,
    as_json: parameters.AsJson = False,
) -> Iterator[Answer]:
    """Give the result of a job, as a table or in a format for programs.

    With several ids, or options that say what jobs have in common, the results of all of these, in one answer: as a
    table, JSON or CSV.
    """
    invocation = Invocation.of(context, as_json=as_json)
    wanted = _Form(
        format=_format(form, as_json=as_json, is_json_usual=invocation.json),
        indices=frozenset(experiment) if experiment else None,
        top=top,
        array=array,
        place=output_file(output, force=force),
    )
    invocation.json = wanted.format is ResultFormat.JSON
    _check(wanted)
    client = invocation.client
    job_id = selection.lone_id
    if job_id is None:
        _require_for_several(wanted)
        jobs = selection.jobs(client)
        looked = look_at(client, jobs, waits=wait, timeout_s=timeout, is_partial=partial)
        yield from _of_several(client, looked, wanted)
        return
    job, late = job_with_result(
        client, Wanted(job_id=job_id, indices=wanted.indices, is_partial=partial, waits=wait, timeout_s=timeout)
    )
    for answer in _answers(client, job, wanted) if wanted.format in _ANSWERS else _documents(client, job, wanted):
        # The error is told once, and last.
        is_last = late is not None and not isinstance(answer, Document)
        yield replace(answer, error=late, exit_code=late.exit_code) if is_last and late is not None else answer


def _format(form: ResultFormat | None, *, as_json: bool, is_json_usual: bool) -> ResultFormat:
    if as_json and form not in (None, *_ANSWERS):
        raise UsageError(f"--json and --format {form} are two formats; give one of them")
    if as_json or (form is None and is_json_usual):
        return ResultFormat.JSON
    return form or ResultFormat.TABLE


def _check(wanted: _Form) -> None:
    if wanted.top is not None and wanted.format not in _WITH_TOP:
        raise UsageError(f"--top goes with --format {', '.join(_WITH_TOP)}; {wanted.format} takes all or nothing")
    if wanted.array is not None and wanted.format not in _WITH_ARRAY:
        raise UsageError(f"--array goes with --format {' and '.join(_WITH_ARRAY)}; {wanted.format} tells of all arrays")
    if wanted.format is ResultFormat.NPY and wanted.place is None and streams.is_terminal():
        raise UsageError("an array in .npy is nothing for a terminal; name a file with --output")


def _require_for_several(wanted: _Form) -> None:
    if wanted.format not in _WITH_TOP:
        raise UsageError(f"--format {wanted.format} has the result of one job; give one id with it")
    if wanted.indices is not None or wanted.array is not None:
        raise UsageError("--experiment and --array pick from the result of one job; give one id with them")


def _of_several(client: Client, looked: Looked, wanted: _Form) -> Iterator[Answer]:
    if wanted.format is ResultFormat.CSV:
        parts, left_out = csv_of(client, looked, top=wanted.top)
        yield from _written(parts, wanted)
        yield Note(remarks=(*looked.remarks, *left_out), error=looked.late, exit_code=looked.exit_code)
        return
    is_json = wanted.format is ResultFormat.JSON
    answer = results_of(client, looked, is_json=is_json, top=wanted.top)
    if wanted.place is None:
        yield answer
    else:
        wanted.place.write([as_text(answer, as_json=is_json).encode("utf-8", errors="backslashreplace")])
        yield Note(remarks=answer.remarks, error=answer.error, exit_code=answer.exit_code)


def _answers(client: Client, job: JobRecord, wanted: _Form) -> Iterator[Answer]:
    is_json = wanted.format is ResultFormat.JSON
    # Elements that nobody asked for are not looked at: they may be many, and need NumPy.
    listed = None if is_json and wanted.top is None else wanted.top or ELEMENTS_LISTED
    answer = read_result(client, job, indices=wanted.indices, top=wanted.top, listed=listed)
    remarks = remarks_on_part(job, indices=wanted.indices, found=[item.index for item in answer.experiments])
    is_seen = wanted.place is None and streams.is_terminal()
    if not is_json and not is_seen:
        remarks += answer.left_out()
    if wanted.place is None:
        yield replace(answer, remarks=remarks)
    else:
        wanted.place.write([as_text(answer, as_json=is_json).encode("utf-8", errors="backslashreplace")])
        yield Note(remarks=remarks)


def _documents(client: Client, job: JobRecord, wanted: _Form) -> Iterator[Answer]:
    outcomes = list(read_outcomes(client, job, indices=wanted.indices))
    remarks = remarks_on_part(job, indices=wanted.indices, found=[outcome.index for outcome in outcomes])
    parts: Iterable[bytes]
    if wanted.format is ResultFormat.NPY:
        array = one_array(job, outcomes, wanted.array or _usual_array(outcomes))
        # A file gets its name only when all of it has proved right; what was written to stdout cannot be taken back.
        parts = array.parts(verified_first=wanted.place is None)
    elif wanted.format is ResultFormat.QISKIT:
        # It imports Qiskit, the others do not.
        from aerjob_cli.cli.result_qiskit import qiskit_json

        parts = [qiskit_json(client, job, indices=wanted.indices)]
    elif wanted.array is None and any(outcome.expectations is not None for outcome in outcomes):
        parts = expectations_csv([(job, outcomes)])
    elif wanted.array is not None or (outcomes and not any(outcome.counts for outcome in outcomes)):
        parts = arrays_csv(client, job, outcomes, name=wanted.array, top=wanted.top)
    else:
        parts = counts_csv([(job, outcomes)], top=wanted.top)
        if any(outcome.arrays for outcome in outcomes):
            remarks += ("these are the counts; --array NAME gives an array, `aerjob result` shows which there are",)
    yield from _written(parts, wanted)
    yield Note(remarks=remarks)


def _written(parts: Iterable[bytes], wanted: _Form) -> Iterator[Document]:
    if wanted.place is not None:
        wanted.place.write(parts)
        return
    for part in parts:
        if streams.reader_has_left():
            break
        yield Document(data=part)


def _usual_array(outcomes: Sequence[StoredOutcome]) -> str | None:
    """Name the array that is meant where there are several and none was named: an estimator's values."""
    return "evs" if any(outcome.expectations is not None for outcome in outcomes) else None
