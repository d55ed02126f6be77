"""The history of jobs as JSON lines, which is the only form that it has."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from aerjob_cli.cli.answers.base import SCHEMA_VERSION, Document, time_json
from aerjob_cli.store.event_feed import FeedEvent


def event_lines(events: Iterable[FeedEvent]) -> Document:
    """Write each event as one JSON value in a line of its own."""
    return Document(data="".join(json.dumps(_event_json(event)) + "\n" for event in events).encode("ascii"))


def _event_json(event: FeedEvent) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "seq": event.seq,
        "job_id": event.job_id,
        "at": time_json(event.at),
        "from": event.from_status,
        "to": event.to_status,
        "attempt": event.attempt,
        "worker_id": event.worker_id,
        "why": event.why,
        "reason": event.reason,
        "name": event.name,
        "group": event.group,
        "tags": list(event.tags),
    }
