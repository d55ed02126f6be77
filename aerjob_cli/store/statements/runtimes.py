"""What jobs ran with."""

from __future__ import annotations

from sqlalchemy import bindparam, insert, select

from aerjob_cli.store.tables import runtimes

KNOWN = select(runtimes).where(runtimes.c.runtime_id.in_(bindparam("runtime_ids", expanding=True)))
INSERT_RUNTIME = insert(runtimes)
