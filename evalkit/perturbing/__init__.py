"""Noise on what a probe says: shuffled words, other capitals, typing errors, other blanks."""
