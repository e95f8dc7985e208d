"""The counters that lists of terms cannot express, each compiled into a function of the view."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from evalkit.judging.lexicon.dialects import Dialect
from evalkit.judging.lexicon.views import Case, View

Number = int | float
Count = Callable[[View], Number]
Place = Literal["anywhere", "start", "trimmed_start"]


class Counter(Protocol):
    """A definition that can be compiled."""

    def compiled(self, dialect: Dialect) -> Count: ...


@dataclass(frozen=True, slots=True)
class Pattern:
    """Hits of a regular expression that do not overlap; at a start there is one or none.

    ``lowered`` matches the pattern as written against the text in lower case.
    """

    pattern: str
    case: Case = "folded"
    at: Place = "anywhere"

    def compiled(self, dialect: Dialect) -> Count:
        search = dialect.pattern(self.pattern, ignoring_case=self.case == "folded")
        if self.at == "anywhere":
            return lambda view: sum(1 for _ in search.finditer(self._seen(view.text)))
        if self.at == "start":
            return lambda view: int(search.match(self._seen(view.text)) is not None)
        return lambda view: int(search.match(self._seen(view.trimmed)) is not None)

    def _seen(self, text: str) -> str:
        return text.lower() if self.case == "lowered" else text


@dataclass(frozen=True, slots=True)
class Texts:
    """How often any of these texts occurs, each for itself, case and all."""

    texts: tuple[str, ...]

    def compiled(self, dialect: Dialect) -> Count:
        texts = self.texts
        return lambda view: sum(view.text.count(text) for text in texts)


@dataclass(frozen=True, slots=True)
class Mark:
    """Mark-up that starts with one of the characters ``first`` and goes on as the regular expression ``then``."""

    first: str
    then: str = ""


@dataclass(frozen=True, slots=True)
class Marks:
    """Mark-up, from left to right and never overlapping; no two marks start with the same character."""

    marks: tuple[Mark, ...]

    def compiled(self, dialect: Dialect) -> Count:
        # One set of first characters lets the regular expression skip everything else quickly.
        firsts = "".join(re.escape(mark.first) for mark in self.marks)
        ways = "|".join(f"(?<=[{re.escape(mark.first)}])(?:{mark.then})" for mark in self.marks)
        search = dialect.pattern(f"[{firsts}](?:{ways})", ignoring_case=False)
        return lambda view: len(search.findall(view.marked))


@dataclass(frozen=True, slots=True)
class Names:
    """Capitalised ASCII words of ``min_letters`` or more, none directly after one of the texts ``not_after``.

    The text's first ``skip`` characters are not there.
    """

    min_letters: int = 3
    not_after: tuple[str, ...] = (". ",)
    skip: int = 1

    def compiled(self, dialect: Dialect) -> Count:
        # What stands before is asked after the capital, which is searched quickly.
        before = "".join(f"(?<!{re.escape(text)}.)" for text in self.not_after)
        search = dialect.pattern(rf"[A-Z](?<!\w.){before}[a-z]{{{self.min_letters - 1},}}\b", ignoring_case=False)
        skip = self.skip
        return lambda view: len(search.findall(view.text[skip:]))


@dataclass(frozen=True, slots=True)
class Numbers:
    """Digits, with the characters ``inner`` among them, that no letter touches."""

    inner: str = ",."

    def compiled(self, dialect: Dialect) -> Count:
        search = dialect.pattern(rf"\d(?<!\w.)[\d{re.escape(self.inner)}]*\b", ignoring_case=False)
        return lambda view: len(search.findall(view.text))


@dataclass(frozen=True, slots=True)
class Words:
    """1 for a text of more than ``more_than`` words."""

    more_than: int

    def compiled(self, dialect: Dialect) -> Count:
        return lambda view: int(len(view.words) > self.more_than)


@dataclass(frozen=True, slots=True)
class Short:
    """1 for a text shorter than ``below``, trimmed or not."""

    below: int
    trimmed: bool = True

    def compiled(self, dialect: Dialect) -> Count:
        return lambda view: int(dialect.length(view.trimmed if self.trimmed else view.text) < self.below)


@dataclass(frozen=True, slots=True)
class Verse:
    """1 for more than ``more_lines_than`` lines of which more than ``share`` are shorter than ``shorter_than``.

    Without ``blank_lines`` the share is one of the lines that hold something, each trimmed.
    """

    more_lines_than: int
    share: float
    shorter_than: int
    blank_lines: bool

    def compiled(self, dialect: Dialect) -> Count:
        return lambda view: int(self._is_verse(view.text.split("\n"), dialect))

    def _is_verse(self, lines: list[str], dialect: Dialect) -> bool:
        if len(lines) <= self.more_lines_than:
            return False
        if not self.blank_lines:
            lines = [line for line in map(dialect.stripped, lines) if line]
        short = sum(1 for line in lines if dialect.length(line) < self.shorter_than)
        return short > len(lines) * self.share


@dataclass(frozen=True, slots=True)
class Sentences:
    """Trimmed pieces between the texts ``separator`` in which the regular expression is found."""

    pattern: str
    separator: str = "."
    case: Literal["folded", "exact"] = "folded"

    def compiled(self, dialect: Dialect) -> Count:
        search = dialect.pattern(self.pattern, ignoring_case=self.case == "folded").search
        separator = self.separator

        def count(view: View) -> Number:
            return sum(1 for piece in view.text.split(separator) if search(dialect.stripped(piece)))

        return count
