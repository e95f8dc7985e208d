"""Measures, by a small net over five words in a row, whether words stand in an order that sentences have."""

from __future__ import annotations

import re
from base64 import b85decode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from evalkit.judging.collapse.plain_line import LONGEST

TOKEN = re.compile(
    r"(?P<word>[^\W\d_]{1,7}['’](?=[^\W\d_])(?![tsdm]\b|re\b|ve\b|ll\b)|[^\W\d_]+(?:['’](?:[tsdm]|re|ve|ll)\b)?)"
    r"|(?P<number>\d[\d.,]*)|(?P<stop>[.!?]+(?=[\s\"'”’)»]|$))|(?P<comma>[,;:](?=\s|$))|(?P<other>\n|[ \t]{3,}|[^\w\s])"
)
LANGUAGES = ("de", "en", "es", "fr", "it", "pt")
CONTEXT = 5
SHORT = 4
MOST = 3.0
_DRIFT = 0.15
_BREAK, _STOP, _COMMA, _NUMBER, _OTHER_WORD, _NAME = range(6)
_MARKS = ("|", ".", ",", "#", "~", "~A")
_ALSO_NAMES = frozenset(("May", "Will"))
_BATCH = 8192
_MARGIN = 0.01
_PLACES = np.arange(LONGEST)[:, None] + np.arange(1, CONTEXT + 1)
_UNNAMED = re.compile(re.sub(r"\(\?P<\w+>", "(?:", TOKEN.pattern))


