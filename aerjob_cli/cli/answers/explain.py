"""Why jobs are where they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aerjob_cli.api.explanations import Explanation
from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.answers.jobs import job_json
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.frozen import dataclass


@dataclass(frozen=True, kw_only=True)
class Explained(Answer):
    """A sentence for each job."""

    explanations: tuple[Explanation, ...]

    def content(self) -> dict[str, Any]:
        return {
            "jobs": [
                job_json(item.job) | {"cause": item.cause, "explanation": item.sentence} for item in self.explanations
            ]
        }

    def lines(self) -> Iterator[str]:
        for item in self.explanations:
            yield clean(f"{item.job.job_id}\t{item.job.status}\t{item.sentence}")
