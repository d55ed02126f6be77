"""Telling by their first bytes which format circuits are in. Light: nothing is parsed here."""

from __future__ import annotations

import re

from aerjob_cli.codec.envelope import OPENQASM2, OPENQASM3, QPY

_QPY_MAGIC = b"QISKIT"  # https://quantum.cloud.ibm.com/docs/api/qiskit/qpy, "file header"
# Comments and white space may stand before the version (OpenQASM 2 paper and OpenQASM 3 specification).
_VERSION = re.compile(rb"\A(?:\xef\xbb\xbf)?(?:\s|//[^\n]*(?:\n|\Z)|/\*.*?\*/)*OPENQASM\s+(\d+)", re.DOTALL)
_HEAD_BYTES = 64 * 1024


def sniff_format(data: bytes) -> str:
    """Name the format of ``data``; what shows no other is OpenQASM 2, whose parser then says what is wrong."""
    if data.startswith(_QPY_MAGIC):
        return QPY
    version = _VERSION.match(data[:_HEAD_BYTES])
    return OPENQASM3 if version is not None and int(version[1]) >= 3 else OPENQASM2
