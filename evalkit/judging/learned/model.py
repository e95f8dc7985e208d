"""Weighs the features of an answer: the log-odds that a careful reader would call it right, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from heapq import nlargest
from math import sqrt

from evalkit.judging.learned.features import Extent

SHOWN = 3


@dataclass(frozen=True, slots=True)
class Evidence:
    """Characters ``start`` to ``end`` of the answer, and by how much they moved the log-odds."""

    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Opinion:
    """``log_odds`` above 0 speak for a right answer; ``evidence`` are the places that moved them most, in order."""

    log_odds: float
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class LinearModel:
    """Logistic regression over present features, as Daumé (2007) adapts one to several domains at little cost.

    Every feature has a weight in general and one in its category (``CATEGORY:feature``). The present features weigh
    1 / √(how many are known), so that long answers are no surer than short ones.
    """

    weights: Mapping[str, float]

    def read(self, category: str, found: Iterable[tuple[str, Extent | None]]) -> Opinion:
        """The opinion on an answer of that category with these features."""
        places: dict[str, Extent | None] = {}
        for name, extent in found:
            places.setdefault(name, extent)
        known: dict[str, float] = {}
        active = 0
        total = self.weights.get(f"{category}:", 0.0)
        active += f"{category}:" in self.weights
        for name in places:
            for key in (name, f"{category}:{name}"):
                weight = self.weights.get(key)
                if weight is not None:
                    active += 1
                    total += weight
                    known[name] = known.get(name, 0.0) + weight
        scale = 1 / sqrt(active) if active else 0.0
        side = 1 if total >= 0 else -1
        placed = [(weight, extent) for name, weight in known.items() if (extent := places[name]) and weight * side > 0]
        strongest = nlargest(SHOWN, placed, key=lambda item: abs(item[0]))
        evidence = (Evidence(*extent, weight * scale) for weight, extent in strongest)
        return Opinion(total * scale, tuple(sorted(evidence, key=lambda item: (item.start, item.end))))
