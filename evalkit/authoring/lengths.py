"""How long the prompts of a category are, and how far they spread."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from evalkit.authoring.words import words
from evalkit.probe import Probe

SHORT_WORDS = 8
LONG_WORDS = 45


@dataclass(frozen=True, slots=True)
class Lengths:
    """Words of the prompts at the 10th, 50th and 90th percentile (the nearest rank from below)."""

    p10: int
    median: int
    p90: int

    @property
    def is_wide(self) -> bool:
        """Whether they span at least 8 to 45 words."""
        return self.p10 <= SHORT_WORDS and self.p90 >= LONG_WORDS


def lengths(probes: Iterable[Probe]) -> Lengths:
    """The spread of the prompts' lengths; all 0 where there are no probes."""
    counts = sorted(len(words(probe.prompt)) for probe in probes)

    def at(tenths: int) -> int:
        return counts[min(len(counts) - 1, tenths * len(counts) // 10)] if counts else 0

    return Lengths(at(1), at(5), at(9))
