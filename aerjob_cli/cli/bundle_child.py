"""The process that reads the circuits of a bundle before any of them is stored, a `parsing_child`.

Its wish is {"programs": [{"job_id", "experiments_total", "files": how many}…]}, with the files of all programs in their
order; its answer is {"programs": how many were read}. Refused is what does not have as many experiments as is said.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, BinaryIO

from aerjob_cli.cli.parsing_child import answer, files_in
from aerjob_cli.codec.program import decode_program
from aerjob_cli.errors import CircuitRefused


def main() -> None:
    """Read the circuits that stdin brings."""
    answer(_read, imports=("aerjob_cli.engines.aer",))


def _read(stdin: BinaryIO, header: dict[str, Any]) -> dict[str, Any]:
    files = files_in(stdin, header)
    for program in header["programs"]:
        job_id, total = program["job_id"], program["experiments_total"]
        try:
            found = decode_program(islice(files, program["files"])).experiments_total
        except CircuitRefused as error:
            raise CircuitRefused(f"those of job {job_id} are refused: {error.message}") from error
        if found != total:
            raise CircuitRefused(f"those of job {job_id} make {found} experiments, and {total} are said; leave it out")
    return {"programs": len(header["programs"])}


if __name__ == "__main__":
    main()
