"""People's labels of stored answers, one JSON line each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from evalkit.errors import Problem
from evalkit.probe import Probe
from evalkit.reading.answer_rows import AnswerRow, read_rows
from evalkit.reading.suggestions import shortened

WORDS = {"pass": True, "correct": True, "true": True, "right": True, "fail": False, "wrong": False, "false": False}
UNDECIDED = ("borderline", "unsure", "skip", "")
BEHAVIOUR_KEYS = ("label", "behaviour_correct", "behavior_correct")
COLLAPSE_KEY = "collapsed"
PROBABILITY = "inclusion_probability"
SELECTED_BY = ("stratum", "queue", "selected_by")


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One labelled answer: ``truth`` says whether it is right (None: the reader could not say).

    ``inclusion`` is how likely the answer was to be chosen; None where the row does not say. ``is_selected`` is true
    where the row comes from a queue that picks what is worth reading.
    """

    answer: AnswerRow
    truth: bool | None
    by: str
    blind: bool | None
    inclusion: float | None
    is_selected: bool
    suite: str


def read_labels(
    lines: Iterable[bytes], shown: str, *, of_collapse: bool, known: Mapping[str, Probe] | None = None
) -> Iterator[LabelRow | Problem]:
    """Each line's label, or what is wrong with the line.

    The label is the first of ``label`` (pass, fail, correct, wrong, borderline, unsure), ``behaviour_correct`` and
    ``behavior_correct`` (true or false); with ``of_collapse`` it is ``collapsed``, and a collapsed answer is wrong.
    """
    for row in read_rows(lines, shown, known):
        yield row if isinstance(row, Problem) else _label(row, shown, of_collapse)


def _label(row: AnswerRow, shown: str, of_collapse: bool) -> LabelRow | Problem:
    plain = row.plain
    keys = (COLLAPSE_KEY,) if of_collapse else BEHAVIOUR_KEYS
    key = next((key for key in keys if key in plain), None)
    if key is None:
        wanted = " or ".join(keys)
        return Problem(shown, f"the label is missing. Add {wanted}.", row.probe.line, "$")
    truth = _truth(plain[key], of_collapse)
    if isinstance(truth, str):
        return Problem(shown, truth, row.probe.line, f"$.{key}")
    inclusion = plain.get(PROBABILITY, plain.get("inclusion"))
    if inclusion is not None and not _is_probability(inclusion):
        message = f"expected a number above 0, at most 1; found {shortened(repr(inclusion))}."
        return Problem(shown, message, row.probe.line, f"$.{PROBABILITY}")
    blind = plain.get("blind")
    by = plain.get("reviewer") or plain.get("annotator") or plain.get("author") or ""
    return LabelRow(
        row, truth, str(by), blind if isinstance(blind, bool) else None, inclusion,
        any(name in plain for name in SELECTED_BY), str(plain.get("suite") or ""),
    )  # fmt: skip


def _truth(value: Any, of_collapse: bool) -> bool | str | None:
    """Whether the answer is right, None where the reader could not say, or what is wrong with the label."""
    if isinstance(value, bool):
        return value is not of_collapse
    if value is None:
        return None
    if isinstance(value, str) and not of_collapse:
        word = value.strip().lower()
        if word in UNDECIDED:
            return None
        if word in WORDS:
            return WORDS[word]
    expected = "true or false" if of_collapse else "true, false, pass, fail, correct, wrong, borderline or unsure"
    return f"expected {expected}; found {shortened(repr(value))}."


def _is_probability(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value <= 1
