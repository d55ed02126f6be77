"""Where the time of a job goes: client, store, worker, pipe, executor, Aer."""
