"""The commands of `aerjob`, as the parser has them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Path = tuple[str, ...]


def leaves(group: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Give each command that is no group and is not hidden, with the words that lead to it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from leaves(command, (*path, name))
        elif not command.hidden:
            yield (*path, name), command
