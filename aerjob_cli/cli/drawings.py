"""Having circuits drawn, by a process that parses them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from aerjob_cli.api.requests import CircuitBytes
from aerjob_cli.cli.answers.drawing import Drawing
from aerjob_cli.cli.parsing import ChildFailed, asked
from aerjob_cli.codec.jobspec import JobSpec
from aerjob_cli.errors import DrawingFailed
from aerjob_cli.frozen import dataclass

_TAKES_AT_MOST_S = 20.0
_PROGRAM = "aerjob_cli.cli.drawing_child"


@dataclass(frozen=True)
class Drawn:
    """Drawings, how many circuits there are, and the versions of what translated them, if that was done."""

    drawings: tuple[Drawing, ...]
    total: int
    versions: Mapping[str, str]


def draw(
    files: Sequence[CircuitBytes],
    *,
    width: int,
    experiment: int | None,
    subject: str,
    executed_as: JobSpec | None = None,
) -> Drawn:
    """Draw circuits in lines of ``width`` characters, all (but no more than 20) or the one at ``experiment``.

    With ``executed_as`` they are drawn as the simulator of that job gets them. Raises ``CircuitRefused`` for what is no
    circuit, and ``DrawingFailed``; ``subject`` says of what.
    """
    spec = None if executed_as is None else asdict(executed_as)
    wish = {"width": width, "experiment": experiment, "executed_as": spec}
    try:
        answer = asked(_PROGRAM, files, wish, takes_at_most_s=_TAKES_AT_MOST_S)
    except ChildFailed as error:
        raise DrawingFailed(
            f"{subject} cannot be drawn: {error}; `aerjob show ID --source` gives what was submitted"
        ) from error
    drawings = tuple(Drawing(**drawing) for drawing in answer["drawings"])
    return Drawn(drawings, int(answer["total"]), dict(answer["versions"]))
