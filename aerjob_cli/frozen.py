"""Frozen dataclasses that cost a tenth to define; those of the standard library compile six methods for each.

A light command defines some fifty of them, for which the compiler took as much time as all that the command did
besides. These share one set of methods, which look the fields up. A class of which many instances are made gets methods
of its own then, which are several times quicker. To a type checker, to ``fields``, ``replace`` and ``asdict`` they are
dataclasses like any other. Only for frozen ones; there are no ``InitVar``s.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from dataclasses import dataclass

    __all__ = ["dataclass"]

Class = TypeVar("Class", bound=type)

_MANY = 50  # instances of a class, for which it is worth compiling methods


class _Fields:
    """What the methods need to know of the fields of one class."""

    def __init__(self, cls: type[Any]) -> None:
        found = dataclasses.fields(cls)
        own = [field for field in found if field.init]
        self.names = frozenset(field.name for field in own)
        self.positional = tuple(field.name for field in own if not field.kw_only)
        self.defaults = {field.name: field.default for field in own if field.default is not dataclasses.MISSING}
        self.factories = {
            field.name: field.default_factory for field in own if field.default_factory is not dataclasses.MISSING
        }
        # Those that nobody gives, and each instance has its own of.
        self.unasked = {
            field.name: field.default_factory
            for field in found
            if not field.init and field.default_factory is not dataclasses.MISSING
        }
        self.shown = tuple(field.name for field in found if field.repr)
        self.compared = tuple(field.name for field in found if field.compare)
        # Only by what they are compared by, and not by what has no hash.
        self.hashed = tuple(field.name for field in found if (field.compare if field.hash is None else field.hash))
        self.finish: Callable[[Any], None] | None = getattr(cls, "__post_init__", None)
        self.made = 0


_KNOWN: dict[type, _Fields] = {}


def _fields_of(cls: type) -> _Fields:
    # At the first instance: most classes that are defined have none in this process.
    known = _KNOWN.get(cls)
    if known is None:
        known = _KNOWN[cls] = _Fields(cls)
    return known


def _init(self: Any, *given: Any, **named: Any) -> None:
    fields = _fields_of(type(self))
    fields.made += 1
    if fields.made == _MANY:
        _compile(type(self), fields)
    values = {**fields.defaults, **named}
    if given:
        if len(given) > len(fields.positional) or not named.keys().isdisjoint(fields.positional[: len(given)]):
            raise TypeError(f"{type(self).__name__} takes each of {', '.join(fields.positional)} once")
        values.update(zip(fields.positional, given, strict=False))
    for name, make in fields.factories.items():
        if name not in values:
            values[name] = make()
    if values.keys() != fields.names:
        missing, unknown = sorted(fields.names - values.keys()), sorted(values.keys() - fields.names)
        raise TypeError(
            f"{type(self).__name__} needs {', '.join(missing)}"
            if missing
            else f"{type(self).__name__} has no {', '.join(unknown)}"
        )
    put = object.__setattr__
    for name, make in fields.unasked.items():
        values[name] = make()
    for name, value in values.items():
        put(self, name, value)
    if fields.finish is not None:
        fields.finish(self)


def _compile(cls: type[Any], fields: _Fields) -> None:
    """Give a class the ``__init__`` and ``__hash__`` that the standard library makes of its fields."""
    alike = []
    for known in dataclasses.fields(cls):
        chosen = {name: getattr(known, name) for name in ("init", "hash", "compare", "kw_only")}
        if known.default is not dataclasses.MISSING:
            chosen["default"] = known.default
        if known.default_factory is not dataclasses.MISSING:
            chosen["default_factory"] = known.default_factory
        alike.append((known.name, Any, dataclasses.field(**chosen)))
    finish = {} if fields.finish is None else {"__post_init__": fields.finish}
    twin = dataclasses.make_dataclass(cls.__name__, alike, frozen=True, namespace=finish)
    for name in ("__init__", "__hash__"):
        if cls.__dict__.get(name) is _METHODS[name]:
            setattr(cls, name, getattr(twin, name))


def _repr(self: Any) -> str:
    shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in _fields_of(type(self)).shown)
    return f"{type(self).__qualname__}({shown})"


def _eq(self: Any, other: object) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    names = _fields_of(type(self)).compared
    # As tuples, to which a value that is no number is equal to itself.
    return tuple(getattr(self, name) for name in names) == tuple(getattr(other, name) for name in names)


def _hash(self: Any) -> int:
    return hash(tuple(getattr(self, name) for name in _fields_of(type(self)).hashed))


def _refuse_setting(self: Any, name: str, value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deleting(self: Any, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> dict[str, Any]:
    return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}


def _restore(self: Any, state: dict[str, Any]) -> None:
    for name, value in state.items():
        object.__setattr__(self, name, value)


_METHODS = {
    "__init__": _init,
    "__repr__": _repr,
    "__eq__": _eq,
    "__hash__": _hash,
    "__setattr__": _refuse_setting,
    "__delattr__": _refuse_deleting,
    "__getstate__": _state,
    "__setstate__": _restore,
}


def _dataclass(*, frozen: bool, slots: bool = False, kw_only: bool = False) -> Callable[[Class], Class]:
    if not frozen:
        raise TypeError("only for frozen dataclasses; the standard library has those that change")

    def make(cls: Class) -> Class:
        own = {name: method for name, method in _METHODS.items() if name not in cls.__dict__}
        # Without a single method the standard library compiles nothing.
        made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)(cls)
        for name, method in own.items():
            setattr(made, name, method)
        return cast(Class, made)

    return make


if not TYPE_CHECKING:
    dataclass = _dataclass
