"""Where the host can be reached."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """Where the host listens; ``key`` (hex) proves that a client belongs to this run; ``log`` is shown in errors."""

    socket: str
    key: str
    log: str
