"""Adapters that run circuits on a simulator library. They know nothing of stores, workers or pipes."""
