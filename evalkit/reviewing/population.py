"""The trials that a review speaks for, and what all reviewers of a text come to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evalkit.record import TrialOutcome
from evalkit.review import Label


@dataclass(frozen=True, slots=True)
class PopulationTrial:
    """One trial of the run that is reviewed, read or not.

    ``family`` names trials that stand or fall together; an empty one is a family of its own. ``stratum`` is where a
    queue placed its text (a ``Stratum``; those of several queues are joined by +), None where no queue looked at it;
    ``inclusion`` is the probability with which the queue then chose it, None where it did not.
    """

    trial: str
    text_hash: str
    outcome: TrialOutcome
    category: str = ""
    family: str = ""
    suite: str = ""
    target: str = ""
    stratum: str | None = None
    inclusion: float | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What the reviewers of one text come to: each one's newest label, and whether the answer is right.

    ``truth`` is what more reviewers say than not; None where as many say the one as the other, or nobody could say.
    Where somebody adjudicated, it is what they said last.
    """

    text_hash: str
    labels: tuple[Label, ...]
    truth: bool | None

    @property
    def is_disputed(self) -> bool:
        """Whether reviewers differ, be it only that one of them could not say."""
        return len({label.value for label in self.labels}) > 1

    @property
    def is_open(self) -> bool:
        """Whether as many say right as wrong, so that a further reviewer has to decide."""
        return not self.is_adjudicated and self.truth is None and any(label.truth is not None for label in self.labels)

    @property
    def is_adjudicated(self) -> bool:
        """Whether somebody decided between the others."""
        return any(label.adjudicates for label in self.labels)


def settled(labels: Iterable[Label]) -> dict[str, Settled]:
    """By text, in order of first appearance. A reviewer's later label of the same text stands for the earlier one.

    Only an adjudication stands for an earlier adjudication.
    """
    newest: dict[str, dict[str, Label]] = {}
    for label in labels:
        own = newest.setdefault(label.text_hash, {})
        before = own.get(label.reviewer)
        if before is None or _rank(label) >= _rank(before):
            own[label.reviewer] = label
    return {text: Settled(text, tuple(own.values()), _truth(tuple(own.values()))) for text, own in newest.items()}


def _rank(label: Label) -> tuple[bool, float]:
    return (label.adjudicates, label.at)


def _truth(labels: Sequence[Label]) -> bool | None:
    decided = [label for label in labels if label.adjudicates]
    return max(decided, key=_rank).truth if decided else _majority(labels)


def _majority(labels: Iterable[Label]) -> bool | None:
    ahead = sum(1 if label.truth else -1 for label in labels if label.truth is not None)
    return None if ahead == 0 else ahead > 0
