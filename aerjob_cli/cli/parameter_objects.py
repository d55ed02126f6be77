"""Parameters that several commands share, declared once, as the fields of a class.

Typer reads the signature of a command. ``expanded`` gives a command the fields of such a class as parameters, where it
has one parameter of that class, and hands them over as one object.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, TypeVar, get_type_hints

Answered = TypeVar("Answered")


def expanded(kind: type[Any]) -> Callable[[Callable[..., Answered]], Callable[..., Answered]]:
    """Make a decorator that replaces the parameter of the class ``kind`` by one parameter for each of its fields."""
    hints = get_type_hints(kind, include_extras=True)
    shared = [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            annotation=hints[field.name],
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
        )
        for field in fields(kind)
    ]

    def decorator(command: Callable[..., Answered]) -> Callable[..., Answered]:
        context, *own = inspect.signature(command, eval_str=True).parameters.values()
        (place,) = (index for index, parameter in enumerate(own) if parameter.annotation is kind)
        name = own[place].name
        own = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own]
        parameters = [context, *own[:place], *shared, *own[place + 1 :]]

        @functools.wraps(command)
        def with_object(context: Any, **given: Any) -> Answered:
            wanted = kind(**{field.name: given.pop(field.name) for field in fields(kind)})
            return command(context, **{name: wanted}, **given)

        # Typer asks both for the signature and for the annotations.
        with_object.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        with_object.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        del with_object.__wrapped__  # or the signature would be looked for there
        return with_object

    return decorator
