"""The scores of a run's judges: means with their intervals, and how the scores spread."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median, stdev
from typing import Any

from evalkit.gates.gate import condition_of
from evalkit.measured import Measured
from evalkit.record import TrialRecord
from evalkit.reporting.figure_nouns import ScoreRow
from evalkit.reporting.summary import Summary
from evalkit.stats.clustered import Clustered, robust_interval
from evalkit.tally import Family, family_of

Scored = tuple[Family, float]


def score_rows(summary: Summary) -> tuple[ScoreRow, ...]:
    """A row for every suite, judge and target, each after its categories, in the order of the run."""
    found: dict[tuple[str, str, str], dict[str, list[Scored]]] = {}
    places = {target.label: place for place, target in enumerate(summary.targets)}
    scored = [record for record in summary.records if is_scored(record)]
    for record in sorted(scored, key=lambda record: (record.suite, places[record.target])):
        # Each judge with its finite score; a second use of the same judge is NAME#2.
        for judge, score in Measured.of(record).scores.items():
            own = found.setdefault((record.suite, judge, record.target), {})
            own.setdefault(record.category, []).append((family_of(record), score))
    return tuple(
        _row(key, category, scored)
        for key, categories in found.items()
        for category, scored in (
            *(categories.items() if len(categories) > 1 else ()),
            (None, [pair for scored in categories.values() for pair in scored]),
        )
    )


def is_scored(record: TrialRecord) -> bool:
    """Whether a judge gave a score, be it one that is no number."""
    return any(map(_has_score, record.verdicts))


def _has_score(verdict: dict[str, Any]) -> bool:
    return verdict.get("score") is not None


def _row(key: tuple[str, str, str], category: str | None, scored: Sequence[Scored]) -> ScoreRow:
    suite, judge, target = key
    values = sorted(score for _, score in scored)
    interval = robust_interval(Clustered.of([score for _, score in scored], [family for family, _ in scored]))
    return ScoreRow(
        suite=suite, judge=judge, target=target, condition=condition_of(target), category=category, n=len(values),
        mean=fmean(values), low=interval.low if interval else None, high=interval.high if interval else None,
        sd=stdev(values) if len(values) > 1 else None, median=median(values), values=tuple(values),
    )  # fmt: skip
