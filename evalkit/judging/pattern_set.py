"""Many patterns searched in one text: only those of which a piece that they cannot do without stands in it."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
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
_WHOLE = re.compile("[^\ud800-\udfff]*")
"""Texts without halves of characters, which cannot be looked through."""
_OF_OTHER_CASE = frozenset("İıſ")
"""Characters that patterns find as i and s when case is ignored."""
_LONGEST = 10_000
_NOTHING = frozenset[str]()


class PatternSet(Generic[Name]):
    """Patterns by name, of which only those are searched, and compiled, that may be found.

    ``known`` are pieces, in small letters where case is ignored, one of which each match of a pattern holds, for
    patterns that are made of them: to read one takes as long as to compile it.
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

        Any may be in a text so long that it holds too many pieces, and, where case is ignored, in one with other
        letters than Western Europe's.
        """
        folds = bool(self._flags & re.IGNORECASE)
        if len(text) > _LONGEST or not (text.isascii() or (_WESTERN if folds else _WHOLE).fullmatch(text)):
            return frozenset(self._sources)
        pieces, owners, always = self._pieces
        searched = text.lower() if folds else text
        found = {index for index, _, _ in pieces.find_matches_as_indexes(searched, overlapping=True)}
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


class Alternatives:
    """Patterns joined by ``|`` in which case matters; those that cannot be found in a text are left out of it."""

    def __init__(self, sources: Sequence[str], known: Mapping[int, Iterable[str]] | None = None) -> None:
        self._sources = sources
        self._patterns = PatternSet(dict(enumerate(sources)), re.NOFLAG, known)
        self._joined = lru_cache(maxsize=64)(self._join)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """All matches one after the other; where two begin at one place, that of the earlier pattern."""
        candidates = self._patterns.candidates(text)
        return self._joined(candidates).finditer(text) if candidates else iter(())

    def _join(self, numbers: frozenset[int]) -> re.Pattern[str]:
        return re.compile("|".join(self._sources[number] for number in sorted(numbers)))


def needed_pieces(source: str, flags: re.RegexFlag = re.IGNORECASE) -> frozenset[str] | None:
    """Pieces, one of which every text holds that the pattern is found in; None if unknown.

    Where case is ignored they are in small letters, and the texts are Western ones; no piece at all says that the
    pattern is found in no such text. Patterns are read as Python's own compiler does.
    """
    if _parser is None:
        return None
    parsed = _parser.parse(source, flags)
    folds = bool(flags & re.IGNORECASE)
    return None if not folds and parsed.state.flags & re.IGNORECASE else _Pieces(folds).of_sequence(parsed)


class _Pieces:
    """Reads pieces out of a parsed pattern; ``folds`` says that it ignores case."""

    def __init__(self, folds: bool) -> None:
        self._folds = folds

    def of_sequence(self, items: Iterable[tuple[Any, Any]]) -> frozenset[str] | None:
        """Of all that has to be there one after the other, the pieces that are rarest: the longest ones."""
        choices: list[frozenset[str]] = []
        piece = ""
        for kind, value in items:
            char = chr(value) if kind is sre.LITERAL else ""
            if char and self._is_certain(char):
                if not self._may_stand(char):
                    return _NOTHING
                piece += self._as_searched(char)
                continue
            choices.append(frozenset((piece,)))
            piece = ""
            pieces = self._of_item(kind, value)
            if pieces is not None:
                choices.append(pieces)
        choices = [choice for choice in (*choices, frozenset((piece,))) if "" not in choice]
        if not all(choices):
            return _NOTHING
        return max(choices, key=lambda choice: (min(map(len, choice)), -len(choice)), default=None)

    def _of_item(self, kind: Any, value: Any) -> frozenset[str] | None:
        if kind is sre.BRANCH:
            branches = [self.of_sequence(branch) for branch in value[1]]
            return None if None in branches else _NOTHING.union(*(pieces for pieces in branches if pieces))
        if kind is sre.SUBPATTERN:
            return None if not self._folds and value[1] & re.IGNORECASE else self.of_sequence(value[-1])
        if kind in (sre.ATOMIC_GROUP, sre.ASSERT):
            return self.of_sequence(value if kind is sre.ATOMIC_GROUP else value[-1])
        if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            return self.of_sequence(value[2]) if value[0] else None
        if kind is sre.IN:
            return self._of_characters(value)
        return None

    def _of_characters(self, choices: Iterable[tuple[Any, Any]]) -> frozenset[str] | None:
        """One of a few characters."""
        pieces: set[str] = set()
        for kind, value in choices:
            if kind is not sre.LITERAL or not self._is_certain(chr(value)):
                return None
            if self._may_stand(chr(value)):
                pieces.add(self._as_searched(chr(value)))
        return frozenset(pieces)

    def _is_certain(self, char: str) -> bool:
        """Whether it is found as itself or in another case alone."""
        return not self._folds or char not in _OF_OTHER_CASE

    def _may_stand(self, char: str) -> bool:
        """Whether the texts that are looked at may hold it."""
        return (_WESTERN.fullmatch(char.lower()) if self._folds else _WHOLE.fullmatch(char)) is not None

    def _as_searched(self, char: str) -> str:
        return char.lower() if self._folds else char
