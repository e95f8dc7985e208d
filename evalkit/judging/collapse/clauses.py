"""Finds clauses of one sentence that come again and again with nothing but a number going up."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evalkit.judging.collapse.asked import Asked
from evalkit.judging.collapse.finding import Finding, Passage, shown
from evalkit.judging.collapse.policy import DegenerationPolicy
from evalkit.judging.collapse.segments import counter, has_list_letter, value_of
from evalkit.judging.repetition import LONG, REPEATED_WORDS, repeated_sequences, runs

_TOKEN = re.compile(r"(?P<break>[.!?](?=\s|$)|\n)|\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*|[^\w\s]")
_BREAK_OR_TOKEN = re.compile(r"([.!?](?=\s|$)|\n)|(\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*|[^\w\s])")
_MARKS = frozenset(",;:")
_MAX_PERIOD = 24
_LEAST_WORDS = 2
_FEW_WORDS = 4
_MORE_COPIES = 2


def _may_count(passage: Passage, policy: DegenerationPolicy) -> bool:
    """Whether words of a clause come again: all its copies but the first, one of which may be missing.

    Where it is no plain line, whether there are numbers enough too, and words in one order again.
    """
    least = (policy.counting_copies - 2) * _LEAST_WORDS
    if passage.line is not None:
        return passage.line.again >= least
    text = passage.prose
    if len(text) > LONG or has_list_letter(text):
        return True
    row: list[object] = []
    for is_break, token in _BREAK_OR_TOKEN.findall(text):
        if is_break:
            row.append(len(row))
        elif token not in _MARKS:
            row.append(token.lower() if value_of(token) is None else "")
    return (
        row.count("") >= policy.counting_copies - 1
        and repeated_sequences(row) > least + policy.counting_copies - 2 - REPEATED_WORDS
    )


def find_counting_clauses(passage: Passage, asked: Asked, policy: DegenerationPolicy) -> Finding | None:
    """Words in a row that repeat back to back inside one sentence while all numbers in them keep their step."""
    if not _may_count(passage, policy) or asked.has("counting", "repetition", "verse", "variants", "symbols"):
        return None
    text = passage.prose
    row = _row(text)
    needed = policy.counting_copies + (_MORE_COPIES if asked.has("words", "quantity") else 0)
    if np.count_nonzero(row.ids == 0) < needed - 1:
        return None
    for period in range(_LEAST_WORDS + 1, min(_MAX_PERIOD, len(row.ids) // 2) + 1):
        for first, last in runs(row.ids, period):
            unit = row.ids[first : first + period]
            words = sum(unit[at] > 0 and text[row.starts[first + at]].isalpha() for at in range(period))
            copies = (last - first + 1) // period
            values = row.values[first : first + copies * period].reshape(copies, period)[:, unit == 0]
            is_short = words < _LEAST_WORDS or copies < needed + (words < _FEW_WORDS) - _keeps_one_step(values)
            if is_short or not _counts_up(values):
                continue
            start, end = row.starts[first], row.ends[last]
            said = shown(text[start : row.ends[first + period - 1]])
            sentence = f"{passage.part} repeats {said} {copies} times in one sentence, only counting up"
            return Finding("counting_loop", sentence, (start, end))
    return None


@dataclass(frozen=True, slots=True)
class _Row:
    """Words and signs as numbers, 0 for counters, one of its own for what ends a sentence; with values and places."""

    ids: NDArray[np.int64]
    values: NDArray[np.float64]
    starts: array[int]
    ends: array[int]


def _row(text: str) -> _Row:
    numbers: dict[str, int] = {}
    ids, starts, ends, values = array("q"), array("q"), array("q"), array("d")
    for found in _TOKEN.finditer(text):
        token = found.group()
        value = counter(token, text[found.end() : found.end() + 1]) if token[0].isalnum() else None
        if found.lastgroup == "break":
            ids.append(-len(ids) - 1)
        elif token in _MARKS:
            continue
        else:
            ids.append(0 if value is not None else numbers.setdefault(token.lower(), len(numbers) + 1))
        values.append(value or 0.0)
        starts.append(found.start())
        ends.append(found.end())
    return _Row(np.frombuffer(ids, dtype=np.int64), np.frombuffer(values, dtype=np.float64), starts, ends)


def _counts_up(rows: NDArray[np.float64]) -> bool:
    """Whether every column stands still or keeps the one step that all moving ones share; a times table has two."""
    if rows.shape[1] == 0:
        return False
    steps = np.diff(rows, axis=0)
    return bool(np.allclose(steps, steps[0])) and len({step for step in steps[0].round(6).tolist() if step}) == 1


def _keeps_one_step(rows: NDArray[np.float64]) -> bool:
    """Whether several numbers of each copy go on in one row through all of them: 1931, 1933 | 1935, 1937 | …"""
    return rows.shape[1] > 1 and bool(len(set(np.diff(rows.ravel()).tolist())) == 1)
