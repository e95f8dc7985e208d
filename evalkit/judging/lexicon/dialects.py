"""What a word, a letter's case, a space and a length are, as Python's and as Go's regular expressions see them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Protocol

Fold = Callable[[str], str]
_WORD = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
_GO_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_GO_ATOM = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[KSks]")
_GO_SAME = {"k": "[kK\u212a]", "s": "[sS\u017f]"}


class WordCharacters(dict[str, bool]):
    """Whether a character belongs to a word; each is asked once."""

    def __init__(self, is_word: Callable[[str], bool]) -> None:
        self._is_word = is_word

    def __missing__(self, char: str) -> bool:
        self[char] = found = self._is_word(char)
        return found


class Dialect(Protocol):
    """How texts are read. ``folding`` keeps every character's place."""

    words: WordCharacters

    def folding(self, terms: Iterable[str]) -> Fold: ...

    def pattern(self, pattern: str, ignoring_case: bool) -> re.Pattern[str]: ...

    def stripped(self, text: str) -> str: ...

    def split(self, text: str) -> list[str]: ...

    def length(self, text: str) -> int: ...


class PythonDialect:
    """Letters, digits and ``_`` of all scripts make words; case is as ``re.IGNORECASE`` sees it; characters count."""

    words = WordCharacters(lambda char: char.isalnum() or char == "_")

    def folding(self, terms: Iterable[str]) -> Fold:
        """Makes two texts equal where ``re.IGNORECASE`` calls the letters of ``terms`` equal."""
        changes = {"\u0130": "i", "\u0131": "i", "\u017f": "s"}
        for letter in sorted({char for term in terms for char in term if char > "\x7f"}):
            changes |= _same_ignoring_case(letter)
        pairs = tuple(changes.items())

        def fold(text: str) -> str:
            if not text.isascii():
                for old, new in pairs:
                    text = text.replace(old, new)
            return text.lower()

        return fold

    def pattern(self, pattern: str, ignoring_case: bool) -> re.Pattern[str]:
        return re.compile(pattern, re.IGNORECASE if ignoring_case else 0)

    def stripped(self, text: str) -> str:
        return text.strip()

    def split(self, text: str) -> list[str]:
        return text.split()

    def length(self, text: str) -> int:
        return len(text)


class GoDialect:
    """Only ASCII makes words and ``\\s``; case folds one to one (``ſ`` is an s, ``İ`` no i); UTF-8 bytes count."""

    words = WordCharacters(_WORD.__contains__)

    def folding(self, terms: Iterable[str]) -> Fold:
        """Makes two texts equal where Go's ``(?i)`` calls them equal."""

        def fold(text: str) -> str:
            if not text.isascii():
                text = text.replace("\u0130", "\ufffd").replace("\u017f", "s")
            return text.lower()

        return fold

    def pattern(self, pattern: str, ignoring_case: bool) -> re.Pattern[str]:
        """The pattern in Go's sense, for patterns that need no case folding inside their character classes."""

        def as_go(found: re.Match[str]) -> str:
            atom = found.group()
            if atom == r"\s":
                return r"[\t\n\f\r ]"
            return _GO_SAME.get(atom.lower(), atom) if ignoring_case else atom

        return re.compile(_GO_ATOM.sub(as_go, pattern), re.ASCII | (re.IGNORECASE if ignoring_case else 0))

    def stripped(self, text: str) -> str:
        return text.strip(_GO_SPACE)

    def split(self, text: str) -> list[str]:
        return [word for word in re.split(f"[{_GO_SPACE}]+", text) if word]

    def length(self, text: str) -> int:
        return len(text.encode("utf-8", "surrogatepass"))


DIALECTS: dict[str, Dialect] = {"python": PythonDialect(), "go": GoDialect()}


@cache
def _same_ignoring_case(letter: str) -> dict[str, str]:
    """Every character that ``re.IGNORECASE`` takes for ``letter``, to the one that stands for them all."""
    every = re.findall(re.escape(letter), _every_character(), re.IGNORECASE)
    ascii_ones = [char.lower() for char in every if char.isascii()]
    settled = ascii_ones[0] if ascii_ones else max(char for char in every if char.lower() == char)
    return {char: settled for char in every if char != settled}


@cache
def _every_character() -> str:
    return "".join(map(chr, range(0x110000)))
