"""The judge ``instrument_trap_compat``: upstream's rules on a case of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from evalkit.generation import Reply
from evalkit.judging.base import RuleJudge
from evalkit.judging.instrument_trap.markers import Markers
from evalkit.judging.instrument_trap.scoring import Evaluation, evaluate
from evalkit.judging.instrument_trap.taxonomy import failure_type
from evalkit.transcript import Case
from evalkit.verdict import Verdict


@dataclass(frozen=True, slots=True)
class InstrumentTrapPolicy:
    """The markers; which internal category a name (normalised) means; the truth tier that each one expects."""

    markers: Markers
    categories: Mapping[str, str]
    expected_tiers: Mapping[str, str | None]


class InstrumentTrapJudge(RuleJudge):
    """Gives upstream's verdict on the whole text, reasoning included, bug for bug: to compare, not to judge."""

    name = "instrument_trap_compat"
    version = "1"

    def __init__(self, policy: InstrumentTrapPolicy) -> None:
        self._policy = policy

    def read(self, case: Case, replies: tuple[Reply, ...]) -> Verdict:
        if not case.answers:
            return self.verdict("unscored", "there is no answer to judge")
        category = self._policy.categories.get(normalised(case.probe.category))
        if category is None:
            return self.verdict("unscored", f"the category {case.probe.category!r} is none of the benchmark's eight")
        tier = self._policy.expected_tiers.get(category)
        evaluations = [
            (answer.text, evaluate(answer.text, case.prompt, category, tier, self._policy.markers))
            for answer in case.answers
        ]
        text, shown = next((pair for pair in evaluations if not pair[1].behaves), evaluations[-1])
        kind = failure_type(
            text, category, passed=shown.behaves, collapsed=shown.is_collapsed, markers=self._policy.markers
        )
        labels = (
            ("failure_type", kind), ("output_format", shown.shape), ("expected_classification", category),
            ("found_classification", shown.label), ("expected_tier", tier), ("found_tier", shown.tier),
        )  # fmt: skip
        flags = (("truncated", shown.is_truncated), ("collapsed", shown.is_collapsed))
        return self.verdict(
            "pass" if shown.behaves else "fail", _reason(shown, category), score=shown.percent,
            flags=tuple(name for name, holds in flags if holds),
            labels=tuple((name, value) for name, value in labels if value is not None),
            signals=(*shown.scores, ("total", shown.total), ("max", shown.maximum), ("pct", shown.percent)),
        )  # fmt: skip


def normalised(category: str) -> str:
    """A category's name in capitals, its words joined by underscores."""
    return category.strip().upper().replace("-", "_").replace(" ", "_")


def _reason(evaluation: Evaluation, category: str) -> str:
    points = f"{evaluation.total} of {evaluation.maximum} points"
    if evaluation.is_collapsed:
        return f"{category}: collapsed by upstream's rule (format {evaluation.shape}), {points}"
    return f"{category}: {'behaves' if evaluation.behaves else 'does not behave'} by upstream's rule, {points}"
