"""Where things are in a bundle, and which bundles can be read: names and limits that writing and reading share.

docs/bundles.md describes the format for those who read one without aerjob.
"""

from __future__ import annotations

import hashlib
import re

from aerjob_cli.codec import envelope

FORMAT = "aerjob-bundle"
VERSION = 1
MANIFEST = "manifest.json"

# Of the texts that are read as a whole: the manifest, and what is said of one job.
TEXT_LIMIT_BYTES = 128 * 2**20
FILES_LIMIT = 1_000_000
# So many times longer than in the archive a file may be at most, if it is longer than the second number says. A few kB
# that become many GB are then no bundle, and whoever writes one leaves such files as they are.
GROWTH_LIMIT = 100
GROWTH_ASKED_FROM_BYTES = 64 * 1024

_SUFFIXES = {
    envelope.OPENQASM2: "qasm",
    envelope.OPENQASM3: "qasm",
    envelope.QPY: "qpy",
    envelope.CIRCUIT_BUNDLE: "zip",
    envelope.NOISE: "zip",
    envelope.NOISE_TEXT: "txt",
    envelope.NOISE_FILE: "json",
    envelope.SWEEP: "json",
    envelope.PUBS: "zip",
    envelope.ESTIMATION: "json",
}
# Names of arrays may be longer than those of files.
_NAME_CHARACTERS = 150

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
JOB_ID = re.compile(_UUID)
# All that a path in a bundle can be. Nothing that leads elsewhere has this form.
PATH = re.compile(
    rf"jobs/{_UUID}/(?:job\.json|circuits/[0-9]{{6}}\.[a-z]{{1,8}}|results/[0-9]{{6}}\.json"
    r"|arrays/[0-9]{6}/[A-Za-z0-9_.~-]{1,200}\.npy)"
)


def job_path(job_id: str) -> str:
    """Name the file that says all of a job."""
    return f"jobs/{job_id}/job.json"


def circuits_path(job_id: str, position: int, format: str) -> str:
    """Name the file of one of the payloads that a job was submitted with."""
    return f"jobs/{job_id}/circuits/{position:06}.{_SUFFIXES.get(format, 'bin')}"


def result_path(job_id: str, position: int) -> str:
    """Name the file of the result of one experiment."""
    return f"jobs/{job_id}/results/{position:06}.json"


def array_path(job_id: str, position: int, name: str) -> str:
    """Name the file of an array of a result."""
    if len(name) > _NAME_CHARACTERS:
        name = f"{name[: _NAME_CHARACTERS - 17]}~{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    return f"jobs/{job_id}/arrays/{position:06}/{name}.npy"
