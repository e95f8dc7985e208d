"""Counts the terms of many lists in one pass over a text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import ahocorasick_rs

from evalkit.judging.lexicon.dialects import Dialect, WordCharacters
from evalkit.judging.lexicon.views import Case, View

Edges = Literal["boundary", "whole", "none"]
Counting = Literal["in_turn", "each"]

_GAP = re.compile(r"<(\d+)\.\.(\d+)>")
_SURROGATE = re.compile("[\ud800-\udfff]")
_SEGMENT = 65_536
LONGEST_GAP = 200


@dataclass(frozen=True, slots=True)
class Gap:
    """``low`` to ``high`` characters, none a line feed, as many as fit; then the text ``then``."""

    low: int
    high: int
    then: str


@dataclass(frozen=True, slots=True)
class Term:
    """The text that a hit starts with, what follows it, and whether the word may go on after it."""

    head: str
    gaps: tuple[Gap, ...]
    goes_on: bool

    @classmethod
    def of(cls, written: str) -> Term:
        """A term as policies write it: ``both <3..30> and``, ``accountab*``.

        Raises:
            ValueError: it is empty, starts with a gap, or has a gap that cannot be.
        """
        goes_on = written.endswith("*")
        head, *rest = _GAP.split(written[:-1] if goes_on else written)
        if not head:
            raise ValueError(f"expected a term that starts with text; found {written!r}")
        gaps = tuple(Gap(int(rest[at]), int(rest[at + 1]), rest[at + 2]) for at in range(0, len(rest), 3))
        if any(not gap.low <= gap.high <= LONGEST_GAP for gap in gaps):
            raise ValueError(f"expected gaps <a..b> with a up to b and b up to {LONGEST_GAP}; found {written!r}")
        return cls(head, gaps, goes_on)


@dataclass(frozen=True, slots=True)
class TermList:
    """Terms and how they are counted.

    ``in_turn``: at each place the first listed term that fits, then on behind it; ``each``: every term for itself, so
    that hits of two terms may overlap. ``edges`` of ``boundary`` are those of a regular expression's ``\\b``,
    ``whole`` means no word character beside the hit. ``endings`` may follow every term without a gap.
    ``lowered`` compares the terms as written with the text in lower case.
    """

    terms: tuple[str, ...]
    case: Case = "folded"
    edges: Edges = "boundary"
    counting: Counting = "in_turn"
    endings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Entry:
    """One text to look for: its list's total and its group, in which hits do not overlap."""

    text: str
    total: int
    group: int
    edges: Edges
    gaps: tuple[Gap, ...]
    goes_on: bool


class Scanner:
    """Lists of terms, compiled once; ``counts`` gives the hits of each list, in their order."""

    def __init__(self, lists: Sequence[TermList], dialect: Dialect) -> None:
        self._size = len(lists)
        self.fold = dialect.folding(term for one in lists for term in (*one.terms, *one.endings))
        cases: tuple[Case, ...] = ("folded", "exact", "lowered")
        entries = {case: [*self._entries(lists, case)] for case in cases}
        self._passes = [_Pass(case, found, dialect.words) for case, found in entries.items() if found]

    def counts(self, view: View) -> list[int]:
        totals = [0] * self._size
        for one in self._passes:
            one.count(view, totals)
        return totals

    def _entries(self, lists: Sequence[TermList], case: Case) -> Iterator[_Entry]:
        group = -1
        for total, one in enumerate(lists):
            if one.case != case:
                continue
            group += 1
            for number, term in enumerate(map(Term.of, one.terms)):
                group += one.counting == "each" and number > 0
                for ending in ("", *(() if term.gaps or term.goes_on else one.endings)):
                    text = term.head + ending
                    gaps = term.gaps
                    if case == "folded":
                        text = self.fold(text)
                        gaps = tuple(Gap(gap.low, gap.high, self.fold(gap.then)) for gap in gaps)
                    yield _Entry(text, total, group, one.edges, gaps, term.goes_on)


class _Pass:
    """All terms that look at one view of the text."""

    def __init__(self, case: Case, entries: list[_Entry], words: WordCharacters) -> None:
        self._case = case
        self._entries = entries
        self._edges = [entry.edges for entry in entries]
        self._words = words
        self._groups = entries[-1].group + 1
        self._longest = max(len(entry.text) for entry in entries)
        self._automaton = ahocorasick_rs.AhoCorasick([entry.text for entry in entries])

    def count(self, view: View, totals: list[int]) -> None:
        """Adds the hits to ``totals``; segment by segment, so that memory stays bounded."""
        searched, text = view.of(self._case), view.beside(self._case)
        ends = [0] * self._groups
        entries = self._entries
        for first in range(0, len(searched), _SEGMENT):
            for start, index, end in self._candidates(searched, text, first):
                entry = entries[index]
                if start < ends[entry.group]:
                    continue
                if entry.gaps:
                    end = self._gap_end(entry, searched, text, end, 0)
                    if end < 0:
                        continue
                elif not self._may_end(entry, text, end):
                    continue
                ends[entry.group] = end
                totals[entry.total] += 1

    def _candidates(self, searched: str, text: str, first: int) -> list[tuple[int, int, int]]:
        """Where a term's first text stands with its left edge: (start, number of the entry, end), in order."""
        words, edges = self._words, self._edges
        segment = searched[first : first + _SEGMENT + self._longest - 1]
        found = []
        for index, start, end in _found(self._automaton, segment):
            if start >= _SEGMENT:
                continue
            start += first
            kind = edges[index]
            if kind != "none":
                before = words[text[start - 1]] if start else False
                if before == (words[text[start]] if kind == "boundary" else True):
                    continue
            found.append((start, index, first + end))
        found.sort()
        return found

    def _may_end(self, entry: _Entry, text: str, end: int) -> bool:
        if entry.goes_on or entry.edges == "none":
            return True
        after = self._words[text[end]] if end < len(text) else False
        return after != (self._words[text[end - 1]] if entry.edges == "boundary" else True)

    def _gap_end(self, entry: _Entry, searched: str, text: str, position: int, number: int) -> int:
        """Where the hit ends whose gap ``number`` starts at ``position``, the longest gap first; -1 for nowhere."""
        if number == len(entry.gaps):
            return position if self._may_end(entry, text, position) else -1
        gap = entry.gaps[number]
        furthest = min(position + gap.high, len(searched))
        newline = searched.find("\n", position, furthest)
        reach = furthest if newline < 0 else newline
        while reach >= position + gap.low:
            reach = searched.rfind(gap.then, position + gap.low, reach + len(gap.then))
            if reach < 0:
                return -1
            end = self._gap_end(entry, searched, text, reach + len(gap.then), number + 1)
            if end >= 0:
                return end
            reach -= 1
        return -1


def _found(automaton: ahocorasick_rs.AhoCorasick, segment: str) -> list[tuple[int, int, int]]:
    try:
        return automaton.find_matches_as_indexes(segment, overlapping=True)
    except UnicodeEncodeError:
        return automaton.find_matches_as_indexes(_SURROGATE.sub("\ufffd", segment), overlapping=True)
