"""Whether the bytes of a result in a bundle are one, as far as that is seen without NumPy."""

from __future__ import annotations

import json
from typing import Any

from aerjob_cli.bundles.fields import Fields, NotAsItShouldBe, parsed
from aerjob_cli.codec.envelope import PUB_RESULT
from aerjob_cli.codec.program_text import REGISTER_LIMIT
from aerjob_cli.codec.pub_results import decode_pub_result
from aerjob_cli.codec.results import decode_experiment

_COUNT_LIMIT = 2**31 - 1


def require_result(format: str, data: bytes) -> None:
    """Raise ``NotAsItShouldBe`` for what cannot be the result of an experiment."""
    content = parsed(data)
    fields = Fields(content)
    fields.whole("shots", 1, _COUNT_LIMIT)
    try:
        if format == PUB_RESULT:
            decode_pub_result(data)
            return
        decode_experiment(data)
    except ValueError as error:
        raise NotAsItShouldBe(str(error)) from error
    header = Fields(content.get("header") or {}, "header")
    # Texts of so many digits are made of it.
    header.optional("memory_slots", lambda name: header.whole(name, 0, REGISTER_LIMIT))
    _require_counts(content["data"].get("counts"))


def _require_counts(counts: Any) -> None:
    if counts is None:
        return
    if not isinstance(counts, dict) or not all(type(count) is int and count >= 0 for count in counts.values()):
        raise NotAsItShouldBe(f"counts is {json.dumps(counts)[:60]}")
