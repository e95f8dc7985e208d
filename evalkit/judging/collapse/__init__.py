"""Detectors of broken text, one way of breaking to a file."""
