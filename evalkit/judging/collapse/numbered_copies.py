"""Finds references and functions that come again and again with nothing but their numbers going up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from evalkit.judging.collapse.asked import Asked
from evalkit.judging.collapse.finding import Finding, Passage, shown
from evalkit.judging.collapse.policy import DegenerationPolicy

_REFERENCE = re.compile(r"\[\d{1,3}\]")
_FUNCTION = re.compile(
    r"^[ \t]*(?:(?:export|async|public|private|static|const|pub|inline|final)[ \t]+){0,3}"
    r"(?:def|class|function|func|fn|fun|sub|void|int|long|double|float|bool|boolean|string|String|let|var|const)[ \t]+"
    r"[A-Za-z_]\w*?\d{1,4}(?!\w)",
    re.MULTILINE,
)
_NUMBER = re.compile(r"\d{1,9}")
_WORD = re.compile(r"[^\W\d_]+")
_LONGEST = 2000
_LEAST_WORDS = 3
_FUNCTIONS = 8


def find_numbered_copies(passage: Passage, asked: Asked, policy: DegenerationPolicy) -> Finding | None:
    """References like ``[1] … p. 42. [2] … p. 43.``, or functions like ``def f1 … def f2``, that only count up.

    A plain line holds no brackets, and one function at most.
    """
    if passage.line is not None or not _may_be_numbered(passage, policy) or asked.has("repetition", "variants"):
        return None
    needed = max(policy.counting_copies, asked.copies + 1)
    named = None if asked.has("counting") else _counted_run(passage.visible, _REFERENCE, needed)
    what = "one reference"
    if named is None:
        named = _counted_run(passage.text, _FUNCTION, max(_FUNCTIONS, asked.copies + 1))
        what = "one function"
    if named is None:
        return None
    start, end, copies, unit = named
    sentence = f"{passage.part} repeats {what}, {shown(unit)}, {copies} times, only counting up"
    return Finding("counting_loop", sentence, (start, end))


def _may_be_numbered(passage: Passage, policy: DegenerationPolicy) -> bool:
    """Whether there are brackets for references enough, or lines for functions."""
    return passage.visible.count("[") >= policy.counting_copies or passage.text.count("\n") >= _FUNCTIONS - 1


def _counted_run(text: str, head: re.Pattern[str], needed: int) -> tuple[int, int, int, str] | None:
    """Where entries in a row hold the same text but for numbers that keep their step, how many, and the first."""
    entries = list(_entries(text, head))
    first = 0
    for index in range(1, len(entries) + bool(entries)):
        if index < len(entries) and _shape(entries[index][1]) == _shape(entries[first][1]):
            continue
        run = entries[first:index]
        if len(run) >= needed and len(_WORD.findall(run[0][1])) >= _LEAST_WORDS and _counts_up([one for _, one in run]):
            start, unit = run[0]
            return start, run[-1][0] + len(run[-1][1]), len(run), unit
        first = index
    return None


def _entries(text: str, head: re.Pattern[str]) -> Iterator[tuple[int, str]]:
    """From each head to the next one, blanks at the end aside."""
    starts = [found.start() for found in head.finditer(text)]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=False):
        entry = text[start : min(end, start + _LONGEST)].rstrip()
        yield start, entry[: -len("```")].rstrip() if entry.endswith("```") else entry


def _shape(entry: str) -> str:
    return _NUMBER.sub("0", entry)


def _counts_up(entries: Sequence[str]) -> bool:
    """Whether every number of an entry stands still or keeps its step from entry to entry, and one of them moves."""
    rows = [[int(found) for found in _NUMBER.findall(entry)] for entry in entries]
    steps = [row[at] - before[at] for before, row in pairwise(rows) for at in range(len(row))]
    width = len(rows[0])
    return any(steps) and all(len(set(steps[at::width])) == 1 for at in range(width))
