"""What a person reviews, and what they say of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal

from evalkit.record import TrialOutcome

LabelValue = Literal["correct", "wrong", "borderline", "unsure"]
"""``borderline`` is a judgement that could go either way, ``unsure`` is none at all; neither counts as truth."""

LABEL_VALUES: tuple[LabelValue, ...] = ("correct", "wrong", "borderline", "unsure")

FAILURE_KINDS = (
    "OVER_REFUSAL", "HALLUCINATION", "FALSE_APPROVAL", "MISCLASSIFICATION", "FORMAT_ISSUE", "IDENTITY_COLLAPSE",
    "OTHER",
)  # fmt: skip
"""The published taxonomy's kinds of failure, and everything else."""

Stratum = Literal[
    "gate", "regression", "dispute", "abstention", "near_threshold", "new_kind", "failed", "passed", "asked_for"
]
"""Why a trial is in the queue: its label could flip a gate; it passed in the baseline; its judges disagree; no judge
decided; a score lies close to its bound; a kind of failure that the baseline has not; drawn from the fails; drawn from
the passes; chosen by an option."""


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """One trial in a queue, with all that a reviewer may see.

    ``inclusion`` is the probability, in (0, 1], with which the queue chose it. ``messages`` are (role, content) pairs
    up to the last answer, which stands apart with its thinking, and without the system prompt of the target's
    ``condition``: that one says which target answered. ``verdicts`` are (judge, outcome, reason).
    """

    run: str
    trial: str
    text_hash: str
    stratum: Stratum
    inclusion: float
    suite: str
    probe: str
    category: str
    target: str
    outcome: TrialOutcome
    expected: str
    messages: tuple[tuple[str, str], ...]
    answer: str
    thinking: str = ""
    subcategory: str | None = None
    language: str | None = None
    cluster: str | None = None
    flags: tuple[str, ...] = ()
    score: float | None = None
    verdicts: tuple[tuple[str, str, str], ...] = ()
    is_demo: bool = False
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Label:
    """What one reviewer said of one text. ``at`` is epoch seconds, ``seconds`` how long it took.

    ``trial`` and ``run`` are where it was read; the label itself belongs to ``text_hash``. ``blind`` says whether the
    verdict and the model were hidden until then, None where nobody knows. ``source`` is the file it came from. A label
    that ``adjudicates`` was given to decide between others, and does.
    """

    text_hash: str
    trial: str
    run: str
    value: LabelValue
    reviewer: str
    at: float
    failure_kind: str = ""
    note: str = ""
    blind: bool | None = None
    seconds: float | None = None
    stratum: Stratum = "asked_for"
    inclusion: float = 1.0
    source: str = ""
    adjudicates: bool = False

    @property
    def truth(self) -> bool | None:
        """Whether the answer is right; None where the reviewer could not say."""
        return {"correct": True, "wrong": False}.get(self.value)

    def to_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def text_hash(probe_hash: str, messages: tuple[tuple[str, str], ...], thinking: str, answer: str) -> str:
    """Names a text that a label belongs to: the probe, what was asked of it, and the answer, wherever it was given.

    64 hexadecimal digits. Target, run and sample are not part of it, so an equal answer in a later run has its label.
    """
    return hashlib.sha256(_encoded([probe_hash, messages, thinking, answer]).encode()).hexdigest()


_encoded = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode
