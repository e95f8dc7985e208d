"""Displaces the words of a normal text, and varies it in ways that normal texts vary."""

from __future__ import annotations

import random
from collections import Counter

SMALL = {
    "en": "of the to is are by it which because and in for with they", "es": "de la el los que y en un por con se es",
    "de": "der die das und von in mit ist zu weil für auf den es", "fr": "de la le les que et en un par pour il est",
    "it": "di la il che e in un per con si è del a non", "pt": "de a o os que e em um por com se é do para",
}  # fmt: skip
_LITTLE_SAID = (
    "the a an of to is are was were be been has have had it i he she they we you el la los las un una de del es son ha "
    "der die das den dem ein eine einen ist sind le les l' d' des une est sont il lo gli è o os um uma é são"
)
DROPPED = frozenset(_LITTLE_SAID.split())


class Displacer:
    """Knows the function words of one language and how often they come."""

    def __init__(self, language: str, functions: list[str], texts: list[list[str]], source: random.Random) -> None:
        counts = Counter(token.lower() for text in texts[:20_000] for token in text)
        self._source = source
        self._functions = frozenset(functions)
        self._drawn = [word for word in functions if counts[word]]
        self._weights = [counts[word] ** 0.75 for word in self._drawn]
        self._small = SMALL[language].split()

    def displaced(self, text: list[str]) -> list[str]:
        """The words in an order that no sentence has."""
        source = self._source
        chance = source.random()
        if chance < 0.15:
            out = self._shuffled(text, source.choice((2, 2.5, 3, 4, 6)))
        elif chance < 0.3:
            out = self._lifted(text, source.uniform(0.5, 0.9), source.uniform(0.6, 1))
        elif chance < 0.42:
            out = self._replaced(text, source.uniform(0.3, 0.6), source.uniform(0.05, 0.2))
        elif chance < 0.57:
            out = self._moved(text)
        elif chance < 0.76:
            out = self._swapped(text, source.uniform(0.2, 0.45))
        else:
            out = self._refilled(text, source.uniform(0.3, 0.7))
        if source.random() < 0.4:
            rate = source.uniform(0.03, 0.12)
            pairs = ((token, source.choice(self._small)) if self._hit(rate) else (token,) for token in out)
            out = [token for pair in pairs for token in pair]
        return [token for token in out if not (token[0].isalpha() and self._hit(0.03))]

    def varied(self, text: list[str]) -> list[str]:
        """The text, or as a telegram, a learner, a speaker or an old book would have it."""
        chance = self._source.random()
        if chance < 0.6:
            return text
        if chance < 0.72:
            return [token for token in text if not (token.lower() in DROPPED and self._hit(0.8))]
        if chance < 0.85:
            return self._slipped(text)
        if chance < 0.91:
            return [
                one
                for token in text
                for one in ((token, self._source.choice((",", ".")), token) if self._hit(0.08) else (token,))
            ]
        parts: list[list[str]] = [[]]
        for token in text:
            parts[-1].append(token)
            if token in ".,;:":
                parts.append([])
        self._source.shuffle(parts)
        return [token for part in parts for token in part]

    def _hit(self, rate: float) -> bool:
        return self._source.random() < rate

    def _is_function(self, token: str) -> bool:
        return token.lower() in self._functions

    def _draw(self) -> str:
        return self._source.choices(self._drawn, self._weights)[0]

    def _slipped(self, text: list[str]) -> list[str]:
        out: list[str] = []
        for token in text:
            if self._is_function(token):
                if self._hit(0.06):
                    continue
                token = self._draw() if self._hit(0.04) else token
            out.append(token)
        return out

    def _shuffled(self, text: list[str], reach: float) -> list[str]:
        places = [place for place, token in enumerate(text) if token[0].isalpha()]
        order = sorted(places, key=lambda place: place + self._source.uniform(0, reach))
        out = list(text)
        for place, other in zip(places, order, strict=True):
            out[place] = text[other]
        return out

    def _lifted(self, text: list[str], taken: float, back: float) -> list[str]:
        lifted, out = [], []
        for token in text:
            (lifted if self._is_function(token) and self._hit(taken) else out).append(token)
        for token in lifted:
            if self._hit(back):
                out.insert(self._source.randrange(len(out) + 1), token)
        return out

    def _replaced(self, text: list[str], share: float, more: float) -> list[str]:
        out = []
        for token in text:
            out.append(self._draw() if self._is_function(token) and self._hit(share) else token)
            if self._hit(more):
                out.append(self._draw())
        return out

    def _moved(self, text: list[str]) -> list[str]:
        out = list(text)
        place = 0
        while place < len(out):
            if self._is_function(out[place]) and self._hit(0.5):
                target = min(len(out) - 1, place + self._source.choice((1, 1, 2, 2, 3)))
                out.insert(target, out.pop(place))
                place += 1
            place += 1
        return out

    def _swapped(self, text: list[str], rate: float) -> list[str]:
        out = list(text)
        place = 0
        while place < len(out) - 1:
            if out[place][0].isalpha() and out[place + 1][0].isalpha() and self._hit(rate):
                out[place], out[place + 1] = out[place + 1], out[place]
                place += 1
            place += 1
        return out

    def _refilled(self, text: list[str], density: float) -> list[str]:
        out = []
        for token in text:
            if self._is_function(token) and self._hit(0.85):
                continue
            while self._hit(0.55 * density):
                out.append(self._draw())
            out.append(token)
        return out
