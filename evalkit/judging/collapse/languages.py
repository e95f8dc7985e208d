"""Scripts of characters and languages of words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray

_RANGES = (
    (0x0041, 0x005A, "Latin"), (0x0061, 0x007A, "Latin"), (0x00C0, 0x00D6, "Latin"), (0x00D8, 0x00F6, "Latin"),
    (0x00F8, 0x024F, "Latin"), (0x0370, 0x03FF, "Greek"), (0x0400, 0x052F, "Cyrillic"), (0x0531, 0x0587, "Armenian"),
    (0x05D0, 0x05EA, "Hebrew"), (0x0620, 0x064A, "Arabic"), (0x066E, 0x06D5, "Arabic"), (0x0900, 0x097F, "Devanagari"),
    (0x0980, 0x09FF, "Bengali"), (0x0A00, 0x0DFF, "Indic"), (0x0E01, 0x0E4E, "Thai"), (0x0E80, 0x0FFF, "Lao"),
    (0x1000, 0x109F, "Burmese"), (0x10A0, 0x10FF, "Georgian"), (0x1100, 0x11FF, "Hangul"), (0x1200, 0x139F, "Ethiopic"),
    (0x13A0, 0x13FF, "Cherokee"), (0x1780, 0x17FF, "Khmer"), (0x1E00, 0x1EFF, "Latin"), (0x1F00, 0x1FFF, "Greek"),
    (0x3041, 0x3096, "Kana"), (0x30A1, 0x30FA, "Kana"), (0x3131, 0x318F, "Hangul"), (0x3400, 0x4DBF, "Han"),
    (0x4E00, 0x9FFF, "Han"), (0xAC00, 0xD7AF, "Hangul"), (0xF900, 0xFAFF, "Han"), (0xFB50, 0xFDFF, "Arabic"),
    (0xFE70, 0xFEFC, "Arabic"),
)  # fmt: skip
SCRIPTS = ("", *dict.fromkeys(name for _, _, name in _RANGES))
"""Names by number; 0 is whatever is no letter of a script listed here."""
_FIRST = np.array([first for first, _, _ in _RANGES], dtype=np.uint32)
_LAST = np.array([last for _, last, _ in _RANGES], dtype=np.uint32)
_SCRIPT = np.array([SCRIPTS.index(name) for _, _, name in _RANGES], dtype=np.uint8)
_LATIN_RANGES = "".join(f"{chr(first)}-{chr(last)}" for first, last, name in _RANGES if name == "Latin")
_OTHER_RANGES = "".join(f"{chr(first)}-{chr(last)}" for first, last, name in _RANGES if name != "Latin")
_OTHER_LETTERS = (re.compile(rf"[^\W\d_{_LATIN_RANGES}]"), re.compile(f"[{_OTHER_RANGES}]"))
_SCRIPTS_OF = {
    "ru": "Cyrillic", "uk": "Cyrillic", "bg": "Cyrillic", "sr": "Cyrillic", "zh": "Han", "ja": "Kana", "ko": "Hangul",
    "ar": "Arabic", "fa": "Arabic", "ur": "Arabic", "he": "Hebrew", "el": "Greek", "hi": "Devanagari", "th": "Thai",
    "mr": "Devanagari", "ne": "Devanagari", "sa": "Devanagari", "bn": "Bengali", "ta": "Indic", "te": "Indic",
    "ka": "Georgian", "hy": "Armenian", "am": "Ethiopic", "my": "Burmese", "km": "Khmer", "lo": "Lao",
}  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+")
_MIN_VOTE = 0.14
_CONSONANTS = frozenset("bcdfghjklmnpqrstvwxz")
_LEAST_VOTE = 1.3
_LATIN, _NONE = frozenset({"Latin"}), frozenset[str]()
OTHER_LATIN = re.compile("[ąćęłńśźżčďěňřšťůžőűğşāēīūļņķģțșăđåøðþ]")
"""Letters that the seven languages with function words do not have."""


def is_latin(text: str) -> bool:
    """Whether a text holds no letter but Latin ones."""
    return text.isascii() or not any(letters.search(text) for letters in _OTHER_LETTERS)


def script_numbers(text: str) -> NDArray[np.uint8]:
    """For each character the number of its script in SCRIPTS."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    index = np.searchsorted(_FIRST, codes, side="right").astype(np.int16) - 1
    inside = (index >= 0) & (codes <= _LAST[index])
    return np.where(inside, _SCRIPT[index], 0).astype(np.uint8)


