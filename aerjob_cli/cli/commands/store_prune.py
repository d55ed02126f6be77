"""`store prune`: old jobs, their results or their circuits go, and the room that they took is given back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer

from aerjob_cli.api import pruning
from aerjob_cli.api.matched import Matched, Meant
from aerjob_cli.cli import parameters
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.pruned import StorePruned
from aerjob_cli.cli.compacting import compacted
from aerjob_cli.cli.confirmation import confirm
from aerjob_cli.cli.context import Invocation
from aerjob_cli.cli.exit_codes import epilog
from aerjob_cli.cli.filters import FilterOptionsWithReason
from aerjob_cli.cli.parameter_objects import expanded
from aerjob_cli.cli.part_by_part import change
from aerjob_cli.cli.plurals import count_of
from aerjob_cli.cli.selection import matching
from aerjob_cli.errors import UsageError
from aerjob_cli.frozen import dataclass
from aerjob_cli.states import FINAL, Part
from aerjob_cli.store.database import Store
from aerjob_cli.store.listing import JobFilter

KeepTags = Annotated[
    list[str] | None,
    typer.Option("--keep-tag", parser=parameters.text, metavar="TAG", help="Not those with this tag; may be repeated."),
]
Results = Annotated[bool, typer.Option("--results", help="Remove their results, and keep all else of them.")]
Circuits = Annotated[
    bool,
    typer.Option("--circuits", help="Remove their circuits, and keep all else; they cannot be retried then."),
]

# Of what is removed part by part; a word each for what becomes of a job, and of what.
_DELETED, _PRUNED = "deleted", "pruned"


@dataclass(frozen=True, kw_only=True)
class PruneOptions(FilterOptionsWithReason):
    """Which ended jobs are meant, and what is to be removed of them, in the order of the help text."""

    keep_tag: KeepTags = None
    results: Results = False
    circuits: Circuits = False

    @property
    def parts(self) -> tuple[Part, ...]:
        """What is to be removed of jobs that are kept; nothing where whole jobs are to go."""
        wanted = ((Part.RESULTS, self.results), (Part.CIRCUITS, self.circuits))
        return tuple(part for part, is_wanted in wanted if is_wanted)


takes_prune_options = expanded(PruneOptions)


def register(commands: typer.Typer) -> None:
    """Add the command to those of the store."""
    commands.command("prune", epilog=epilog("aerjob store prune --older-than 30d --keep-tag paper --dry-run", 3))(prune)


@takes_prune_options
def prune(
    context: typer.Context,
    wanted: PruneOptions,
    dry_run: parameters.DryRun = False,
    yes: parameters.Yes = False,
    as_json: parameters.AsJson = False,
) -> Answer:
    """Delete old jobs, or only their results or circuits, and give the room back to the disk.

    Only jobs that have ended are meant, and none that a job depends on which has not ended. Their number is to be
    confirmed, or --yes given where there is no terminal. Of more than 2000, 500 go at a time. Jobs that are kept are as
    they were, but for what was removed.
    """
    if wanted.filter == JobFilter():
        raise UsageError(
            "say which jobs are meant, with --older-than 30d or another option; --keep-tag only leaves some"
        )
    invocation = Invocation.of(context, as_json=as_json)
    client = invocation.client
    parts = wanted.parts
    fitting = replace(wanted.filter, without_tags=tuple(wanted.keep_tag or ()), parts=parts)
    matched = matching(client, fitting, among=FINAL)
    if dry_run:
        seqs = pruning.prunable(client.store, matched)
        return StorePruned(
            parts=parts,
            jobs=len(seqs),
            stored_bytes=pruning.size_of(client.store, seqs, parts or tuple(Part)),
            is_rehearsal=True,
            remarks=_left_alone(matched, len(seqs)),
        )
    confirm(f"remove the {' and '.join(parts)} of {{}}" if parts else "delete {}", matched, yes=yes, is_required=True)
    return _pruned(client.store, matched, parts)


def _pruned(store: Store, matched: Matched, parts: tuple[Part, ...]) -> StorePruned:
    freed_bytes = 0

    def remove(part: Meant) -> Sequence[int]:
        nonlocal freed_bytes
        assert isinstance(part, Matched)
        seqs, freed = pruning.prune(store, part, parts)
        freed_bytes += freed
        return seqs

    made = change(matched, remove, told=_PRUNED if parts else _DELETED)
    # Who was interrupted does not want to wait for it.
    compacted_bytes, remarks = (0, ()) if made.error is not None else compacted(store)
    answer = StorePruned(
        parts=parts,
        jobs=len(made.done),
        freed_bytes=freed_bytes + compacted_bytes,
        remarks=(*(_left_alone(matched, len(made.done)) if made.error is None else ()), *remarks),
    )
    return made.told_by(answer)


def _left_alone(matched: Matched, done: int) -> tuple[str, ...]:
    left = len(matched.seqs) - done
    if not left:
        return ()
    return (f"{count_of(left, 'job')} stayed: jobs that have not ended depend on them, or they no longer fit",)
