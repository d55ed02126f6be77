"""The database and the object folder behind it: the only truth about jobs."""
