"""The words of a prompt, and which of them say nothing of what it is about."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_WORD = re.compile(r"[\w']+")
_LETTERS = re.compile(r"[^\W\d_]{3,}")

FUNCTION_WORDS = frozenset(
    """
    a an the and or but if then so because as of in on at by for from to with without about into over under after
    before between through during against i you he she it we they me him her us them my your his its our their mine
    yours this that these those who whom whose which what when where why how is are was were be been being am do does
    did done doing have has had having will would shall should can could may might must not no nor yes please just only
    also too very more most less than there here now never ever always any some all each every both either neither one
    two up down out off again still yet once let's i'm it's don't doesn't can't won't isn't didn't i'll i've you're
    tell say give write explain show make know
    el la los las un una y o de del en que por para con sin se te le lo su sus mi mis tu tus es son fue ser está están
    si sí como cómo qué cuál cuándo dónde porque pero ya más muy
    les une des et ou du pour par sans il elle nous vous ils ce cette est sont pas ne mais plus très
    der die das ein eine und oder von zu auf mit ohne ich er sie wir ihr mir dir ist sind war nicht wenn wie was warum
    aber mehr sehr den dem
    os as um uma e em na com lhe é são não mas mais
    """.split()  # noqa: SIM905 - a list of 300 quoted words cannot be read
)
"""Closed classes and the commonest verbs of asking, in English, Spanish, French, German and Portuguese."""


def words(text: str) -> list[str]:
    """The words in small letters, in order; apostrophes belong to them."""
    return _WORD.findall(_plain(text))


def long_words(text: str) -> frozenset[str]:
    """The set of runs of three letters and more, which is what overlap with training text is measured on."""
    return frozenset(_LETTERS.findall(_plain(text)))


def content(found: Iterable[str]) -> frozenset[str]:
    """Those of the words that are no function words."""
    return frozenset(found) - FUNCTION_WORDS


def _plain(text: str) -> str:
    """Small letters; one spelling of accents and of apostrophes, which differ from keyboard to keyboard."""
    return unicodedata.normalize("NFC", text).replace("’", "'").lower()
