"""What a file says of itself."""

from __future__ import annotations

from sqlalchemy import text

APPLICATION_ID = text("PRAGMA application_id")
REVISION = text("SELECT version_num FROM alembic_version")
TRIGGERS = text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
STORE_UUID = text("SELECT store_uuid FROM store_identity")
JOURNAL_MODE = text("PRAGMA journal_mode")
