"""Which prompts of a category are near-copies of another."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from evalkit.authoring.frames import family
from evalkit.authoring.words import words
from evalkit.probe import Probe

TOO_ALIKE = 0.6
_KEPT_EQUALS = 2
_ROUNDING = 1e-9

Vector = dict[int, float]
"""Word number → weight, of length 1. Words are numbered from the commonest to the rarest."""


@dataclass(frozen=True, slots=True)
class Alike:
    """Two probes of one category, the earlier one first, with the cosine of their TF-IDF vectors."""

    earlier: Probe
    later: Probe
    cosine: float


def alike(probes: Sequence[Probe], least: float = TOO_ALIKE) -> list[Alike]:
    """Each probe that is too like an earlier one of its category and of another cluster, with the likest of these.

    Weights: (1 + ln tf) · (ln((1 + N) / (1 + df)) + 1), N being all the probes given. Only pairs that share a word
    among the rarer ones of both are measured, as the common ones cannot reach ``least`` by themselves.

    Source of the pruning: Chaudhuri, Ganti and Kaushik (2006), prefix filtering.
    """
    vectors = _vectors([words(probe.prompt) for probe in probes])
    categories: dict[str, list[int]] = {}
    for place, probe in enumerate(probes):
        categories.setdefault(probe.category, []).append(place)
    found: dict[int, Alike] = {}
    for places in categories.values():
        found.update(_alike_in_category(places, probes, vectors, least))
    return [found[place] for place in sorted(found)]


def _vectors(texts: Sequence[Sequence[str]]) -> list[Vector]:
    counts = [Counter(text) for text in texts]
    holders = Counter(word for count in counts for word in count)
    number = {word: place for place, (word, _) in enumerate(sorted(holders.items(), key=lambda item: -item[1]))}
    rarity = {word: math.log((1 + len(texts)) / (1 + many)) + 1 for word, many in holders.items()}
    vectors = []
    for count in counts:
        weights = {number[word]: (1 + math.log(times)) * rarity[word] for word, times in count.items()}
        length = math.sqrt(sum(weight * weight for weight in weights.values())) or 1.0
        vectors.append({word: weights[word] / length for word in sorted(weights)})
    return vectors


def _alike_in_category(
    places: Sequence[int], probes: Sequence[Probe], vectors: Sequence[Vector], least: float
) -> Iterator[tuple[int, Alike]]:
    numbers: dict[str, int] = {}
    families = [numbers.setdefault(family(probes[place]), len(numbers)) for place in places]
    if len(numbers) < 2:
        return
    index = _Index(least)
    for place, own in zip(places, families, strict=True):
        likest = index.likest(vectors[place], own)
        if likest is not None:
            yield place, Alike(probes[likest[1]], probes[place], min(1.0, likest[0]))
        index.add(vectors[place], own, place)


class _Index:
    """The vectors seen so far by the rarer words of each; ``least`` is the smallest cosine that is looked for.

    Of equal vectors two are kept, of two families: whoever comes later is no relative of one of them.
    """

    def __init__(self, least: float) -> None:
        self._least = least
        self._rows: list[tuple[Vector, int, int]] = []
        self._common_lengths = array("d")
        self._by_word: dict[int, tuple[array[int], array[float]]] = {}
        self._equal: dict[tuple[tuple[int, float], ...], list[tuple[int, int]]] = {}

    def add(self, vector: Vector, own_family: int, place: int) -> None:
        equal = self._equal.setdefault(tuple(vector.items()), [])
        if not vector or len(equal) == _KEPT_EQUALS or any(other == own_family for other, _ in equal):
            return
        equal.append((own_family, place))
        rarer, common_length = self._rarer(vector)
        for word in rarer:
            rows, weights = self._by_word.setdefault(word, (array("q"), array("d")))
            rows.append(len(self._rows))
            weights.append(vector[word])
        self._rows.append((vector, own_family, place))
        self._common_lengths.append(common_length)

    def likest(self, vector: Vector, own_family: int) -> tuple[float, int] | None:
        """The largest cosine from ``least`` up with a vector of another family, and whose; the earliest of equals."""
        for other, place in self._equal.get(tuple(vector.items()), ()):
            if other != own_family:
                return 1.0, place
        best: tuple[float, int] | None = None
        for row in self._candidates(vector):
            other_vector, other, place = self._rows[row]
            if other == own_family:
                continue
            cosine = _dot(vector, other_vector)
            if cosine >= self._least and (best is None or (cosine, -place) > (best[0], -best[1])):
                best = cosine, place
        return best

    def _candidates(self, vector: Vector) -> list[int]:
        """Rows whose rarer words agree so far that the common ones, which are bounded, could do the rest."""
        rarer, common_length = self._rarer(vector)
        found = [(self._by_word[word], vector[word]) for word in rarer if word in self._by_word]
        if not found:
            return []
        rows = np.concatenate([np.frombuffer(rows, np.int64) for (rows, _), _ in found])
        parts = np.concatenate([np.frombuffer(weights, np.float64) * own for (_, weights), own in found])
        shared = np.bincount(rows, parts, len(self._rows))
        rest = np.maximum(np.frombuffer(self._common_lengths, np.float64), common_length)
        return [int(row) for row in np.flatnonzero((shared > 0) & (shared + rest >= self._least - _ROUNDING))]

    def _rarer(self, vector: Vector) -> tuple[list[int], float]:
        """The words left when as many common ones go as stay shorter than ``least``, and how long those are."""
        length, common = 0.0, 0
        for weight in vector.values():
            longer = length + weight * weight
            if longer >= (self._least - _ROUNDING) ** 2:
                break
            length, common = longer, common + 1
        return list(vector)[common:], math.sqrt(length)


def _dot(one: Vector, other: Vector) -> float:
    if len(one) > len(other):
        one, other = other, one
    return sum(weight * other[word] for word, weight in one.items() if word in other)
