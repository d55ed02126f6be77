"""The answer of `schema`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from aerjob_cli.cli.answers.base import Answer
from aerjob_cli.frozen import dataclass


@dataclass(frozen=True, kw_only=True)
class SchemaDocument(Answer):
    """A JSON Schema. With the version of the forms beside its keywords it still is one."""

    document: Mapping[str, Any]

    def content(self) -> dict[str, Any]:
        return dict(self.document)

    def lines(self) -> Iterator[str]:
        yield from json.dumps(self.document, indent=2).splitlines()
