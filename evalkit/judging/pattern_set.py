"""Many patterns searched in one text: only those of which a piece that they cannot do without stands in it."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, Generic, TypeVar

import ahocorasick_rs

try:  # Python's own, but not public; without them all patterns are searched
    from re import _constants as sre  # type: ignore[attr-defined]
    from re import _parser  # type: ignore[attr-defined]
except ImportError:
    sre = _parser = None

Name = TypeVar("Name", bound=Hashable)
_WESTERN = re.compile("[\x00-\x7fÀ-ÖØ-öø-ÿ¡¿«»‘’“”„…–—]*")
"""Texts in which ignoring case means comparing small letters."""
_OF_OTHER_CASE = frozenset("İıſ")
"""Characters that patterns find as i and s when case is ignored."""
_LONGEST = 10_000
_NOTHING = frozenset[str]()


class PatternSet(Generic[Name]):
    """Patterns by name, of which only those are searched, and compiled, that may be found.

    ``known`` are pieces in small letters, one of which each match of a pattern holds, for patterns that are made of
    them: to read one takes as long as to compile it.
    """

    def __init__(
        self,
        sources: Mapping[Name, str],
        flags: re.RegexFlag = re.IGNORECASE,
        known: Mapping[Name, Iterable[str]] | None = None,
    ) -> None:
        self._sources = sources
        self._flags = flags
        self._known = known or {}
        self._compiled: dict[Name, re.Pattern[str]] = {}

    def __iter__(self) -> Iterator[Name]:
        return iter(self._sources)

    def __getitem__(self, name: Name) -> re.Pattern[str]:
        if name not in self._compiled:
            self._compiled[name] = re.compile(self._sources[name], self._flags)
        return self._compiled[name]

    def candidates(self, text: str) -> frozenset[Name]:
        """The names of the patterns that may be found in a text: no other one is.

        In a text with other letters than Western Europe's any may be, and in one so long that it holds too many pieces.
        """
        if len(text) > _LONGEST or (not text.isascii() and _WESTERN.fullmatch(text) is None):
            return frozenset(self._sources)
        pieces, owners, always = self._pieces
        found = {index for index, _, _ in pieces.find_matches_as_indexes(text.lower(), overlapping=True)}
        return always.union(*[owners[index] for index in found]) if found else always

    @cached_property
    def _pieces(self) -> tuple[ahocorasick_rs.AhoCorasick, tuple[frozenset[Name], ...], frozenset[Name]]:
        """All pieces, the patterns that need each of them, and those of which none is known."""
        owners: dict[str, set[Name]] = {}
        always: set[Name] = set()
        for name, source in self._sources.items():
            pieces = self._known[name] if name in self._known else needed_pieces(source, self._flags)
            if pieces is None:
                always.add(name)
            for piece in pieces or ():
                owners.setdefault(piece, set()).add(name)
        return ahocorasick_rs.AhoCorasick(owners), tuple(map(frozenset, owners.values())), frozenset(always)


def needed_pieces(source: str, flags: re.RegexFlag = re.IGNORECASE) -> frozenset[str] | None:
    """Pieces in small letters, one of which every Western text holds that the pattern is found in; None if unknown.

    No piece at all says that the pattern is found in no such text. Patterns are read as Python's own compiler does.
    """
    return None if _parser is None else _of_sequence(_parser.parse(source, flags))


def _of_sequence(items: Iterable[tuple[Any, Any]]) -> frozenset[str] | None:
    """Of all that has to be there one after the other, the pieces that are rarest: the longest ones."""
    choices: list[frozenset[str]] = []
    piece = ""
    for kind, value in items:
        char = chr(value) if kind is sre.LITERAL else ""
        if char and char not in _OF_OTHER_CASE:
            if _WESTERN.fullmatch(char.lower()) is None:
                return _NOTHING
            piece += char.lower()
            continue
        choices.append(frozenset((piece,)))
        piece = ""
        pieces = _of_item(kind, value)
        if pieces is not None:
            choices.append(pieces)
    choices = [choice for choice in (*choices, frozenset((piece,))) if "" not in choice]
    if not all(choices):
        return _NOTHING
    return max(choices, key=lambda choice: (min(map(len, choice)), -len(choice)), default=None)


def _of_item(kind: Any, value: Any) -> frozenset[str] | None:
    if kind is sre.BRANCH:
        branches = [_of_sequence(branch) for branch in value[1]]
        return None if None in branches else _NOTHING.union(*(pieces for pieces in branches if pieces))
    if kind in (sre.SUBPATTERN, sre.ATOMIC_GROUP, sre.ASSERT):
        return _of_sequence(value if kind is sre.ATOMIC_GROUP else value[-1])
    if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        return _of_sequence(value[2]) if value[0] else None
    if kind is sre.IN:
        return _of_characters(value)
    return None


def _of_characters(choices: Iterable[tuple[Any, Any]]) -> frozenset[str] | None:
    """One of a few characters."""
    pieces: set[str] = set()
    for kind, value in choices:
        if kind is not sre.LITERAL or chr(value) in _OF_OTHER_CASE:
            return None
        if _WESTERN.fullmatch(chr(value).lower()):
            pieces.add(chr(value).lower())
    return frozenset(pieces)
