"""Bundles: jobs that have ended, in one file, on their way from one store to another (docs/bundles.md)."""
