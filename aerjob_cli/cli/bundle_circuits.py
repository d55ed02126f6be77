"""Having the circuits of a bundle read by a process of its own, since a stranger may have written them."""

from __future__ import annotations

import json
import math
import tempfile
from collections.abc import Iterable

from aerjob_cli.bundles.contents import Program
from aerjob_cli.bundles.reading import Bundle
from aerjob_cli.cli.parsing import ChildFailed, answered
from aerjob_cli.errors import CircuitRefused

_PROGRAM = "aerjob_cli.cli.bundle_child"
# What honest circuits take is far below: a small one takes 1 ms, one of 1 MiB up to 15 s.
_BEGIN_S = 30.0
_EACH_S = 0.02
_MIB_S = 20.0
_MIB = 2**20


def require_valid(bundle: Bundle, programs: Iterable[Program]) -> None:
    """Have circuits parsed; raises ``BundleRefused`` for what is none, and for what the process dies of."""
    wanted = list(programs)
    files = [file for program in wanted for file in program.files]
    limit_s = _BEGIN_S + _EACH_S * len(wanted) + _MIB_S * sum(size_bytes for *_, size_bytes in files) / _MIB
    header = {
        "cpu_s": math.ceil(limit_s),
        "programs": [
            {"job_id": item.job_id, "experiments_total": item.experiments_total, "files": len(item.files)}
            for item in wanted
        ],
        "files": [
            {"format": format, "name": name, "size_bytes": size_bytes} for _, _, format, name, size_bytes in files
        ],
    }
    try:
        with tempfile.TemporaryFile() as stdin:
            stdin.write(json.dumps(header).encode() + b"\n")
            for path, sha256, *_ in files:
                for part in bundle.parts(path, sha256):
                    stdin.write(part)
            answered(_PROGRAM, stdin, takes_at_most_s=limit_s)
    except OSError as error:
        raise bundle.refused(
            f"its circuits cannot be parsed: they cannot be handed over ({error.strerror})",
            "make room in the temporary folder",
        ) from error
    except ChildFailed as error:
        raise bundle.refused(f"its circuits cannot be parsed: {error}", "export fewer jobs at a time") from error
    except CircuitRefused as error:
        fact, _, remedy = error.message.rpartition("; ")
        raise bundle.refused(f"its circuits cannot be parsed: {fact}", remedy) from error
