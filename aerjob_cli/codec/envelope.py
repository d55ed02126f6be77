"""The envelope of stored bytes: a tag that says what they are, and a checksum that says they are still that.

No third party, no knowledge of what is inside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import hashlib

OPENQASM2 = "openqasm2"
OPENQASM3 = "openqasm3"
QPY = "qpy"
# Circuits with instructions that QPY would lose (see `circuit_bundle`); only aerjob writes them.
CIRCUIT_BUNDLE = "circuits+zip;v1"
# What circuits are run under: a noise model, exact and with a device (`noise_models`), as typed (`noise_texts`), and as
# Aer's JSON that somebody brought (`noise_files`).
NOISE = "noise+zip;v1"
NOISE_TEXT = "noise-text;v1"
NOISE_FILE = "noise-model+json"
# Values of parameters (`sweeps`).
SWEEP = "sweep+json;v1"
# PUBs of Qiskit's primitives (see `pubs`), and what an estimator is asked about circuits (see `observables`).
PUBS = "pubs+zip;v1"
ESTIMATION = "estimation+json;v1"
# The result of an experiment as plain JSON, and as JSON with markers for what JSON has no words for (see `results`).
EXPERIMENT_RESULT = "experiment-result+json;v1"
MARKED_EXPERIMENT_RESULT = "experiment-result+json;v2"
# The result of a PUB (see `pub_results`).
PUB_RESULT = "pub-result+json;v1"
# https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
NPY = "npy"

CIRCUIT_FORMATS = frozenset({OPENQASM2, OPENQASM3, QPY, CIRCUIT_BUNDLE})
NOISE_FORMATS = frozenset({NOISE, NOISE_TEXT, NOISE_FILE})
# What a job runs. PUBs come from Python only.
RUN_FORMATS = CIRCUIT_FORMATS | {PUBS}
RESULT_FORMATS = frozenset({EXPERIMENT_RESULT, MARKED_EXPERIMENT_RESULT, PUB_RESULT})


class ChecksumMismatch(ValueError):
    """Bytes do not have the checksum that was stored with them."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"the stored checksum is {expected}, the bytes have {found}")
        self.expected = expected
        self.found = found


def begun_sha256() -> hashlib._Hash:
    """Begin the SHA-256 of what comes in parts."""
    # Here, since importing it loads OpenSSL, and who looks at a state hashes nothing.
    import hashlib

    return hashlib.sha256()


def sha256_hex(data: bytes) -> str:
    """Compute the SHA-256 of ``data``, as 64 lower-case hexadecimal digits."""
    checksum = begun_sha256()
    checksum.update(data)
    return checksum.hexdigest()


def verify(data: bytes, sha256: str) -> None:
    """Check ``data`` against its stored checksum; raises ``ChecksumMismatch``."""
    found = sha256_hex(data)
    if found != sha256:
        raise ChecksumMismatch(sha256, found)
