"""A text as the counters look at it: as written, folded, in lower case, trimmed."""

from __future__ import annotations

from functools import cached_property
from typing import Literal

from evalkit.judging.lexicon.dialects import Dialect, Fold

Case = Literal["folded", "exact", "lowered"]


class View:
    """One text; ``marked`` is the same with the mark-up that a policy may take out of ``text``."""

    def __init__(self, text: str, marked: str, dialect: Dialect, fold: Fold) -> None:
        self.text = text
        self.marked = marked
        self.dialect = dialect
        self._fold = fold

    @cached_property
    def folded(self) -> str:
        return self._fold(self.text)

    @cached_property
    def lowered(self) -> str:
        return self.text.lower()

    @cached_property
    def trimmed(self) -> str:
        return self.dialect.stripped(self.text)

    @cached_property
    def words(self) -> list[str]:
        """What blanks separate."""
        return self.dialect.split(self.text)

    def of(self, case: Case) -> str:
        """The text in which terms of that case are searched."""
        return self.folded if case == "folded" else self.lowered if case == "lowered" else self.text

    def beside(self, case: Case) -> str:
        """The text, of the same length, whose characters decide what is a word's edge."""
        return self.lowered if case == "lowered" else self.text
