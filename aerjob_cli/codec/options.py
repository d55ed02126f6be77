"""The options of a submission: checked against a closed list for each simulator, or read from a command line.

What a simulator would take without a word (NaN, 0 shots, a misspelt name) is refused here, before anything is stored.
"""

from __future__ import annotations

import difflib
import math
import operator
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from aerjob_cli.catalog import AER_ENGINE, METHODS_WITHOUT_COUNTS, SIMULATORS, Option, Simulator
from aerjob_cli.codec.option_tables import (
    AER_OPTIONS,
    FLAG,
    MEASURE_ALL,
    METHODS_OF_PREFIX,
    RULED_ELSEWHERE,
    SAVE_STATE,
    SUBMISSION_OPTIONS,
)
from aerjob_cli.errors import InputRefused, UsageError
from aerjob_cli.plugins.discovery import simulator_named

_FLAG_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+")
_LISTED_AT_MOST = 15
_SHOWN_CHARACTERS = 60
_DIGITS_AT_MOST = 30  # more than any range has; Python refuses to read very long numbers


@lru_cache
def options_of(backend: str) -> Mapping[str, Option]:
    """List the options that jobs of a simulator may have, by name; raises ``UnknownBackend``."""
    simulator = simulator_named(backend)
    options = {**simulator.options, **SUBMISSION_OPTIONS}
    options["method"] = Option(str, words=simulator.methods)
    if not set(simulator.methods) <= METHODS_WITHOUT_COUNTS and not simulator.is_primitive:
        options[MEASURE_ALL] = FLAG
    if simulator.may_give_state:
        options[SAVE_STATE] = FLAG
    if _takes_aers(simulator):
        options |= {name: option for name, option in AER_OPTIONS.items() if _concerns(name, simulator.methods)}
    return MappingProxyType(dict(sorted(options.items())))


def _takes_aers(simulator: Simulator) -> bool:
    return simulator.engine == AER_ENGINE or simulator.is_primitive


def check_options(options: Mapping[str, Any], backend: str) -> dict[str, Any]:
    """Check names, types and ranges; give back the options that are not None (which means: the default).

    Whole numbers are taken for fractions, and integers of NumPy for Python's. Raises ``InputRefused``.
    """
    known = options_of(backend)
    checked = {}
    for name, value in options.items():
        option = _found(name, known, backend)
        if value is not None:
            checked[name] = _checked(name, option, value)
    return checked


def parse_option(text: str, backend: str) -> tuple[str, Any]:
    """Read ``KEY=VALUE`` as it is typed on a command line, by the type of the option.

    Raises ``UsageError`` where there is no ``=``, ``InputRefused`` for a name or a value that cannot be.
    """
    name, separator, word = text.partition("=")
    if not separator or not name:
        raise UsageError(f"{text!r} sets no option; write KEY=VALUE, for example fusion_enable=false")
    option = _found(name, options_of(backend), backend)
    value = _read(option, word)
    if value is None:
        raise InputRefused(f"the option {name!r} is {word!r}; it must be {_expectation(option)}", option=name)
    return name, _checked(name, option, value, as_typed=word)


def _concerns(name: str, methods: Iterable[str]) -> bool:
    for prefix, concerned in METHODS_OF_PREFIX.items():
        if name.startswith(prefix):
            return not set(concerned).isdisjoint(methods)
    return True


def _found(name: str, known: Mapping[str, Option], backend: str) -> Option:
    if name in known:
        return known[name]
    if name in RULED_ELSEWHERE:
        raise InputRefused(f"the option {name!r} cannot be set: {RULED_ELSEWHERE[name]}", option=name)
    raise InputRefused(f"{backend} has no option {name!r}; {_hint(name, known, backend)}", option=name)


def _hint(name: str, known: Mapping[str, Option], backend: str) -> str:
    others = [other for other in SIMULATORS if name in options_of(other)]
    if others:
        return f"it is an option of {', '.join(others)}"
    near = difflib.get_close_matches(name, known, n=3)
    if near:
        return f"did you mean {' or '.join(map(repr, near))}?"
    if len(known) <= _LISTED_AT_MOST or not _takes_aers(simulator_named(backend)):
        return f"there is {', '.join(known)}"
    return "they are those of Qiskit Aer's AerSimulator"


def _checked(name: str, option: Option, value: Any, *, as_typed: str | None = None) -> bool | int | float | str:
    converted = _converted(option, value)
    if converted is None or (option.words and converted not in option.words) or not _in_range(option, converted):
        given = _shown(value if as_typed is None else as_typed)
        raise InputRefused(f"the option {name!r} is {given}; it must be {_expectation(option)}", option=name)
    return converted


def _shown(value: object) -> str:
    """Write a value on one line, cut where it is long."""
    try:
        text = " ".join(repr(value).split())
    except ValueError:  # Python does not write whole numbers of thousands of digits
        return "a number of thousands of digits"
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def _read(option: Option, word: str) -> bool | int | float | str | None:
    """Give what a word on the command line says, or None where it is not of the option's type."""
    if option.kind is str:
        return word
    if option.kind is bool:
        return _FLAG_WORDS.get(word.strip().lower())
    if len(word) > _DIGITS_AT_MOST:
        return None
    if option.kind is int:
        return int(word) if _WHOLE_NUMBER.fullmatch(word.strip()) else None
    try:
        return float(word)
    except ValueError:
        return None


def _converted(option: Option, value: Any) -> bool | int | float | str | None:
    """Give ``value`` as the option's own type, or None where that would change it."""
    if option.kind is bool or option.kind is str:
        # NumPy's bool has ``item`` too; nothing else that is not a bool stands for one.
        value = value.item() if type(value).__module__ == "numpy" else value
        return option.kind(value) if isinstance(value, option.kind) else None
    if isinstance(value, bool):
        return None
    if hasattr(value, "__index__"):
        try:
            return option.kind(operator.index(value))
        except (TypeError, OverflowError):  # an array of NumPy's; a whole number beyond all fractions
            return None
    if option.kind is float and isinstance(value, float):
        return float(value)
    return None


def _in_range(option: Option, value: bool | int | float | str) -> bool:
    if isinstance(value, str):
        return True
    if isinstance(value, float) and not math.isfinite(value):
        return False
    return (option.minimum is None or value >= option.minimum) and (option.maximum is None or value <= option.maximum)


def _expectation(option: Option) -> str:
    if option.words:
        return " or ".join(option.words)
    if option.kind is bool:
        return "true or false"
    if option.kind is str:
        return "a text"
    kind = "a whole number" if option.kind is int else "a finite number"
    return f"{kind} from {option.minimum} to {option.maximum}"
