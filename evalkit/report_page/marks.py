"""Where the evidence of a judge stands in what a reader sees: the answer, or the thinking before it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evalkit.transcript import Answer

_ASTRAL = 0xFFFF


@dataclass(frozen=True, slots=True)
class Mark:
    """Evidence in UTF-16 units, as browsers count; ``verdict`` is its place among the trial's verdicts."""

    start: int
    end: int
    verdict: int
    why: str
    in_thinking: bool = False


def marks_of(verdicts: Sequence[dict[str, Any]], answers: Sequence[Answer]) -> list[list[Mark]]:
    """The marks of every answer, in order. A span that fits nowhere in its answer is left out.

    Where all answers were judged the verdict says so; else the last is meant. In a record that an older evalkit wrote
    only a span that names a later answer than the first tells that all were.
    """
    found: list[list[Mark]] = [[] for _ in answers]
    spans = [(place, span) for place, verdict in enumerate(verdicts) for span in verdict.get("spans", ())]
    is_every = any(span.get("answer", 0) for _, span in spans)
    for place, span in spans:
        is_counted = is_every or verdicts[place].get("every_answer")
        number = span.get("answer", 0) if is_counted else len(answers) - 1
        if 0 <= number < len(answers):
            found[number] += _marks(answers[number], place, span)
    return [sorted(marks, key=lambda mark: (mark.start, mark.end, mark.verdict)) for marks in found]


def _marks(answer: Answer, verdict: int, span: dict[str, Any]) -> list[Mark]:
    start, end, why = span["start"], span["end"], str(span.get("why", ""))
    if not 0 <= start < end <= len(answer.text):
        return []
    marks = []
    for place, in_text, length in _extents(answer):
        low, high = max(start, in_text), min(end, in_text + length)
        if low < high:
            shift = place - in_text
            marks.append(_in_units(answer.answer, low + shift, high + shift, verdict, why, False))
    thought = answer.text.find(answer.thinking) if answer.thinking and not marks else -1
    if thought >= 0:
        low, high = max(start, thought), min(end, thought + len(answer.thinking))
        if low < high:
            marks.append(_in_units(answer.thinking, low - thought, high - thought, verdict, why, True))
    return marks


def _extents(answer: Answer) -> list[tuple[int, int, int]]:
    """Each unbroken part of the answer: where it begins in the answer, where in the text, how long it is."""
    pieces = answer.pieces or ((0, answer.answer_start),)
    ends = [*(piece[0] for piece in pieces[1:]), len(answer.answer)]
    return [(own, in_text, end - own) for (own, in_text), end in zip(pieces, ends, strict=True)]


def _in_units(text: str, start: int, end: int, verdict: int, why: str, in_thinking: bool) -> Mark:
    wide = [] if text.isascii() else [place for place, character in enumerate(text) if ord(character) > _ASTRAL]
    return Mark(
        start + bisect_right(wide, start - 1), end + bisect_right(wide, end - 1), verdict, why, in_thinking
    )  # fmt: skip