@dataclass(frozen=True)
class SentenceNet:
    """Numbers of words and endings, their vectors, and the two layers that weigh five of them."""

    words: dict[str, int]
    vectors: NDArray[np.float32]
    inner: NDArray[np.float32]
    inner_bias: NDArray[np.float32]
    outer: NDArray[np.float32]
    outer_bias: float

    @classmethod
    def of(cls, words: str, hidden: int, scales: Sequence[float], weights: str) -> SentenceNet:
        """The net as its module keeps it: whole numbers of one byte, an array behind the other, times its scale."""
        names = numbered(words.split())
        values = np.frombuffer(b85decode(weights), dtype=np.int8).astype(np.float32)
        size = (len(values) - 2 * hidden - 1) // (len(names) + CONTEXT * hidden)
        lengths = (len(names) * size, CONTEXT * size * hidden, hidden, hidden, 1)
        edges = np.cumsum((0, *lengths))
        arrays = [values[edges[at] : edges[at + 1]] * np.float32(scale) for at, scale in enumerate(scales)]
        vectors, inner = arrays[0].reshape(len(names), size), arrays[1].reshape(hidden, CONTEXT * size)
        return cls(names, vectors, inner.T.copy(), arrays[2], arrays[3], float(arrays[4][0]))

    def scores(self, numbers: Sequence[int]) -> NDArray[np.float32]:
        """For each place how much it speaks against a sentence, at most 3 either way; nothing beside a break."""
        places = contexts(numbers)
        found = np.empty(len(places), dtype=np.float32)
        for first in range(0, len(places), _BATCH):
            part = self.vectors[places[first : first + _BATCH]].reshape(-1, self.inner.shape[0])
            hidden = np.maximum(part @ self.inner + self.inner_bias, 0)
            found[first : first + _BATCH] = hidden @ self.outer + self.outer_bias
        row = np.asarray(numbers)
        found[(row[1:] == _BREAK) | (row[:-1] == _BREAK)] = 0
        return found.clip(-MOST, MOST)

    @cached_property
    def _sums(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Where each of five places begins, and what each word gives to the inner layer there, one behind the other."""
        count, size = self.vectors.shape
        given = [self.vectors @ self.inner[at * size : (at + 1) * size] for at in range(CONTEXT)]
        return np.arange(CONTEXT) * count, np.concatenate(given)

    def rough_scores(self, numbers: list[int]) -> NDArray[np.float32]:
        """The scores of a short text but for their last digits, before they are cut and breaks left out.

        As quick as a few calls can be: all that words give to the inner layer is added up, not multiplied.
        """
        places, behind = self._sums
        row = np.array([_STOP] * (CONTEXT - 1) + numbers)
        hidden = np.add.reduce(behind.take(row.take(_PLACES[: len(numbers) - 1]) + places, axis=0), axis=1)
        hidden += self.inner_bias
        found: NDArray[np.float32] = np.maximum(hidden, 0, out=hidden) @ self.outer + self.outer_bias
        return found


@dataclass(frozen=True, slots=True)
class Stretch:
    """Characters ``start`` to ``end`` hold ``words`` words whose order speaks against a sentence by ``score``.

    ``worst`` are the characters of the two words that speak most.
    """

    start: int
    end: int
    words: int
    score: float
    worst: tuple[int, int]


NOTHING = Stretch(0, 0, 0, 0.0, (0, 0))


@cache
def sentence_net(language: str) -> SentenceNet | None:
    """The net of a language, None where there is none."""
    if language not in LANGUAGES:
        return None
    kept = import_module(f"evalkit.judging.collapse.sentence_nets.{language}")
    return SentenceNet.of(kept.WORDS, kept.HIDDEN, kept.SCALES, kept.WEIGHTS)


def numbered(names: Sequence[str]) -> dict[str, int]:
    """Each mark, word and ending with its number."""
    return {name: number for number, name in enumerate((*_MARKS, *names))}


def numbers_of(tokens: Sequence[str], words: dict[str, int]) -> list[int]:
    """The number of each word or mark: its own, that of its ending, or what kind it is; a stop comes first."""
    found = [_STOP]
    for token in tokens:
        known = words.get(token)
        if known is not None and token.islower():
            found.append(known)
        elif token[0].isalpha():
            found.append(_number_of_word(token, found[-1] == _STOP, words))
        elif token[0].isdigit():
            found.append(_NUMBER)
        elif token[0] in ".!?":
            found.append(_STOP)
        else:
            found.append(_COMMA if token in ",;:" else _BREAK)
    return found


def _number_of_word(token: str, is_first: bool, words: dict[str, int]) -> int:
    word = token.lower().replace("’", "'")
    known = words.get(word)
    if not is_first and (token in _ALSO_NAMES or (len(token) > 1 and token.isupper())):
        return _NAME
    if known is not None:
        return known
    if token[0].isupper() and not is_first:
        return _NAME
    if len(word) <= SHORT:
        return _OTHER_WORD
    return words.get("~" + word[-3:]) or words.get("~" + word[-2:]) or _OTHER_WORD


def contexts(numbers: Sequence[int]) -> NDArray[np.int64]:
    """For each place but the first the numbers of the five that end there; stops stand before the text."""
    row = np.array([_STOP] * (CONTEXT - 1) + list(numbers), dtype=np.int64)
    places = max(0, len(numbers) - 1)
    return np.stack([row[start : start + places] for start in range(1, CONTEXT + 1)], axis=1)


def may_reach(limit: float, text: str, net: SentenceNet) -> bool:
    """Whether ``find_stretch`` may find so high a score."""
    numbers = numbers_of(_UNNAMED.findall(text), net.words)
    rough = net.rough_scores(numbers) if len(numbers) <= LONGEST else net.scores(numbers)
    if np.maximum(rough - _DRIFT, 0).sum() < limit - _MARGIN:
        return False
    breaks = np.array(numbers) == _BREAK
    gains = np.where(breaks[1:] | breaks[:-1], 0, rough).clip(-MOST, MOST).astype(np.float64) - _DRIFT
    total = np.concatenate(([0.0], np.cumsum(gains)))
    return bool((total - np.minimum.accumulate(total)).max() >= limit - _MARGIN)


def find_stretch(text: str, net: SentenceNet) -> Stretch | None:
    """The stretch whose order speaks most against a sentence, by cumulated scores (Page's CUSUM, 1954).

    Three blanks or more stand for words that were blanked.
    """
    found = list(TOKEN.finditer(text))
    if not found:
        return None
    scores = net.scores(numbers_of([match.group() for match in found], net.words))
    total = np.concatenate(([0.0], np.cumsum(scores.astype(np.float64) - _DRIFT)))
    lowest = np.minimum.accumulate(total)
    last = int((total - lowest).argmax())
    if last == 0:
        return None
    first = int(total[: last + 1].argmin())
    worst = first + int(scores[first:last].argmax())
    stretch = found[first:last]
    return Stretch(
        stretch[0].start(), stretch[-1].end(), sum(match.lastgroup == "word" for match in stretch),
        float(total[last] - total[first]), (found[max(0, worst - 1)].start(), found[worst].end()),
    )  # fmt: skip
