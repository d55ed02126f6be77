"""When two submissions ask for the same: what an idempotency key is compared by, and what a result is found by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from aerjob_cli.codec.envelope import sha256_hex
from aerjob_cli.store.records import Payload, Submission

# Of a SHA-256: enough to tell apart what one store comes to see.
_RESULT_KEY_CHARACTERS = 32
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def digest_of(submission: Submission) -> str:
    """Compute a SHA-256 of what was asked for, as 64 hexadecimal digits.

    Names, tags, groups and limits are no part of it, nor is what the job waits for: a repeated submission gives the job
    as it was taken in.
    """
    return sha256_hex(as_json(_asked(submission, submission.requested_seed)).encode())


def result_key_of(submission: Submission) -> str:
    """Compute a checksum of what decides about the result beside versions, the seed included, as 32 hexadecimal digits.

    In another order, or of a circuit with another name, it is another result.
    """
    return sha256_hex(as_json(_asked(submission, submission.seed)).encode())[:_RESULT_KEY_CHARACTERS]


def _asked(submission: Submission, seed: int | None) -> dict[str, Any]:
    return {
        "payloads": [_meaning(payload) for payload in submission.payloads],
        "backend": submission.backend,
        "method": submission.method,
        "shots": submission.shots,
        "seed": seed,
        "memory": submission.memory,
        "options": dict(submission.options),
    }


def as_json(value: Mapping[str, Any]) -> str:
    """Write equal values as equal texts."""
    return _ENCODER.encode(dict(value))


def _meaning(payload: Payload) -> list[str]:
    if payload.identity is not None:
        return [payload.format, payload.identity]
    # A file is the same wherever its folder is; its own name is in the result.
    return [PurePath(payload.name).name, payload.format, payload.sha256]
