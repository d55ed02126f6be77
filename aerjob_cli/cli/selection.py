"""Which jobs are meant, for all verbs that take many: those of some ids, or those that have something in common."""

from __future__ import annotations

from dataclasses import replace

from aerjob_cli.api.client import Client
from aerjob_cli.api.matched import Matched, Meant
from aerjob_cli.cli import parameters
from aerjob_cli.cli.filters import FilterOptions, FilterOptionsWithReason
from aerjob_cli.cli.parameter_objects import expanded
from aerjob_cli.errors import NothingMatched, UsageError
from aerjob_cli.frozen import dataclass
from aerjob_cli.states import FINAL, UNBEGUN, Part, Status
from aerjob_cli.store.listing import JobFilter
from aerjob_cli.store.records import JobRecord


@dataclass(frozen=True, kw_only=True)
class Selection(FilterOptions):
    """What a person may say about which jobs are meant, in the order of the help text."""

    job_ids: parameters.SomeJobIds = None

    @property
    def wanted(self) -> JobFilter | None:
        """What the jobs must have in common; None where they are named. Raises ``UsageError`` for both or neither."""
        has_filter = self.filter != JobFilter()
        if not self.job_ids and not has_filter:
            raise UsageError("say which jobs are meant: by their ids, or by an option such as --tag or --group")
        if self.job_ids and has_filter:
            raise UsageError("jobs are meant by their ids, or by options such as --tag; give one of these")
        return self.filter if has_filter else None

    @property
    def lone_id(self) -> str | None:
        """The id that was given, where it is one alone; raises ``UsageError`` as ``wanted`` does."""
        job_ids = self.job_ids or ()
        return job_ids[0] if self.wanted is None and len(job_ids) == 1 else None

    def meant(
        self,
        client: Client,
        *,
        among: frozenset[Status] | None = None,
        not_retried: bool = False,
        parts: tuple[Part, ...] = (),
    ) -> Meant:
        """Give the jobs, each once; of those that have something in common only the ones in the states ``among``.

        They have one of ``parts`` still, if any are named, and with ``not_retried`` nobody has tried them again. Raises
        ``UsageError``, ``JobNotFound``, ``AmbiguousJobId``, ``GroupNotFound`` or ``NothingMatched``.
        """
        wanted = self.wanted
        if wanted is None:
            return list({job.seq: job for job in client.resolve(self.job_ids or ())}.values())
        return matching(client, replace(wanted, not_retried=not_retried, parts=parts), among=among)

    def jobs(self, client: Client) -> list[JobRecord]:
        """Give the jobs as they are now; raises as ``meant``."""
        meant = self.meant(client)
        return client.latest(meant) if isinstance(meant, Matched) else list(meant)


@dataclass(frozen=True, kw_only=True)
class SelectionWithReason(Selection, FilterOptionsWithReason):
    """The same, and why they ended; for verbs whose ``--reason`` means nothing else."""


def matching(client: Client, wanted: JobFilter, *, among: frozenset[Status] | None = None) -> Matched:
    """Find all jobs that fit and are in one of the states ``among``; raises ``GroupNotFound`` or ``NothingMatched``."""
    narrowed = wanted if among is None else wanted.among(among)
    if narrowed is not None and (found := client.match(narrowed)).seqs:
        return found
    raise none_fits(among, not_retried=wanted.not_retried)


def none_fits(among: frozenset[Status] | None, *, not_retried: bool = False) -> NothingMatched:
    """Give the error of a command that found no job of the states ``among`` which fits."""
    if among is None:
        fact = "no job fits"
    elif among == frozenset(UNBEGUN):
        fact = "no job fits that has not begun"
    elif not among <= FINAL:
        fact = "no pending job fits"
    elif not_retried:
        fact = "no job fits that has ended and has not been tried again yet"
    else:
        fact = "no job that has ended fits"
    return NothingMatched(f"{fact}; `aerjob list` with the same options shows what does")


takes_selection = expanded(Selection)
takes_selection_with_reason = expanded(SelectionWithReason)
