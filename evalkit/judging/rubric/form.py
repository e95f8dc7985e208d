"""What a rubric asks for, and the JSON Schema of the reply."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

LabelOutcome = Literal["pass", "fail", "unscored", "by_check"]
Sees = Literal["answer", "thinking", "both"]

REASON, LABEL, COMPOSITE = "reason", "label", "composite"


@dataclass(frozen=True, slots=True)
class Label:
    """One of the closed list; ``by_check`` follows the rubric's deciding check."""

    name: str
    means: str
    outcome: LabelOutcome


@dataclass(frozen=True, slots=True)
class Dimension:
    """Whole numbers from ``lowest`` to ``highest``, with the meaning of both ends."""

    name: str
    means: str
    lowest: int
    highest: int
    lowest_means: str
    highest_means: str
    higher_is_better: bool = True

    def directed(self, value: float) -> float:
        """The value as the composite counts it: always higher is better."""
        return value if self.higher_is_better else self.lowest + self.highest - value


@dataclass(frozen=True, slots=True)
class Check:
    """A question to be answered with true or false."""

    name: str
    asks: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A question with a closed list of answers: pairs of name and meaning."""

    name: str
    asks: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Category:
    """What is expected of answers to probes of one category; ``also`` are its older names."""

    name: str
    also: tuple[str, ...]
    behaviour: str


@dataclass(frozen=True, slots=True)
class Example:
    """A judged case for the judge to learn from; ``reply`` is the JSON it should have written."""

    prompt: str
    answer: str
    reply: str


@dataclass(frozen=True, slots=True)
class Rubric:
    """A whole rubric: either ``labels`` or ``dimensions`` decide.

    ``at_least`` and ``at_most`` compare ``signal``: the composite (mean of the dimensions, direction applied) or one
    dimension as the judge gave it. ``measure_only`` passes whatever was measured.
    """

    question: str
    labels: tuple[Label, ...] = ()
    dimensions: tuple[Dimension, ...] = ()
    checks: tuple[Check, ...] = ()
    choices: tuple[Choice, ...] = ()
    categories: tuple[Category, ...] = ()
    examples: tuple[Example, ...] = ()
    deciding_check: str | None = None
    signal: str = COMPOSITE
    at_least: float | None = None
    at_most: float | None = None
    measure_only: bool = False
    sees: Sees = "answer"
    max_answer_chars: int = 6000
    max_prompt_chars: int = 6000
    max_new_tokens: int = 700

    @property
    def schema_text(self) -> str:
        """The JSON text of the reply's schema; the order of its keys is the order of writing."""
        return json.dumps(reply_schema(self), ensure_ascii=False)


def reply_schema(rubric: Rubric) -> dict[str, Any]:
    """A flat object, every key required, in the order: reason, checks, dimensions, label, choices.

    Numbers are listed as an enumeration: structured outputs of servers know no ``minimum`` (Anthropic's documentation
    of structured outputs), and all of them know ``enum``.
    """
    fields: dict[str, Any] = {REASON: {"type": "string"}}
    fields |= {check.name: {"type": "boolean"} for check in rubric.checks}
    fields |= {
        item.name: {"type": "integer", "enum": list(range(item.lowest, item.highest + 1))} for item in rubric.dimensions
    }
    if rubric.labels:
        fields[LABEL] = {"type": "string", "enum": [label.name for label in rubric.labels]}
    fields |= {
        choice.name: {"type": "string", "enum": [name for name, _ in choice.options]} for choice in rubric.choices
    }
    return {"type": "object", "properties": fields, "required": list(fields), "additionalProperties": False}
