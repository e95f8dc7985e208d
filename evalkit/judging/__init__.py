"""Judges: pure functions from a case to a verdict."""
