"""Simulators that other distributions bring, and those of aerjob's own that need a library which may be missing."""