def scripts_of(text: str, least: int = 2) -> frozenset[str]:
    """The scripts of which ``text`` holds at least so many letters; Kana brings Han along."""
    if text.isascii():
        letters = sum(map(str.isalpha, text)) if least > 1 else any(map(str.isalpha, text))
        return _LATIN if letters >= least else _NONE
    counts = np.bincount(script_numbers(text), minlength=len(SCRIPTS))
    found = {SCRIPTS[number] for number in np.flatnonzero(counts >= least).tolist() if number}
    return frozenset(found | ({"Han"} if "Kana" in found else set()))


def languages_of_scripts(languages: Iterable[str]) -> frozenset[str]:
    """The scripts these languages are written in."""
    scripts = {_SCRIPTS_OF.get(language, "Latin") for language in languages}
    return frozenset(scripts | ({"Han"} if "Kana" in scripts else set()))


class Languages:
    """Which language words belong to, by the function words of each."""

    def __init__(self, lists: Iterable[tuple[str, tuple[str, ...]]]) -> None:
        owners: dict[str, set[str]] = {}
        for code, words in lists:
            for word in words:
                owners.setdefault(word, set()).add(code)
        self._owners = {word: tuple(sorted(codes)) for word, codes in owners.items()}
        self._shares = {
            word: tuple((code, 1 / len(codes)) for code in codes)
            for word, codes in self._owners.items()
            if not (len(word) == 1 and word in _CONSONANTS)
        }
        self._asked_for = lru_cache(maxsize=16)(self._language_of)
        self._weights_beside = lru_cache(maxsize=16)(self._weigh_beside)

    def __contains__(self, word: str) -> bool:
        return word in self._owners

    def votes(self, words: Sequence[str]) -> Counter[str]:
        """For each language how many of ``words`` are its function words; one that several share is split."""
        return Counter(self._count(words))

    def _count(self, words: Iterable[str]) -> dict[str, float]:
        shares = self._shares
        found: dict[str, float] = {}
        for own in [shares[word] for word in words if word in shares]:
            for code, share in own:
                found[code] = found.get(code, 0) + share
        return found

    def most_votes(self, words: Iterable[str], allowed: frozenset[str]) -> float:
        """At least as many votes as any one language has that is not ``allowed``."""
        return sum(self.weights(words, allowed))

    def weights(self, words: Iterable[str], allowed: frozenset[str]) -> list[float]:
        """For each word that speaks for a language not ``allowed`` how much it gives to it; 0 for any other."""
        beside = self._weights_beside(allowed)
        return [beside.get(word, 0.0) for word in words]

    def _weigh_beside(self, allowed: frozenset[str]) -> dict[str, float]:
        """What each function word of another language gives to that language."""
        return {word: own[0][1] for word, own in self._shares.items() if any(code not in allowed for code, _ in own)}

    def of(self, text: str) -> str | None:
        """The language of a text, None if it does not say; several detectors ask for the same one."""
        return self._asked_for(text)

    def _language_of(self, text: str) -> str | None:
        if text.isascii():
            words = words_of(text)
            return self._of_words(words) if words else None
        counts = np.bincount(script_numbers(text), minlength=len(SCRIPTS))
        counts[0] = 0
        if not counts.any():
            return None
        script = SCRIPTS[int(counts.argmax())]
        if "Kana" in (SCRIPTS[number] for number in np.flatnonzero(counts >= 2)) and script in ("Han", "Kana"):
            return "ja"
        if script != "Latin":
            return next((code for code, name in _SCRIPTS_OF.items() if name == script), None)
        words = words_of(text)
        if len(OTHER_LATIN.findall(text.lower())) >= 2:
            return None
        return self._of_words(words)

    def _of_words(self, words: Sequence[str]) -> str | None:
        """The language whose function words are clearly most among Latin words."""
        ranked = sorted(self._count(words).items(), key=itemgetter(1), reverse=True)
        if not ranked or ranked[0][1] < max(_LEAST_VOTE, _MIN_VOTE * len(words)):
            return None
        return None if len(ranked) > 1 and ranked[1][1] > 0.8 * ranked[0][1] else ranked[0][0]


def words_of(text: str) -> list[str]:
    """Runs of letters in lower case; an apostrophe parts words."""
    return _WORD.findall(text.lower())
