"""What a request must be like whatever its circuits are: every field of the right type and in its range.

Shared by the command line and Python, and run before anything is stored. Integers of NumPy become Python's.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aerjob_cli.api.waits import checked_begin, checked_references
from aerjob_cli.codec import strict_json
from aerjob_cli.codec.options import check_options
from aerjob_cli.errors import InputRefused, brief
from aerjob_cli.plugins.discovery import simulator_named

if TYPE_CHECKING:
    from aerjob_cli.api.requests import Request

_STORED_INTEGER_LIMIT = 2**63 - 1  # SQLite's integers
_PRIORITY_LIMIT = 1_000_000
_TEXT_LIMIT = 1000
_COMMAND_LIMIT = 4096
TAGS_LIMIT = 100
METADATA_LIMIT_BYTES = 2**20  # it is read with each look at the job
_OWN_FIELDS = ("shots", "memory", "seed_simulator")


def checked(request: Request) -> Request:
    """Give the request with its values in Python's own types, or as it is if it has been; raises ``InputRefused``."""
    if request.is_checked:
        return request
    shots = simulator_named(request.backend).default_shots if request.shots is None else request.shots
    asked = {"shots": shots, "memory": request.memory, "seed_simulator": request.seed}
    options = check_options({**request.options, **asked}, request.backend)
    return replace(
        request,
        shots=options["shots"],
        memory=options.get("memory", False),
        seed=options.get("seed_simulator"),
        options={name: value for name, value in options.items() if name not in _OWN_FIELDS},
        metadata=_metadata(request.metadata),
        name=None if request.name is None else checked_text("the job's name", request.name),
        tags=checked_tags(request.tags),
        group=None if request.group is None else checked_text("the group", request.group),
        priority=checked_priority(request.priority),
        time_limit_s=None if request.time_limit_s is None else _seconds("time_limit_s", request.time_limit_s),
        max_memory_mb=(
            None
            if request.max_memory_mb is None
            else whole("max_memory_mb", request.max_memory_mb, 1, _STORED_INTEGER_LIMIT)
        ),
        max_attempts=whole("max_attempts", request.max_attempts, 1, _STORED_INTEGER_LIMIT),
        idempotency_key=(
            None if request.idempotency_key is None else checked_text("the idempotency key", request.idempotency_key)
        ),
        after=checked_references("after", request.after),
        after_ok=checked_references("after_ok", request.after_ok),
        after_any=checked_references("after_any", request.after_any),
        hold=_flag("hold", request.hold),
        begin=checked_begin(request.begin),
        reuse=_reuse(request, options.get("seed_simulator")),
        on_end=_command(request.on_end),
        is_checked=True,
    )


def checked_priority(priority: int) -> int:
    """Give a priority; raises ``InputRefused`` for what cannot be one."""
    return whole("priority", priority, -_PRIORITY_LIMIT, _PRIORITY_LIMIT)


def _flag(field: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InputRefused(f"{field} is {value!r}; it must be True or False", field=field)
    return value


def _reuse(request: Request, seed: int | None) -> bool:
    wanted = _flag("reuse", request.reuse)
    if wanted and seed is None:
        raise InputRefused(
            "reuse needs a seed, since without one each job draws its own, and no two are the same; give one",
            field="reuse",
        )
    if wanted and (
        request.hold or request.begin is not None or any((request.after, request.after_ok, request.after_any))
    ):
        raise InputRefused(
            "reuse gives a result at once, and this job is to wait for something; decide on one", field="reuse"
        )
    return wanted


def _command(command: object) -> str | None:
    if command is None:
        return None
    if not isinstance(command, str) or not command.strip() or len(command) > _COMMAND_LIMIT or "\0" in command:
        raise InputRefused(
            f"on_end is {brief(str(command))}; it must be a command for a shell, of 1 to {_COMMAND_LIMIT} characters "
            "without NUL",
            field="on_end",
        )
    try:
        command.encode()
    except UnicodeEncodeError:
        raise InputRefused("on_end has bytes that are no UTF-8; write it in UTF-8", field="on_end") from None
    return command


def _metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(metadata, Mapping):
        raise InputRefused(f"the job's metadata is {metadata!r}; it must be a dictionary", field="metadata")
    remedy = "use texts, numbers, lists and dictionaries of them"
    try:
        size_bytes = len(strict_json.dumps(dict(metadata), "metadata"))
    except strict_json.NotJson as error:
        raise InputRefused(f"the job's metadata cannot be stored: {error}; {remedy}", field="metadata") from None
    except (RecursionError, ValueError):
        # Dictionaries within one another, or in themselves; whole numbers of thousands of digits.
        raise InputRefused(
            f"the job's metadata cannot be stored: it is nested too deeply, or has what no JSON can have; {remedy}",
            field="metadata",
        ) from None
    if size_bytes > METADATA_LIMIT_BYTES:
        raise InputRefused(
            f"the job's metadata has {size_bytes} bytes as JSON; it may have {METADATA_LIMIT_BYTES // 2**20} MiB, so "
            "keep large things in a file and its name here",
            field="metadata",
        )
    return dict(metadata)


def checked_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Give the tags, each once and sorted; raises ``InputRefused`` for what cannot be one."""
    if isinstance(tags, str) or not isinstance(tags, Iterable):
        raise InputRefused(f"the tags are {tags!r}; they must be a list of texts", field="tags")
    checked = {checked_text("a tag", tag) for tag in tags}
    if len(checked) > TAGS_LIMIT:
        raise InputRefused(f"the job has {len(checked)} tags; it may have {TAGS_LIMIT}, so give fewer", field="tags")
    return tuple(sorted(checked))


def checked_text(subject: str, text: str) -> str:
    """Give a text that people may write about a job; raises ``InputRefused`` for one too short or too long."""
    if not isinstance(text, str) or not 0 < len(text) <= _TEXT_LIMIT:
        raise InputRefused(f"{subject} is {brief(str(text))}; it must be a text of 1 to {_TEXT_LIMIT} characters")
    return text


def whole(field: str, value: int, minimum: int, maximum: int) -> int:
    """Give a whole number, also one of NumPy's, in its range; raises ``InputRefused`` for anything else."""
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or not minimum <= number <= maximum:
        raise InputRefused(f"{field} is {value!r}; it must be a whole number from {minimum} to {maximum}", field=field)
    return number


def _seconds(field: str, value: float) -> float:
    try:
        number = math.nan if isinstance(value, (bool, str)) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and number > 0):
        raise InputRefused(f"{field} is {value!r}; it must be a positive number of seconds", field=field)
    return number
