"""The answer of `completion`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.frozen import dataclass


@dataclass(frozen=True, kw_only=True)
class CompletionScript(Answer):
    """What a shell has to load."""

    shell: str
    script: str

    def content(self) -> dict[str, Any]:
        return {"shell": self.shell, "script": self.script}

    def lines(self) -> Iterator[str]:
        yield from self.script.splitlines()
