"""What judges asked of models, and what servers were paid, in a line each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from evalkit.engines.servers.pricing import dollars
from evalkit.reporting.phrases import counted
from evalkit.reporting.summary import Summary

UNREADABLE = "the judge's answer could not be read"
"""How rubrics begin the reason of a verdict whose reply no repair made readable."""
_NOT_ASKED = {"no_money": "not asked for want of money", "no_key": "not asked for want of a key"}
_SAME_USD = Decimal("1e-9")

Question = dict[str, Any]


def judge_sentence(summary: Summary) -> str:
    """What the judges of a run asked; nothing where none asked a model."""
    questions = [question for record in summary.records for question in record.questions]
    if not questions:
        return ""
    reasons = (str(verdict.get("reason")) for record in summary.records for verdict in record.verdicts)
    allowed = summary.run.max_usd if not money_sentence(summary) else None
    return asked_sentence(questions, sum(map(is_unreadable, reasons)), allowed)


def money_sentence(summary: Summary) -> str:
    """What servers were paid, where it is not just what the judges cost."""
    if not summary.run.usd:
        return ""
    questions = [question for record in summary.records for question in record.questions]
    spent = Decimal(repr(summary.run.usd))
    if spent - spent_usd(questions) < _SAME_USD:
        return ""
    return f"{dollars(spent)} of {dollars(summary.run.max_usd)} allowed, for answers and for judges"


def is_unreadable(reason: str) -> bool:
    """Whether a verdict is unscored because nobody could read the judge's model."""
    return UNREADABLE in reason


def asked_sentence(questions: Sequence[Question], unreadable: int, allowed_usd: float | None) -> str:
    """``96 questions to grader (claude-haiku-5-5), $0.11 of $5.00 allowed; 0 unreadable, 2 not asked for want of …``

    ``unreadable`` counts verdicts. Questions whose price is unknown are counted and have no cost.
    """
    if not questions:
        return ""
    models = Counter(_model(question) for question in questions)
    asked = ", ".join(
        f"{counted(count, 'question') if place == 0 else count} to {model}"
        for place, (model, count) in enumerate(models.items())
    )
    stored = sum(bool(question["stored"]) for question in questions)
    parts = [asked, f"{stored} of them answered from the store"] if stored else [asked]
    if any(question["cost_usd"] is not None for question in questions):
        limit = "" if allowed_usd is None else f" of {dollars(allowed_usd)} allowed"
        parts.append(f"{dollars(spent_usd(questions))}{limit}")
    counts = [f"{unreadable} unreadable"]
    failed = Counter(question["failed"] for question in questions)
    counts += [f"{failed[kind]} {words}" for kind, words in _NOT_ASKED.items() if failed[kind]]
    if failed["broken"]:
        counts.append(f"{failed['broken']} without a reply")
    return f"{', '.join(parts)}; {', '.join(counts)}"


def spent_usd(questions: Iterable[Question]) -> Decimal:
    """What they cost in this run: equal ones were asked once, and those that came from the store were paid before."""
    costs = {
        question["identity"]: Decimal(repr(question["cost_usd"]))
        for question in questions
        if not question["stored"] and question["cost_usd"] is not None
    }
    return sum(costs.values(), Decimal(0))


def _model(question: Question) -> str:
    """``grader (claude-haiku-5-5)``; the bare name where the model is called the same."""
    name = str(question["target"]).split(":", maxsplit=1)[0]
    return name if question["model"] == name else f"{name} ({question['model']})"
