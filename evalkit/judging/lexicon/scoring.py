"""A lexicon, and the score it gives a text: counts, weights, caps, rounding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from evalkit.judging.lexicon.counters import Count, Counter, Number
from evalkit.judging.lexicon.dialects import DIALECTS
from evalkit.judging.lexicon.normalising import AS_IT_IS, Normalisation
from evalkit.judging.lexicon.terms import Scanner, TermList
from evalkit.judging.lexicon.views import View


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a signal counts: hits, at ``most`` so many, each worth ``points``."""

    counter: TermList | Counter
    points: float = 1
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Signal:
    """One named number: ``base`` plus what its parts count, at ``most`` so much, 0 after ``zero_if_starts``.

    ``weight`` is what 1 adds to the score; ``cap`` is the most that the signal adds to it.
    """

    name: str
    weight: float
    parts: tuple[Part, ...]
    cap: float | None = None
    most: int | None = None
    base: int = 0
    zero_if_starts: str | None = None


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Everything that decides a score, as data.

    ``composite`` names the score. A signal of ``saturated_at`` times its cap or more is reported as saturated.
    """

    signals: tuple[Signal, ...]
    composite: str
    decimals: int = 2
    dialect: Literal["python", "go"] = "python"
    normalise: Normalisation = AS_IT_IS
    saturated_at: float | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """The composite ``total``, every signal by name in the lexicon's order, and the names of saturated signals."""

    total: float
    signals: tuple[tuple[str, Number], ...]
    saturated: tuple[str, ...] = ()


class Scorer:
    """A lexicon compiled; ``score`` takes time linear in the text."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._dialect = DIALECTS[lexicon.dialect]
        self._plain = lexicon.normalise == AS_IT_IS
        lists: list[TermList] = []
        self._plans = tuple(
            (signal, tuple(self._step(part, lists) for part in signal.parts)) for signal in lexicon.signals
        )
        self._scanner = Scanner(lists, self._dialect)

    def score(self, text: str) -> Score:
        counted, marked = (text, text) if self._plain else self._lexicon.normalise.of(text)
        view = View(counted, marked, self._dialect, self._scanner.fold)
        hits = self._scanner.counts(view)
        values: list[tuple[str, Number]] = []
        saturated: list[str] = []
        total = 0.0
        limit = self._lexicon.saturated_at
        for signal, steps in self._plans:
            value = _value(signal, steps, view, hits)
            earned = signal.weight * value
            if signal.cap is not None and earned > signal.cap:
                if limit is not None and earned >= limit * signal.cap:
                    saturated.append(signal.name)
                earned = signal.cap
            total += earned
            values.append((signal.name, value))
        return Score(round(total, self._lexicon.decimals), tuple(values), tuple(saturated))

    def _step(self, part: Part, lists: list[TermList]) -> tuple[Part, Count | int]:
        """The part with its compiled counter, or the number of its list in the scan."""
        if isinstance(part.counter, TermList):
            lists.append(part.counter)
            return part, len(lists) - 1
        return part, part.counter.compiled(self._dialect)


@lru_cache(maxsize=16)
def compiled(lexicon: Lexicon) -> Scorer:
    """The lexicon's scorer; equal lexicons are compiled once."""
    return Scorer(lexicon)


def _value(signal: Signal, steps: Sequence[tuple[Part, Count | int]], view: View, hits: list[int]) -> Number:
    if signal.zero_if_starts is not None and view.text.startswith(signal.zero_if_starts):
        return 0
    value: Number = signal.base
    for part, step in steps:
        found = hits[step] if isinstance(step, int) else step(view)
        if part.most is not None:
            found = min(found, part.most)
        value += found * part.points
    if signal.most is not None:
        value = min(value, signal.most)
    return int(value) if value == int(value) else value
