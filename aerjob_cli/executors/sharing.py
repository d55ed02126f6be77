"""Which jobs run in one call of a simulator: those that look to it like the experiments of a single job.

A call costs a small circuit a third of its time. Jobs with equal options, whose seeds follow each other as the seeds of
a job's experiments do, give the same result in one call as each in its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from aerjob_cli.codec.seeds import seed_after
from aerjob_cli.executors.messages import Message

# A call of more is hardly cheaper for each, and its results come later.
JOBS_PER_CALL = 16


def sharing(messages: Sequence[Message]) -> int:
    """Say how many of the first messages can share a call; 1 where the first is for itself."""
    first = messages[0]
    experiments = _experiments_that_share(first)
    if not experiments:
        return 1
    count = 1
    for other in messages[1:JOBS_PER_CALL]:
        more = _experiments_that_share(other)
        if not more or not _follows(first, other, experiments):
            break
        experiments += more
        count += 1
    return count


def _experiments_that_share(message: Message) -> int:
    return int(message.header.get("shares", 0)) if message.kind == "run" else 0


def _follows(first: Message, other: Message, experiments: int) -> bool:
    spec, wanted = other.header["job"], first.header["job"]
    if spec["seed"] != seed_after(wanted["seed"], experiments):
        return False
    return all(spec[name] == wanted[name] for name in wanted if name not in ("job_id", "seed"))
