"""`plot`: a job's counts or its statevector as a picture, and a sweep as curves or a map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from aerjob_cli.cli import parameters, result_options
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.awaited_results import Wanted, job_with_result, remarks_on_part
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.outcomes import read_outcomes
from aerjob_cli.cli.output_files import output_file
from aerjob_cli.cli.pictures.bars import bar_figure
from aerjob_cli.cli.pictures.canvas import METADATA, drawn, require_matplotlib
from aerjob_cli.cli.pictures.curves import sweep_figure
from aerjob_cli.cli.pictures.measured import measured
from aerjob_cli.cli.pictures.subjects import one_outcome, subject_of
from aerjob_cli.cli.pictures.sweeps import CURVES, is_sweep, sweep_subject
from aerjob_cli.errors import UsageError
from aerjob_cli.frozen import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

# As many labels can be read.
_BARS = 32


@dataclass(frozen=True, kw_only=True)
class Plotted(Answer):
    """A picture that has been written; the file says it all, so there are no lines."""

    job_id: str
    experiment: int | None  # None for a sweep
    over: tuple[str, ...] = ()
    drawn: str
    file: str

    def content(self) -> dict[str, Any]:
        over = {"over": list(self.over)} if self.over else {}
        return {
            "job_id": self.job_id,
            "experiment": self.experiment,
            **over,
            "drawn": self.drawn,
            "file": self.file,
        }


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog=epilog("aerjob plot last -o bell.png", 1, 3, 4, 8, 70, 124))(plot)


def plot(
    context: typer.Context,
    job_id: parameters.JobId,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help=f"The picture, .{', .'.join(METADATA)}.")
    ],
    force: result_options.Force = False,
    top: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help=f"The N largest ({_BARS} bars, or {CURVES} curves); the others are one more."
        ),
    ] = None,
    experiment: Annotated[
        int | None, typer.Option(metavar="I", help="The experiment, counted from 0, where there are several.")
    ] = None,
    outcome: Annotated[
        str | None,
        typer.Option(parser=parameters.text, metavar="BITS", help="Of a sweep only this outcome, as 00."),
    ] = None,
    array: result_options.ArrayName = None,
    partial: result_options.Partial = False,
    wait: result_options.Wait = False,
    timeout: parameters.Timeout = None,
    as_json: parameters.AsJson = False,
) -> Answer:
    """Draw the counts of a job, or its statevector, into a file. Phases are colours.

    A statevector is drawn where there are no counts or only one shot, or where --array names it. A sweep over one
    parameter becomes curves, one over a grid of two a map of one outcome; --array may also name a number that was saved
    at each point.
    """
    invocation = Invocation.of(context, as_json=as_json)
    form = _form(output)
    place = output_file(output, force=force)
    assert place is not None  # stdout has no suffix
    require_matplotlib()
    client = invocation.client
    indices = None if experiment is None else (experiment,)
    job, late = job_with_result(
        client, Wanted(job_id=job_id, indices=indices, is_partial=partial, waits=wait, timeout_s=timeout)
    )
    outcomes = list(read_outcomes(client, job, indices=indices))
    draw: Callable[[], Figure]
    remarks: tuple[str, ...] = ()
    over: tuple[str, ...] = ()
    index = None
    if is_sweep(outcomes):
        sweep = sweep_subject(
            job, outcomes, measured(client, job, outcomes, name=array), outcome=outcome, top=top or CURVES
        )
        draw, name, remarks = lambda: sweep_figure(sweep), sweep.drawn, sweep.remarks
        over = tuple(axis.parameter for axis in sweep.axes)
    elif outcome is not None:
        raise UsageError("--outcome chooses a curve of a sweep, and one experiment is drawn here; leave it out")
    else:
        one = one_outcome(job, outcomes)
        subject = subject_of(client, job, one, array=array, top=top or _BARS)
        draw, name, index = lambda: bar_figure(subject.bars, subject.labelling), subject.name, one.index
    place.write([drawn(draw, form=form)])
    return Plotted(
        job_id=job.job_id,
        experiment=index,
        over=over,
        drawn=name,
        file=place.name,
        remarks=(*remarks, *remarks_on_part(job, indices=indices, found=[item.index for item in outcomes])),
        error=late,
        exit_code=0 if late is None else late.exit_code,
    )


def _form(output: str) -> str:
    """Give the format of a picture by its suffix."""
    form = output.rpartition(".")[2].lower()
    if form not in METADATA or "." not in output:
        known = ", ".join(f".{known}" for known in METADATA)
        raise UsageError(f"{output!r} does not say what picture it is to be; end the file's name with one of {known}")
    return form
