"""Letters, words and blanks as careless typing leaves them; every noise by its name."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

from evalkit.perturbing.noised import Noised
from evalkit.perturbing.protection import NOTHING, Protected
from evalkit.perturbing.word_shuffle import word_shuffle

Noise = Callable[[str, float, Random, Protected], Noised]

_WORD = re.compile(r"\w+")
_GAP = re.compile(r"(?<=\S) (?=\S)")
GAPS = ("  ", "   ", "\t", "\n", " \n")
SHORTEST_TYPO = 4
"""Words of fewer letters are left alone: an error there often makes another word."""


def other_case(text: str, ratio: float, chance: Random, protected: Protected = NOTHING) -> Noised:
    """The text with ``int(letters * ratio)`` of its letters in their other case.

    Letters without another case, or whose other case is not one letter that comes back, are not counted.
    """
    places = [
        place for place, letter in enumerate(text) if _has_two_cases(letter) and not protected.touches(place, place + 1)
    ]
    drawn = chance.sample(places, int(len(places) * ratio))
    letters = list(text)
    for place in drawn:
        letters[place] = letters[place].swapcase()
    return Noised("".join(letters), len(places), len(drawn), len(drawn))


def _has_two_cases(letter: str) -> bool:
    other = letter.swapcase()
    return len(other) == 1 and other != letter and other.swapcase() == letter


def typing_errors(text: str, ratio: float, chance: Random, protected: Protected = NOTHING) -> Noised:
    """The text with one error in each of ``int(words * ratio)`` of its words of four letters or more.

    Two neighbouring letters change places, one is left out, or one is doubled; never the first. A word that holds a
    digit is not counted: an error in a number makes another task.
    """
    words = [
        found.span()
        for found in _WORD.finditer(text)
        if len(found.group()) >= SHORTEST_TYPO and found.group().isalpha() and not protected.touches(*found.span())
    ]
    drawn = sorted(chance.sample(words, int(len(words) * ratio)))
    parts, done, changed = [], 0, 0
    for start, end in drawn:
        word = text[start:end]
        wrong = _mistyped(word, chance)
        changed += wrong != word
        parts += [text[done:start], wrong]
        done = end
    return Noised("".join((*parts, text[done:])), len(words), len(drawn), changed)


def _mistyped(word: str, chance: Random) -> str:
    kind = chance.choice(("swap", "drop", "double"))
    place = chance.randrange(1, len(word))
    if kind == "drop":
        return word[:place] + word[place + 1 :]
    if kind == "double":
        return word[: place + 1] + word[place:]
    place = min(place, len(word) - 2)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def other_blanks(text: str, ratio: float, chance: Random, protected: Protected = NOTHING) -> Noised:
    """The text with ``int(gaps * ratio)`` of its single blanks between words made wider, a tab, or a line break.

    No blank is taken out, and none is put inside a word.
    """
    gaps = [found.start() for found in _GAP.finditer(text) if not protected.touches(found.start(), found.end())]
    drawn = sorted(chance.sample(gaps, int(len(gaps) * ratio)))
    parts, done = [], 0
    for place in drawn:
        parts += [text[done:place], chance.choice(GAPS)]
        done = place + 1
    return Noised("".join((*parts, text[done:])), len(gaps), len(drawn), len(drawn))


NOISES: dict[str, Noise] = {
    "shuffle": word_shuffle,
    "case": other_case,
    "typo": typing_errors,
    "whitespace": other_blanks,
}
