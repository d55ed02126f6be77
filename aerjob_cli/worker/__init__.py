"""The detached supervisor of one store: claims, feeds executors, enforces limits, writes results."""
