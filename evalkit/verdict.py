"""Pass, fail or unscored, with score, flags, labels, evidence spans and a reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from evalkit.target import Settings

Outcome = Literal["pass", "fail", "unscored"]


@dataclass(frozen=True, slots=True)
class Span:
    """Evidence: characters ``start`` to ``end`` of the text of the case's judged answer number ``answer``."""

    start: int
    end: int
    why: str
    answer: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one judge says of one case; ``reason`` is one short sentence, also for a pass.

    ``flags`` are bare claims (``collapsed``, ``fabricated``), ``labels`` named ones (``failure_type``: …),
    ``signals`` measured numbers. ``judge_hash`` covers the judge's code version, policy and settings.
    """

    judge: str
    outcome: Outcome
    reason: str
    score: float | None = None
    flags: tuple[str, ...] = ()
    labels: Settings = ()
    signals: Settings = ()
    spans: tuple[Span, ...] = ()
    judge_version: str = ""
    judge_hash: str = ""
    required: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """What all judges of a trial come to together; ``verdicts`` in the order of the probe's ``judges``."""

    outcome: Outcome
    reason: str
    verdicts: tuple[Verdict, ...]

    @property
    def flags(self) -> tuple[str, ...]:
        """Every flag of every verdict, once, in order."""
        return tuple(dict.fromkeys(flag for verdict in self.verdicts for flag in verdict.flags))

    @property
    def is_collapsed(self) -> bool:
        return "collapsed" in self.flags

    @property
    def score(self) -> float | None:
        """The first score a required judge gave."""
        scores = (verdict.score for verdict in self.verdicts if verdict.required and verdict.score is not None)
        return next(scores, None)
