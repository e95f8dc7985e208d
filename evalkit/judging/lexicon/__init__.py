"""Scores a text by counting what a policy lists."""
