"""Alembic's entry: runs the migrations on the connection, and in the transaction, that the store hands over."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

connection: Connection = context.config.attributes["connection"]

# The caller holds BEGIN IMMEDIATE and commits, so that a kill leaves the old schema or the new one. With Alembic's
# default for SQLite each statement would be committed by itself.
context.configure(connection=connection, transactional_ddl=True, transaction_per_migration=False)
context.run_migrations()
