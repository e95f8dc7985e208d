"""Scores answers with a lexicon and, where a bound is set, decides by the score or by one signal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evalkit.generation import Reply
from evalkit.judging.base import RuleJudge
from evalkit.judging.lexicon.counters import Number
from evalkit.judging.lexicon.scoring import Lexicon, Score, compiled
from evalkit.transcript import Case
from evalkit.verdict import Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Bounds:
    """Passes when the number ``signal`` (a signal or the composite) is at least and at most so much.

    ``measure_only`` passes whatever was measured; without it and without a bound nothing can be decided.
    """

    signal: str
    at_least: float | None = None
    at_most: float | None = None
    measure_only: bool = False

    def excess(self, value: Number) -> float:
        """How far outside the bounds; negative inside. Without a bound low values are the worst."""
        below = None if self.at_least is None else self.at_least - value
        above = None if self.at_most is None else value - self.at_most
        known = [far for far in (below, above) if far is not None]
        return max(known) if known else -value


class LexiconJudge(RuleJudge):
    """Scores each judged answer; the one furthest from what is wanted gives the verdict, its score and signals."""

    name = "lexicon"
    version = "1"

    def __init__(self, lexicon: Lexicon, bounds: Bounds, scores: Literal["text", "answer"] = "answer") -> None:
        self._lexicon = lexicon
        self._bounds = bounds
        self._scores = scores
        self.score = compiled(lexicon).score

    def read(self, case: Case, replies: tuple[Reply, ...]) -> Verdict:
        texts = [answer.text if self._scores == "text" else answer.answer for answer in case.answers]
        scores = [self.score(text) for text in texts]
        number, score = max(enumerate(scores), key=lambda one: self._bounds.excess(self._measured(one[1])))
        outcome, reason = self._decided(self._measured(score))
        which = f" (answer {number + 1} of {len(scores)})" if len(scores) > 1 else ""
        saturated = ", ".join(score.saturated)
        return self.verdict(
            outcome,
            f"{reason}{which}",
            score=score.total,
            flags=("saturated",) if saturated else (),
            labels=(("saturated", saturated),) if saturated else (),
            signals=(*score.signals, (self._lexicon.composite, score.total)),
        )

    def _measured(self, score: Score) -> Number:
        return dict(score.signals).get(self._bounds.signal, score.total)

    def _decided(self, value: Number) -> tuple[Outcome, str]:
        bounds = self._bounds
        found = f"{bounds.signal} is {shown(value)}"
        if bounds.measure_only:
            return "pass", f"{found}; it is only measured"
        if bounds.at_least is None and bounds.at_most is None:
            return "unscored", f"{found}; set at_least or at_most to decide by it"
        wanted = _wanted(bounds)
        return ("pass", f"{found}, {wanted}") if bounds.excess(value) <= 0 else ("fail", f"{found}, not {wanted}")


def shown(value: Number) -> str:
    """A number without needless zeros."""
    return f"{value:.10g}"


def _wanted(bounds: Bounds) -> str:
    words: Sequence[tuple[str, float | None]] = (("at least", bounds.at_least), ("at most", bounds.at_most))
    return " and ".join(f"{word} {shown(bound)}" for word, bound in words if bound is not None)
