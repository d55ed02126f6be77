"""Distributions as an installer leaves them, so that Python finds their entry points in a folder on its path."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

GROUP = "aerjob.simulators"


def write_distribution(
    folder: Path, name: str, entry_points: Mapping[str, str], modules: Mapping[str, str], *, version: str = "1.0"
) -> None:
    """Put modules (by their path) and the metadata of a distribution into ``folder``."""
    lines = [f"[{GROUP}]", *(f"{entry} = {value}" for entry, value in entry_points.items()), ""]
    files = {
        **modules,
        f"{name}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{name}-{version}.dist-info/entry_points.txt": "\n".join(lines),
    }
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
