"""Times as people read them."""

from __future__ import annotations


def clock_text(seconds: float) -> str:
    """``1:12`` for 72.9 seconds, ``1:02:03`` from an hour up."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
