"""The details of an unexpected error, kept where the store is, or in the temporary folder."""

from __future__ import annotations

import os
import platform
import tempfile
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from aerjob_cli.store.folder import open_private
from aerjob_cli.version import __version__

_NAME = "errors.log"


def write_crash(home: Path | None, arguments: Sequence[str], error: BaseException) -> Path:
    """Append the details to the log; return where they are."""
    lines = (
        f"{datetime.now(UTC).isoformat(timespec='seconds')} aerjob {__version__}, "
        f"Python {platform.python_version()}, {platform.platform()}",
        f"arguments: {list(arguments)!r}",
        "".join(traceback.format_exception(error)),
    )
    content = "\n".join(lines).encode(errors="backslashreplace")
    try:
        if home is None:
            raise FileNotFoundError
        place = home / _NAME
        descriptor = open_private(place, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    except OSError:
        descriptor, name = tempfile.mkstemp(prefix="aerjob-error-", suffix=".log")
        place = Path(name)
    with os.fdopen(descriptor, "ab") as file:
        file.write(content)
    return place
