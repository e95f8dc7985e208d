"""The seam every judge fits."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from evalkit.generation import Reply, Request
from evalkit.target import Settings
from evalkit.transcript import Case
from evalkit.verdict import Outcome, Span, Verdict

MAX_ROUNDS = 4


@runtime_checkable
class Judge(Protocol):
    """Pure: the same case and replies give the same questions and the same verdict.

    ``ask`` is called with all replies so far until it asks nothing, at most MAX_ROUNDS times; ``read`` then decides.
    """

    name: str

    def ask(self, case: Case, replies: tuple[Reply, ...]) -> tuple[Request, ...]: ...

    def read(self, case: Case, replies: tuple[Reply, ...]) -> Verdict: ...


class RuleJudge:
    """A judge that asks nothing of anybody."""

    name = "rule"
    version = "1"

    def ask(self, case: Case, replies: tuple[Reply, ...]) -> tuple[Request, ...]:
        return ()

    def verdict(
        self,
        outcome: Outcome,
        reason: str,
        *,
        score: float | None = None,
        flags: tuple[str, ...] = (),
        labels: Settings = (),
        signals: Settings = (),
        spans: tuple[Span, ...] = (),
    ) -> Verdict:
        """A verdict that carries this judge's name and version."""
        return Verdict(
            judge=self.name, judge_version=self.version, outcome=outcome, reason=reason,
            score=score, flags=flags, labels=labels, signals=signals, spans=spans,
        )  # fmt: skip
