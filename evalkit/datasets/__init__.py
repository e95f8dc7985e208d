"""Approved transcripts of a run as training data."""
