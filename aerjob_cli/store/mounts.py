"""Which file system a folder is on."""

from __future__ import annotations

from pathlib import Path


def file_system_of(folder: Path, mount_table: Path = Path("/proc/self/mountinfo")) -> str | None:
    """Name the kind of file system that ``folder`` is on, or give None where the system has no mount table."""
    try:
        lines = mount_table.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    place, kind = folder.resolve(), None
    longest = -1
    for line in lines:
        # proc(5): the mount point is field 5, the type follows the separator "-".
        before, _, after = line.partition(" - ")
        point = Path(before.split()[4].replace("\\040", " "))
        if place.is_relative_to(point) and len(point.parts) >= longest:
            longest, kind = len(point.parts), after.split()[0]
    return kind
