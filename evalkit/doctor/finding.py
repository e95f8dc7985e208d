"""One thing the doctor looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from evalkit.target import Settings

Level = Literal["ok", "absent", "hurts", "breaks"]
"""``absent``: not there, and nothing here needs it. ``hurts``: a run goes on with less. ``breaks``: it cannot."""
GIB = 2**30


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of a topic, and what to do about it; ``facts`` are the same for programs."""

    topic: str
    level: Level
    says: str
    do: str = ""
    facts: Settings = ()


def gib(size: float) -> str:
    """A number of bytes as people read it."""
    return f"{size / GIB:.1f} GiB" if size >= GIB / 10 else f"{size / 2**20:.1f} MiB"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"
