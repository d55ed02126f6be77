"""Tables of what was spent where."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

_WIDTH = 64


@dataclass(frozen=True)
class Row:
    """What one part has spent, in a unit of its table, and its share of the whole."""

    part: str
    spent: float
    share: float | None = None


@dataclass(frozen=True)
class Table:
    """Rows under a title."""

    title: str
    unit: str
    rows: tuple[Row, ...]

    def lines(self) -> list[str]:
        """Give the table as text."""
        body = []
        for row in self.rows:
            share = "" if row.share is None else f"{100 * row.share:8.1f} %"
            body.append(f"  {row.part:<{_WIDTH}} {row.spent:10.2f} {self.unit}{share}".rstrip())
        return [self.title, *body]

    def as_json(self) -> dict[str, Any]:
        """Give the table as JSON."""
        return {"title": self.title, "unit": self.unit, "rows": [asdict(row) for row in self.rows]}
