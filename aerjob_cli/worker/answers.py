"""What an executor answers, as an outcome. It has parsed what strangers wrote, so nothing is taken on trust."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any

from aerjob_cli.codec.envelope import NPY, RESULT_FORMATS, verify
from aerjob_cli.executors.messages import Message
from aerjob_cli.settings import CIRCUITS_LIMIT, INLINE_LIMIT_BYTES, StorePaths
from aerjob_cli.states import Reason
from aerjob_cli.store.objects import adopt
from aerjob_cli.store.records import ExperimentRecord, Payload, RunFacts, Runtime
from aerjob_cli.store.runtimes import runtime_of
from aerjob_cli.worker.holdings import Holding
from aerjob_cli.worker.outcomes import Accepted, Chunk, Done, Failed, GivenBack, Outcome

_MESSAGE_CHARACTERS = 4000
_NAME_CHARACTERS = 1000
_COUNT_LIMIT = 2**31 - 1
_SEED_LIMIT = 2**64 - 1
_BYTES_LIMIT = 2**60
_SECONDS_LIMIT = 2**40
_ARRAYS_LIMIT = 100_000  # of one result
_FACTS_LIMIT = 50  # of a runtime
_ARRAY_FORMATS = frozenset({NPY})
# Those that `codec.markers` makes are of 330 characters or a few more.
_ARRAY_NAME = re.compile(r"[A-Za-z0-9_.~-]{1,400}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# What an executor can know; all else is the worker's to say.
_REASONS = {str(reason): reason for reason in (Reason.INVALID_CIRCUIT, Reason.SIMULATION_FAILED, Reason.OUT_OF_MEMORY)}


class NotAnAnswer(Exception):
    """A message does not fit what was asked."""


def outcomes_of(message: Message, holding: Holding, paths: StorePaths) -> list[Outcome]:
    """Turn a message into what is to be written; raises ``NotAnAnswer`` for anything out of form or out of turn."""
    try:
        if message.kind in ("chunk", "done") and not holding.is_validation:
            return _results_and_end(message, holding, paths)
        return [_outcome(message, holding)]
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, OSError) as error:
        raise NotAnAnswer(str(error)) from error


def is_last(outcome: Outcome) -> bool:
    """Tell whether nothing more is to come for this claim."""
    return not isinstance(outcome, Chunk)


def base_rss_of(message: Message) -> int | None:
    """Give the memory of an executor before its first job, in bytes; None where it does not say."""
    told = message.header.get("rss_bytes")
    return told if isinstance(told, int) and 0 <= told < 2**40 else None


def seconds_in(message: Message) -> float | None:
    """Give how long a job took in its executor, which decides how many are sent ahead; None where nobody says."""
    told = message.header.get("took_s")
    return float(told) if isinstance(told, (int, float)) and 0 <= told <= _SECONDS_LIMIT else None


def runtime_in(message: Message) -> Runtime | None:
    """Give what an executor says it runs with, before its first job; None where it does not say."""
    told = message.header.get("runtime")
    if not isinstance(told, dict) or not 0 < len(told) <= _FACTS_LIMIT:
        return None
    return runtime_of({_text(name): _text(fact) for name, fact in told.items()})


def _results_and_end(message: Message, holding: Holding, paths: StorePaths) -> list[Outcome]:
    outcomes: list[Outcome] = []
    if message.kind == "chunk" or "experiments" in message.header:
        drafts: list[tuple[Path, str]] = []
        results = tuple(_result(item, message.body, holding, drafts) for item in message.header["experiments"])
        try:
            adopt(paths, drafts)
        except OSError as error:
            # The drafts were there when they were looked at: this is the disk's doing, not the executor's.
            return [_not_stored(error.strerror or str(error))]
        outcomes.append(Chunk(results))
    if message.kind == "done":
        if holding.awaited:
            raise NotAnAnswer(f"{len(holding.awaited)} experiments have no result")
        outcomes.append(Done(_text(message.header["engine"])))
    return outcomes


def _outcome(message: Message, holding: Holding) -> Outcome:
    header = message.header
    if message.kind == "failed":
        return Failed(
            _REASONS[header["reason"]],
            _text(header["message"], _MESSAGE_CHARACTERS),
            line=_place(header.get("line")),
            column=_place(header.get("column")),
        )
    if holding.is_validation and message.kind == "accepted":
        total = _positive(header["experiments_total"])
        if total > CIRCUITS_LIMIT:
            return Failed(
                Reason.INVALID_CIRCUIT, f"it has {total} circuits; a job may have {CIRCUITS_LIMIT}, so submit several"
            )
        return Accepted(total, _positive(header["threads"]), _whole(header.get("estimated_bytes"), _BYTES_LIMIT))
    if not holding.is_validation and message.kind == "not_stored":
        return _not_stored(_text(header["message"]))
    raise NotAnAnswer(f"{message.kind!r} is no answer to what was asked")


def _not_stored(why: str) -> GivenBack:
    return GivenBack(f"its result could not be stored ({why})")


def _result(item: dict[str, Any], body: bytes, holding: Holding, drafts: list[tuple[Path, str]]) -> ExperimentRecord:
    """Read one result; the files that it lies in are added to ``drafts``."""
    position, place = int(item["index"]), holding.executor.scratch
    if position not in holding.awaited:
        raise NotAnAnswer(f"nobody waits for experiment {position}")
    holding.awaited.remove(position)
    arrays = item.get("arrays", ())
    if len(arrays) > _ARRAYS_LIMIT or len({str(array["name"]) for array in arrays}) != len(arrays):
        raise NotAnAnswer("the arrays are too many, or not told apart by their names")
    if not all(_ARRAY_NAME.fullmatch(array["name"]) for array in arrays):
        raise NotAnAnswer("an array has a name that no array is given")
    return ExperimentRecord(
        position=position,
        attempt=holding.claim.attempt,
        shots=_positive(item["shots"]),
        payload=_payload(item, body, place, drafts, RESULT_FORMATS),
        arrays=tuple(_payload(array, body, place, drafts, _ARRAY_FORMATS) for array in arrays),
        run=_run_facts(item),
    )


def _run_facts(item: dict[str, Any]) -> RunFacts:
    method, time_taken_s = item.get("method"), item.get("time_taken_s")
    if time_taken_s is not None and not 0 <= float(time_taken_s) <= _SECONDS_LIMIT:
        raise NotAnAnswer(f"{time_taken_s!r} is no time")
    return RunFacts(
        seed=_whole(item.get("seed"), _SEED_LIMIT),
        method=None if method is None else _text(method),
        threads=_whole(item.get("threads"), _COUNT_LIMIT),
        time_taken_s=None if time_taken_s is None else float(time_taken_s),
        peak_rss_bytes=_whole(item.get("peak_rss_bytes"), _BYTES_LIMIT),
    )


def _payload(
    item: dict[str, Any], body: bytes, place: Path, drafts: list[tuple[Path, str]], formats: frozenset[str]
) -> Payload:
    size, sha256 = int(item["size_bytes"]), str(item["sha256"])
    if item["format"] not in formats:
        raise NotAnAnswer("a format is not known")
    if not _SHA256.fullmatch(sha256):
        raise NotAnAnswer("a checksum is none")
    data = None
    if item.get("path") is not None:
        draft = Path(item["path"])
        found = draft.lstat()
        if draft.parent != place or not stat.S_ISREG(found.st_mode) or found.st_size != size:
            raise NotAnAnswer("an object file is not where or what it should be")
        drafts.append((draft, sha256))
    else:
        start = int(item["offset"])
        data = body[start : start + size]
        if start < 0 or len(data) != size or size > INLINE_LIMIT_BYTES:
            raise NotAnAnswer("a result is not where it should be")
        verify(data, sha256)
    return Payload(_text(item["name"]), item["format"], sha256, size, data)


def _text(value: object, limit: int = _NAME_CHARACTERS) -> str:
    # Lone surrogates have no UTF-8, and so no place in the store.
    return str(value)[:limit].encode("utf-8", "replace").decode()


def _place(value: object) -> int | None:
    # A parser that does not know where it is need not be ended for it.
    return value if isinstance(value, int) and 1 <= value <= _COUNT_LIMIT else None


def _whole(value: object, limit: int) -> int | None:
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= limit:
        raise NotAnAnswer(f"{value!r} is no number from 0 to {limit}")
    return value


def _positive(value: object) -> int:
    if not isinstance(value, int) or not 1 <= value <= _COUNT_LIMIT:
        raise NotAnAnswer(f"{value!r} is not a count")
    return value
