"""Which probes a training text already holds, measured while the training files stream by."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from evalkit.authoring.words import content, long_words, words
from evalkit.probe import Probe

LEAST_JACCARD = 0.3
"""The published overlap exclusion of the Instrument Trap benchmark: word sets, three letters and more."""
RUN_WORDS = 8
LEAST_SHARE = 0.5
LONG_RUN_WORDS = 13
"""The n-gram length at which Brown et al. (2020) call a benchmark's text contaminated."""
SHARED_CONTENT = 2
SHORT_RUN_CONTENT = 3
SHORTEST_RUN = 4


@dataclass(frozen=True, slots=True)
class Overlap:
    """A probe beside the training text nearest to it.

    ``jaccard`` is of the word sets; ``share`` is the part of the prompt's words that stands in runs it has in common
    with that text. Both are proportions.
    """

    probe: Probe
    training: str
    jaccard: float
    share: float

    @property
    def strength(self) -> tuple[float, float]:
        return max(self.jaccard, self.share), min(self.jaccard, self.share)


class OverlapWatch:
    """Takes training texts one by one and remembers for each probe the nearest that overlaps with it."""

    def __init__(self, probes: Sequence[Probe]) -> None:
        self._probes = tuple(probes)
        self._found: dict[int, Overlap] = {}
        self._sets = [long_words(probe.prompt) for probe in self._probes]
        self._contents = [content(found) for found in self._sets]
        self._function_words = np.array([len(a) - len(b) for a, b in zip(self._sets, self._contents, strict=True)])
        self._sizes = np.array([len(found) for found in self._sets])
        self._needed = np.array([min(SHARED_CONTENT, len(found)) for found in self._contents])
        self._holders: dict[str, array[int]] = {}
        for place, found in enumerate(self._contents):
            for word in found:
                self._holders.setdefault(word, array("q")).append(place)
        self._texts = [tuple(words(probe.prompt)) for probe in self._probes]
        self._alike_in_full: dict[tuple[str, ...], list[int]] = {}
        self._runs = _Runs(self._texts)
        for place, text in enumerate(self._texts):
            self._alike_in_full.setdefault(text, []).append(place)

    def take(self, text: str, training: str) -> None:
        """Measures one training text; ``training`` names its place in messages."""
        said = tuple(words(text))
        letters = long_words(text)
        jaccards = dict.fromkeys(self._alike_in_full.get(said, ()), 1.0) if said else {}
        jaccards |= self._jaccards(letters)
        shares = self._runs.shares(said)
        for place in jaccards.keys() | shares.keys():
            jaccard = jaccards.get(place)
            if jaccard is None:
                jaccard = _jaccard(self._sets[place], letters)
            found = Overlap(self._probes[place], training, jaccard, shares.get(place, 0.0))
            before = self._found.get(place)
            if before is None or found.strength > before.strength:
                self._found[place] = found

    @property
    def overlaps(self) -> tuple[Overlap, ...]:
        """One for each probe that overlaps with any text taken, in the order of the probes."""
        return tuple(self._found[place] for place in sorted(self._found))

    def _jaccards(self, letters: frozenset[str]) -> dict[int, float]:
        own = content(letters)
        holders = [np.frombuffer(self._holders[word], np.int64) for word in own if word in self._holders]
        if not holders:
            return {}
        shared = np.bincount(np.concatenate(holders), minlength=len(self._probes))
        most = shared + np.minimum(self._function_words, len(letters) - len(own))
        may_reach = most >= LEAST_JACCARD / (1 + LEAST_JACCARD) * (self._sizes + len(letters)) - 1e-9
        places = np.flatnonzero((shared > 0) & (shared >= self._needed) & may_reach)
        measured = {int(place): _jaccard(self._sets[int(place)], letters) for place in places}
        return {place: value for place, value in measured.items() if value >= LEAST_JACCARD}


class _Runs:
    """Every run of eight words of the probes' prompts; of short prompts that say something, the whole."""

    def __init__(self, texts: Sequence[tuple[str, ...]]) -> None:
        self._lengths = [len(text) for text in texts]
        self._numbers: dict[str, int] = {}
        self._places: dict[tuple[int, ...], list[tuple[int, int]]] = {}
        for place, text in enumerate(texts):
            size = min(RUN_WORDS, len(text))
            if size < SHORTEST_RUN or (size < RUN_WORDS and len(content(text)) < SHORT_RUN_CONTENT):
                continue
            numbers = tuple(self._numbers.setdefault(word, len(self._numbers)) for word in text)
            for start in range(len(text) - size + 1):
                self._places.setdefault(numbers[start : start + size], []).append((place, start))
        self._run_sizes = sorted({len(run) for run in self._places})

    def shares(self, text: Iterable[str]) -> dict[int, float]:
        """The covered part of each prompt of which enough is covered."""
        covered: dict[int, set[int]] = {}
        for stretch in self._known_stretches(text):
            for size in self._run_sizes:
                for start in range(len(stretch) - size + 1):
                    for place, at in self._places.get(stretch[start : start + size], ()):
                        covered.setdefault(place, set()).update(range(at, at + size))
        shares = {place: len(held) / self._lengths[place] for place, held in covered.items()}
        return {
            place: share
            for place, share in shares.items()
            if share >= LEAST_SHARE or _longest_run(covered[place]) >= LONG_RUN_WORDS
        }

    def _known_stretches(self, text: Iterable[str]) -> list[tuple[int, ...]]:
        """The text as numbers of words, cut where a word stands in no prompt; no run crosses there."""
        stretches: list[list[int]] = [[]]
        for word in text:
            number = self._numbers.get(word)
            if number is not None:
                stretches[-1].append(number)
            elif stretches[-1]:
                stretches.append([])
        return [tuple(stretch) for stretch in stretches]


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0


def _longest_run(held: set[int]) -> int:
    longest = length = 0
    for place in sorted(held):
        length = length + 1 if place - 1 in held else 1
        longest = max(longest, length)
    return longest
