"""Answers as a person sees them at a terminal, with Rich."""
