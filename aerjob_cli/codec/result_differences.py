"""What two results of one experiment differ in, told from their JSON; arrays are told apart by their checksums."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_NAMED = 5


def result_differences(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Give (what, in which way) for each part that is not the same; the arguments are of ``decode_experiment``.

    What: ``counts``, ``memory``, ``data``, ``metadata``, or else a key of the result, such as ``header``.
    """
    yield from _of_data(first["data"], second["data"])
    ones, others = (dict(item.get("metadata") or {}) for item in (first, second))
    if ones != others:
        yield "metadata", _keys(ones, others)
    for key in sorted((first.keys() | second.keys()) - {"data", "metadata"}):
        if first.get(key) != second.get(key):
            yield key, f"{_brief(first.get(key))} in the one and {_brief(second.get(key))} in the other"


def _of_data(first: Mapping[str, Any], second: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    one, other = first.get("counts"), second.get("counts")
    if one != other:
        yield "counts", _counts(one or {}, other or {})
    shots, others = first.get("memory"), second.get("memory")
    if shots != others:
        yield "memory", _shots(shots or [], others or [])
    rest, theirs = ({key: item[key] for key in item.keys() - {"counts", "memory"}} for item in (first, second))
    if rest != theirs:
        yield "data", _keys(rest, theirs)


def _counts(first: Mapping[str, int], second: Mapping[str, int]) -> str:
    distances = [abs(first.get(key, 0) - second.get(key, 0)) for key in first.keys() | second.keys()]
    differing = sum(distance > 0 for distance in distances)
    return f"{differing} of {len(distances)} outcomes are counted otherwise, by {max(distances, default=0)} at most"


def _shots(first: Sequence[str], second: Sequence[str]) -> str:
    if len(first) != len(second):
        return f"{len(first)} outcomes in the one and {len(second)} in the other"
    differing = sum(one != other for one, other in zip(first, second, strict=True))
    return f"{differing} of {len(first)} shots had another outcome"


def _keys(first: Mapping[str, Any], second: Mapping[str, Any]) -> str:
    keys = sorted(key for key in first.keys() | second.keys() if first.get(key) != second.get(key))
    return ", ".join(keys[:_NAMED]) + (", …" if len(keys) > _NAMED else "")


def _brief(value: Any) -> str:
    said = repr(value)
    return said if len(said) <= 60 else f"{said[:59]}…"
