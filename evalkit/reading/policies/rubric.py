"""The schema of rubrics: judges/<name>.yaml of the kind ``rubric``."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from evalkit.errors import JudgeError
from evalkit.judging.base import Judge
from evalkit.judging.rubric.answers import check_example
from evalkit.judging.rubric.form import (
    COMPOSITE,
    LABEL,
    REASON,
    Category,
    Check,
    Choice,
    Dimension,
    Example,
    Label,
    LabelOutcome,
    Rubric,
    Sees,
)  # fmt: skip
from evalkit.judging.rubric.judge import RubricJudge
from evalkit.reading.policies.base import Parts, PolicyFile, Strict
from evalkit.reading.suggestions import did_you_mean

DEFAULT_MODEL = "claude-haiku"
MAX_SCALE_POINTS = 101
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("expected text, found an empty one")
    return text


def _named(entries: dict[str, Any]) -> dict[str, Any]:
    for name in entries:
        if not _NAME.fullmatch(name):
            raise ValueError(f"expected a name of letters, digits and _; found {name!r}")
    return entries


Said = Annotated[str, AfterValidator(_said)]


class LabelFile(Strict):
    """One label: what it means, and what it makes of the trial."""

    means: Said
    outcome: LabelOutcome


class DimensionFile(Strict):
    """One dimension of a scale of whole numbers."""

    means: Said
    lowest: int
    highest: int
    lowest_means: Said
    highest_means: Said
    higher_is_better: bool

    @model_validator(mode="after")
    def _is_a_range(self) -> DimensionFile:
        if not 0 < self.highest - self.lowest < MAX_SCALE_POINTS:
            raise ValueError(
                f"expected highest to be 1 to {MAX_SCALE_POINTS - 1} more than lowest; "
                f"found {self.lowest} to {self.highest}"
            )
        return self


class ChoiceFile(Strict):
    """A question with a closed list of answers."""

    asks: Said
    options: dict[str, Said] = Field(min_length=2)


class CategoryFile(Strict):
    """What is expected in one category."""

    behaviour: Said
    also: list[str] = Field(default_factory=list)


class ExampleFile(Strict):
    """A judged case."""

    prompt: Said
    answer: str
    reply: dict[str, Any]


class RubricFile(PolicyFile):
    """judges/<name>.yaml of the kind ``rubric``."""

    code_version = RubricJudge.version
    kind: Literal["rubric"]
    model: Said = DEFAULT_MODEL
    question: Said
    labels: Annotated[dict[str, LabelFile], AfterValidator(_named)] = Field(default_factory=dict)
    deciding_check: str | None = None
    scale: Annotated[dict[str, DimensionFile], AfterValidator(_named)] = Field(default_factory=dict)
    signal: str = COMPOSITE
    at_least: float | None = None
    at_most: float | None = None
    measure_only: bool = False
    checks: Annotated[dict[str, Said], AfterValidator(_named)] = Field(default_factory=dict)
    choices: Annotated[dict[str, ChoiceFile], AfterValidator(_named)] = Field(default_factory=dict)
    categories: dict[str, CategoryFile] = Field(default_factory=dict)
    examples: list[ExampleFile] = Field(default_factory=list)
    sees: Sees = "answer"
    max_answer_chars: int = Field(default=6000, ge=200)
    max_prompt_chars: int = Field(default=6000, ge=200)
    max_new_tokens: int = Field(default=700, ge=50)

    @property
    def models(self) -> tuple[str, ...]:
        return (self.model,)

    @model_validator(mode="after")
    def _can_decide(self) -> RubricFile:
        for mistake in (self._naming_mistake(), self._label_mistake(), self._scale_mistake()):
            if mistake is not None:
                raise ValueError(mistake)
        rubric = self._rubric()
        for number, example in enumerate(rubric.examples, start=1):
            wrong = check_example(rubric, example.reply)
            if wrong is not None:
                raise ValueError(f"the reply of example {number} is none that the rubric asks for: {wrong}")
        return self

    def _naming_mistake(self) -> str | None:
        names = [REASON, LABEL, COMPOSITE, *self.checks, *self.choices, *self.scale]
        twice = next((name for name in names if names.count(name) > 1), None)
        return None if twice is None else f"the name {twice!r} is taken. Give the check, choice or dimension another"

    def _label_mistake(self) -> str | None:
        if bool(self.labels) == bool(self.scale):
            return f"expected either labels or a scale, found {'both' if self.labels else 'neither'}"
        if self.deciding_check is not None:
            if not self.labels:
                return "deciding_check is for labels; this rubric has a scale. Remove it"
            if self.deciding_check not in self.checks:
                near = did_you_mean(self.deciding_check, list(self.checks))
                return f"deciding_check: there is no check {self.deciding_check!r}. {near}"
            return None
        by_check = next((name for name, label in self.labels.items() if label.outcome == "by_check"), None)
        return None if by_check is None else f"label {by_check!r} is decided by a check. Name it in deciding_check"

    def _scale_mistake(self) -> str | None:
        limits = [name for name in ("at_least", "at_most") if getattr(self, name) is not None]
        if not self.scale:
            wrong = [*limits, *(["signal"] if self.signal != COMPOSITE else []), *["measure_only"] * self.measure_only]
            return f"{wrong[0]} is for a scale; this rubric has labels. Remove it" if wrong else None
        if not limits and not self.measure_only:
            return "a scale needs at_least, at_most or measure_only: true, since no value of it would ever fail"
        if self.signal != COMPOSITE and self.signal not in self.scale:
            near = did_you_mean(self.signal, [COMPOSITE, *self.scale])
            return f"signal: there is no dimension {self.signal!r}. {near}"
        if len({(item.lowest, item.highest) for item in self.scale.values()}) > 1:
            return "all dimensions need the same lowest and highest, since the composite is their mean"
        return None

    def _rubric(self) -> Rubric:
        return Rubric(
            question=self.question,
            labels=tuple(Label(name, item.means, item.outcome) for name, item in self.labels.items()),
            dimensions=tuple(Dimension(name, **dict(item)) for name, item in self.scale.items()),
            checks=tuple(Check(name, asks) for name, asks in self.checks.items()),
            choices=tuple(Choice(name, item.asks, tuple(item.options.items())) for name, item in self.choices.items()),
            categories=tuple(
                Category(name, tuple(item.also), item.behaviour) for name, item in self.categories.items()
            ),
            examples=tuple(
                Example(item.prompt, item.answer, json.dumps(item.reply, ensure_ascii=False)) for item in self.examples
            ),
            deciding_check=self.deciding_check, signal=self.signal, at_least=self.at_least, at_most=self.at_most,
            measure_only=self.measure_only,
            sees=self.sees, max_answer_chars=self.max_answer_chars, max_prompt_chars=self.max_prompt_chars,
            max_new_tokens=self.max_new_tokens,
        )  # fmt: skip

    def make(self, parts: Parts) -> Judge:
        """The judge, with the target that it asks.

        Raises:
            JudgeError: the model is no target of this run.
        """
        if self.model not in parts.targets:
            raise JudgeError(
                f"The rubric asks the model {self.model!r}, which is no target here. "
                "Name one of fixtures/targets.yaml as model."
            )
        return RubricJudge(self._rubric(), parts.targets[self.model])
