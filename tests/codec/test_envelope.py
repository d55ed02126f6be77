"""Checksums of stored bytes, and which parts of the codec stay light."""

from __future__ import annotations

import subprocess
import sys

import pytest

from aerjob_cli.codec.envelope import ChecksumMismatch, sha256_hex, verify


def test_the_checksum_is_sha256_in_hex() -> None:
    # FIPS 180-4's example.
    assert sha256_hex(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_verify_takes_the_very_bytes_and_no_others() -> None:
    verify(b"abc", sha256_hex(b"abc"))
    with pytest.raises(ChecksumMismatch) as caught:
        verify(b"abd", sha256_hex(b"abc"))
    assert isinstance(caught.value, ValueError)
    assert (caught.value.expected, caught.value.found) == (sha256_hex(b"abc"), sha256_hex(b"abd"))


@pytest.mark.parametrize("module", ["envelope", "jobspec", "counts", "options", "results", "circuits", "strict_json"])
def test_importing_the_codec_brings_neither_qiskit_nor_numpy(module: str) -> None:
    program = (
        f"import sys, aerjob_cli.codec.{module}\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'qiskit', 'qiskit_aer', 'numpy'}))"
    )
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert shown.stdout == "[]\n"
