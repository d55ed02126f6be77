"""Whether the bytes of a result in a bundle are one, as far as that is seen without NumPy."""

from __future__ import annotations

import json
import re
from typing import Any

from aerjob_cli.bundles.fields import Fields, NotAsItShouldBe, parsed
from aerjob_cli.codec.envelope import PUB_RESULT
from aerjob_cli.codec.program_text import REGISTER_LIMIT
from aerjob_cli.codec.pub_results import decode_pub_result
from aerjob_cli.codec.results import decode_experiment

_COUNT_LIMIT = 2**31 - 1
_OUTCOME = re.compile("0x[0-9a-fA-F]+")


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
    slots = header.optional("memory_slots", lambda name: header.whole(name, 0, REGISTER_LIMIT))
    _require_counts(content["data"].get("counts"), slots, content["shots"])


def _require_counts(counts: Any, slots: int | None, shots: int) -> None:
    """Refuse counts that are none: outcomes that are no numbers or too wide, more of them than shots."""
    if counts is None:
        return
    are_counts = isinstance(counts, dict) and all(type(count) is int and count >= 0 for count in counts.values())
    if not are_counts or slots is None or not all(_is_outcome(key, slots) for key in counts):
        raise NotAsItShouldBe(f"counts is {json.dumps(counts)[:60]}")
    if sum(counts.values()) > shots:
        raise NotAsItShouldBe(f"there are {sum(counts.values())} counts of {shots} shots")


def _is_outcome(key: str, slots: int) -> bool:
    # Of one digit at least, and none for bits that are not there.
    return _OUTCOME.fullmatch(key) is not None and len(key) - 2 <= max(1, slots) and int(key, 16) < 1 << max(1, slots)
