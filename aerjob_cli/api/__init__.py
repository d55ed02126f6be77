"""Use cases for callers: submit, look up, wait, cancel, from Python and for the command line."""
