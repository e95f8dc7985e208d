"""What a detector of broken text reads, and what it returns."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from evalkit.judging.collapse.code_lines import code_line_extents
from evalkit.judging.collapse.plain_line import PlainLine
from evalkit.judging.masking import Extent, blank, code_extents, table_extents
from evalkit.judging.repetition import LONG, Tokens

Kind = Literal[
    "empty", "unclosed_thinking", "loop", "near_loop", "counting_loop", "thinking_loop", "character_run",
    "repetition", "alternating_case", "template_leak", "invented_turn", "token_soup", "word_salad",
    "language_drift", "regurgitation", "echo",
]  # fmt: skip
"""Every way of breaking that the degeneration judge knows; docs/judges.md says what each one means."""

_SHOWN = 40
_WORD = re.compile(r"[^\W_]+")
_JSON_PROSE = re.compile(r'"(?=[^"\\\n]{12})[^"\\ \n]+(?: [^"\\ \n]+){2,}[^"\\\n]*"')


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken place: its kind, a sentence, and its characters in the passage (None: nowhere in it)."""

    kind: Kind
    sentence: str
    extent: Extent | None


@dataclass(frozen=True)
class Passage:
    """The answer or the thinking; ``hidden`` are its code and tables, blanked in ``visible``; ``part`` names it.

    In ``prose`` runs of code lines without a fence are blanked too. ``line`` is the passage as a plain line where it is
    one: a detector first asks that whether it can find anything.
    """

    text: str
    part: str
    hidden: tuple[Extent, ...]
    visible: str
    prose: str
    is_cut: bool = False
    line: PlainLine | None = None

    @property
    def tokens(self) -> Tokens:
        """Its words and marks without what is hidden, kept for the next detector where the text is not long."""
        return self._tokens if len(self.text) <= LONG else Tokens.of(self.text, self.hidden)

    @property
    def all_tokens(self) -> Tokens:
        """Those of the whole text."""
        return Tokens.of(self.text) if self.hidden else self.tokens

    @property
    def words(self) -> list[str]:
        """Its runs of letters and digits in small letters."""
        return self._words if len(self.text) <= LONG else _WORD.findall(self.text.lower())

    @cached_property
    def _tokens(self) -> Tokens:
        return Tokens.of(self.text, self.hidden)

    @cached_property
    def _words(self) -> list[str]:
        return _WORD.findall(self.text.lower())

    @cached_property
    def longest(self) -> int:
        """How long its longest stretch without a blank is."""
        return max(map(len, self.text.split()), default=0)

    @classmethod
    def of(cls, text: str, part: str = "the answer", is_cut: bool = False) -> Passage:
        """``is_cut`` says that the token limit ended the text."""
        line = PlainLine.of(text)
        if line is not None:
            return cls(text, part, (), text, text, is_cut, line)
        hidden = tuple(_document_extents(text) or sorted([*code_extents(text), *table_extents(text)]))
        visible = blank(text, hidden) if hidden else text
        code = code_line_extents(visible)
        return cls(text, part, hidden, visible, blank(visible, code) if code else visible, is_cut)


def _document_extents(text: str) -> list[Extent]:
    """Where a text that is one JSON document holds no sentence; nothing for any other text."""
    stripped = text.strip()
    if stripped[:1] + stripped[-1:] not in ("{}", "[]") or ('"' not in stripped and "," not in stripped):
        return []
    try:
        json.loads(stripped)
    except (ValueError, RecursionError):
        return []
    edges = [0, *(place for found in _JSON_PROSE.finditer(text) for place in (found.start() + 1, found.end() - 1))]
    edges.append(len(text))
    return [(edges[at], edges[at + 1]) for at in range(0, len(edges), 2) if edges[at] < edges[at + 1]]


def shown(text: str) -> str:
    """The text on one line, quoted, cut where it is long."""
    flat = " ".join(text[: 8 * _SHOWN].split())
    return repr(flat if len(flat) <= _SHOWN else flat[: _SHOWN - 1] + "…")
