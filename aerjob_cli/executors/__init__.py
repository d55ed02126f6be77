"""The processes that run circuits, and the pool that a worker holds them in. No database handle here."""
