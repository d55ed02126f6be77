"""The answer of `doctor`: findings, the worst of which decides the exit code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.cli.checkup.finding import Finding, Part, State
from aerjob_cli.cli.cleaning import clean
from aerjob_cli.cli.plurals import count_of
from aerjob_cli.errors import StoreTroubleFound, TroubleFound
from aerjob_cli.frozen import dataclass


@dataclass(frozen=True, kw_only=True)
class Diagnosis(Answer):
    """What was looked at, in the order in which one thing needs the one before."""

    screen: ClassVar[str | None] = "doctor"

    findings: tuple[Finding, ...]

    @classmethod
    def of(cls, findings: Sequence[Finding]) -> Diagnosis:
        """Sum up findings; a store that is not usable outweighs a program that is not."""
        troubles = [finding for finding in findings if finding.state is State.WRONG]
        if not troubles:
            return cls(findings=tuple(findings))
        kind = StoreTroubleFound if any(finding.part is Part.STORE for finding in troubles) else TroubleFound
        sentence = f"{count_of(len(troubles), 'thing')} must be seen to; what to do is said of each"
        error = kind(sentence, subjects=list(dict.fromkeys(finding.subject for finding in troubles)))
        return cls(findings=tuple(findings), error=error, exit_code=error.exit_code)

    def content(self) -> dict[str, Any]:
        return {
            "findings": [
                {
                    "subject": finding.subject,
                    "state": finding.state,
                    "fact": finding.fact,
                    "remedy": finding.remedy,
                }
                for finding in self.findings
            ]
        }

    def lines(self) -> Iterator[str]:
        for finding in self.findings:
            cells = (finding.state, finding.subject, finding.fact, finding.remedy or "")
            yield "\t".join(clean(cell) for cell in cells)
