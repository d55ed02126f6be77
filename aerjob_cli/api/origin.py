"""Who submits: what a job remembers of the process that made it."""

from __future__ import annotations

import os
import sys

from aerjob_cli.version import __version__


def submitted_by() -> dict[str, str]:
    """Name aerjob and Python by their versions, the host, and the folder that this process is in.

    A folder that has been deleted meanwhile is left out.
    """
    known = {
        "aerjob": __version__,
        "python": ".".join(map(str, sys.version_info[:3])),
        "host": os.uname().nodename,
    }
    try:
        folder = os.getcwd()
    except OSError:
        return known
    # The bytes of a path need not be text; what is stored is.
    return known | {"folder": os.fsencode(folder).decode("utf-8", "replace")}
