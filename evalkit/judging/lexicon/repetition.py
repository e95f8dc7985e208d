"""The counters that tell how much a text repeats itself."""

from __future__ import annotations

import re
from collections import Counter as Tally
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evalkit.judging.lexicon.counters import Count, Number
from evalkit.judging.lexicon.dialects import Dialect
from evalkit.judging.lexicon.views import View

_WORD = re.compile(r"\w+(?:['’]\w+)*")


@dataclass(frozen=True, slots=True)
class Step:
    """What is counted when the measure is past ``bound``."""

    bound: float
    count: float


@dataclass(frozen=True, slots=True)
class Variety:
    """Counts as the first step says whose ``bound`` the share of different words is below.

    Texts of at most ``more_words_than`` words count 0. ``words`` are what blanks separate, case and marks and all, or
    letters and digits whatever the case (``plain``). With a ``window`` the share is the mean over every stretch of so
    many words, which does not fall with the length of the text.

    Source: Covington and McFall (2010), the moving-average type-token ratio.
    """

    below: tuple[Step, ...]
    more_words_than: int
    words: Literal["blanks", "plain"] = "blanks"
    window: int | None = None

    def compiled(self, dialect: Dialect) -> Count:
        def count(view: View) -> Number:
            words = view.words if self.words == "blanks" else _WORD.findall(view.folded)
            if len(words) <= self.more_words_than:
                return 0
            share = variety(words, self.window)
            return next((step.count for step in self.below if share < step.bound), 0)

        return count


def variety(words: Sequence[str], window: int | None) -> float:
    """Different words by words: of the whole text, or the mean over windows where it is longer than one."""
    if window is None or len(words) <= window:
        return len(set(words)) / len(words)
    seen = Tally(words[:window])
    different = total = len(seen)
    for leaving, entering in zip(words, words[window:], strict=False):
        seen[entering] += 1
        different += seen[entering] == 1
        seen[leaving] -= 1
        different -= seen[leaving] == 0
        total += different
    return total / (window * (len(words) - window + 1))


@dataclass(frozen=True, slots=True)
class RepeatedSentences:
    """Counts as the first step says whose ``bound`` the share of repeated pieces between dots is above.

    ``empty`` is the count of a text without a character, ``blank`` that of one without a piece.
    """

    above: tuple[Step, ...]
    empty: int
    blank: int

    def compiled(self, dialect: Dialect) -> Count:
        def count(view: View) -> Number:
            if not view.text:
                return self.empty
            pieces = [piece for piece in map(dialect.stripped, view.text.split(".")) if piece]
            if not pieces:
                return self.blank
            share = 1 - len(set(pieces)) / len(pieces)
            return next((step.count for step in self.above if share > step.bound), 0)

        return count
