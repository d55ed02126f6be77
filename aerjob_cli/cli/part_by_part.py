"""Changing jobs, however many there are: some at a time where they are many, with no change lost on the way."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Generic, TypeVar

from aerjob_cli.api.matched import Matched, Meant
from aerjob_cli.cli import interrupts
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.errors import AerjobError
from aerjob_cli.frozen import dataclass
from aerjob_cli.settings import JOBS_CHANGED_AT_ONCE, JOBS_PER_TRANSACTION

Done = TypeVar("Done")
AnyAnswer = TypeVar("AnyAnswer", bound=Answer)


@dataclass(frozen=True)
class Changes(Generic[Done]):
    """What was done, in the order of the jobs; what came in between, and what it left as it was."""

    done: list[Done]
    error: AerjobError | None = None
    remarks: tuple[str, ...] = ()

    def told_by(self, answer: AnyAnswer) -> AnyAnswer:
        """Give the answer with what came in between."""
        told = replace(answer, remarks=(*self.remarks, *answer.remarks))
        return told if self.error is None else replace(told, error=self.error, exit_code=self.error.exit_code)


def change(
    meant: Meant,
    deed: Callable[[Meant], Sequence[Done]],
    *,
    told: str,
    look_again: Callable[[], Sequence[Done]] = tuple,
) -> Changes[Done]:
    """Do something with jobs: with those that were named, and with up to some thousand, all together.

    More are changed some at a time, and a line on the terminal tells of how many it is done; what comes in between
    leaves what is done. ``told`` says in a word what has become of a job. ``look_again`` finds what a second signal has
    left unknown. Raises whatever has left nothing done.
    """
    done: list[Done] = []
    many = meant if isinstance(meant, Matched) and len(meant.seqs) > JOBS_CHANGED_AT_ONCE else None
    try:
        for part in (meant,) if many is None else _shown(many, told):
            with interrupts.put_off():
                done += deed(part)
    except (interrupts.Interrupted, AerjobError) as cause:
        with contextlib.suppress(AerjobError), interrupts.put_off():
            done += look_again()
        if not done:
            raise
        error = cause.as_error() if isinstance(cause, interrupts.Interrupted) else cause
        return Changes(done, error, () if many is None else _left(many, len(done), told))
    return Changes(done)


def _left(meant: Matched, done: int, told: str) -> tuple[str, ...]:
    total = len(meant.seqs)
    remark = f"{done} of {total} jobs are {told}, the others are as they were; the same command does the rest"
    return (remark,) if done < total else ()


def _shown(meant: Matched, told: str) -> Iterator[Matched]:
    """Give the parts, and show meanwhile how far it is."""
    # Only those who change many need it.
    from aerjob_cli.cli.live.status_line import status_line

    with status_line() as line:
        seen = 0
        for part in meant.parts(JOBS_PER_TRANSACTION):
            yield part
            seen += len(part.seqs)
            if line.is_due():
                line.draw(f"{seen}/{len(meant.seqs)} jobs {told}")
