"""What an answer states: names, figures and code that its prompt does not hold, and the result of a sum."""

from __future__ import annotations

import re

from evalkit.judging.answer_view import AnswerView
from evalkit.judging.phrases import Hit, fold

_SPECIFIC = re.compile(
    r"(?<![.!?]\s)(?<!^)(?<![\n¡¿])\b[A-ZÁÉÍÓÚÑ][\w'’-]{2,}|\b[0-9][\w.,:%-]*|`[^`\n]{1,200}`|\b\w{1,80}\([^)\n]{0,200}\)"
    r"|\b[a-z0-9]{2,40}(?:_[a-z0-9]{2,40}){1,6}\b"
)
_SUM = re.compile(r"(?<![\w.+*/-])([0-9]{1,6})\s*([+\-−*x×/÷])\s*([0-9]{1,6})(?![\w.]*[0-9])")
_STATED = re.compile(r"(?<![\d.])-?\d+(?:\.\d+)?")


def specifics(view: AnswerView, first: int, last: int | None) -> list[Hit]:
    """Names, figures and code that the prompt does not hold, in some of the sentences."""
    known = fold(view.prompt)
    hits = []
    for start, end in view.sentences[first:last]:
        if view.hits("hedge", start, end):
            continue
        begin, stop = view.own.positions[start], view.own.positions[end - 1] + 1
        for found in _SPECIFIC.finditer(view.answer, begin, stop):
            if found.start() > begin and fold(found.group()) not in known:
                hits.append(Hit(found.start(), found.end(), found.group()))
    return hits


def asked_sum(prompt: str) -> float | None:
    """The result of the one sum that the prompt asks for, if it is one."""
    asked = _SUM.findall(prompt)
    if len(asked) != 1:
        return None
    left, operator, right = asked[0]
    first, second = float(left), float(right)
    if operator == "+":
        return first + second
    if operator in "-−":
        return first - second
    if operator in "/÷":
        return first / second if second else None
    return first * second


def stated_numbers(view: AnswerView) -> set[float]:
    """Every number the answer holds."""
    return {float(found) for found in _STATED.findall(view.answer.replace(",", ""))}
