"""The parts of a text that noise leaves alone."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Protection = Literal["code_fences", "numbers", "options"]

_PATTERNS: dict[str, re.Pattern[str]] = {
    "code_fences": re.compile(r"^[ \t]*```.*?(?:^[ \t]*```[ \t]*$|\Z)", re.MULTILINE | re.DOTALL),
    "numbers": re.compile(r"\S*\d\S*"),
    "options": re.compile(r"^[ \t]*(?:\([A-Za-z0-9]\)|[A-Za-z0-9][).:])[ \t].*$", re.MULTILINE),
}


@dataclass(frozen=True, slots=True)
class Protected:
    """Spans of a text, sorted and apart from each other; ends are exclusive."""

    starts: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()

    def touches(self, start: int, end: int) -> bool:
        """Whether any character from ``start`` to before ``end`` is protected; an empty stretch never is."""
        before = bisect_right(self.ends, start)
        return start < end and before < len(self.starts) and self.starts[before] < end


NOTHING = Protected()


def protected_in(text: str, kinds: Iterable[Protection]) -> Protected:
    """Fenced code, words that hold a digit, and lines that offer an option such as ``B) Lima``."""
    spans = sorted(found.span() for kind in kinds for found in _PATTERNS[kind].finditer(text))
    merged: list[list[int]] = []
    for start, end in spans:
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        elif start < end:
            merged.append([start, end])
    return Protected(tuple(start for start, _ in merged), tuple(end for _, end in merged))
