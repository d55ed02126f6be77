"""Several named byte strings as one: a ZIP archive, so that anybody can look into it.

Nothing is compressed, and there are no times in it: the same parts give the same bytes, and so one checksum.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that the format can tell


def pack(parts: Mapping[str, bytes]) -> bytes:
    """Make one of all parts, in the order of their names."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(parts):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), parts[name])
    return file.getvalue()


def unpack(data: bytes) -> dict[str, bytes]:
    """Give the parts again; raises ``ValueError`` for what is no archive, and for one that is compressed.

    Without compression no archive can be larger inside than it is.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if any(member.compress_type != zipfile.ZIP_STORED for member in members):
                raise ValueError("the archive is compressed, and none is made so here")
            return {member.filename: archive.read(member) for member in members}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise ValueError(f"the archive cannot be read ({error})") from error
