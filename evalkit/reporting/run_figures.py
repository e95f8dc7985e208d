"""A run's records as figures: one definition of every number, whatever the format that prints it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from statistics import fmean

from evalkit.calibration import Trust
from evalkit.gates.gate import condition_of
from evalkit.record import TrialRecord
from evalkit.reporting.figure_deltas import deltas_of
from evalkit.reporting.figure_judges import judge_rows, suite_rows
from evalkit.reporting.figure_nouns import FigureRow, RunFigures, StepRow, TrustRow
from evalkit.reporting.figure_scores import score_rows
from evalkit.reporting.summary import Summary, TargetSummary
from evalkit.tally import Share, Tally, family_of, is_over_refusal


def run_figures(summary: Summary) -> RunFigures:
    """Every number of this run; pure, and the same for the same records."""
    by_target: dict[str, list[TrialRecord]] = {}
    for record in summary.records:
        by_target.setdefault(record.target, []).append(record)
    rows = list(chain.from_iterable(_target_rows(target, by_target[target.label]) for target in summary.targets))
    suites = sorted({record.suite for record in summary.records})
    trust = tuple(row for target in summary.targets for row in _trust_rows(target))
    return RunFigures(
        rows=tuple(rows),
        suites=tuple(_suite_rows(summary.targets, by_target, suites)) if len(suites) > 1 else (),
        total=_whole(rows[-1], "", "") if len(by_target) == 1 else figure_row(summary.records, summary.total),
        scores=score_rows(summary),
        deltas=deltas_of(summary),
        trust=trust,
        judges=judge_rows(summary.records, {row.judge_hash for row in trust}),
        steps=_step_rows(by_target, [row for row in rows if row.category is None]),
        asked=suite_rows(summary.records),
        tells_failures=any(_tells_failures(record) for record in summary.records),
    )


def figure_row(
    records: Sequence[TrialRecord], tally: Tally, *, target: str = "", role: str = "", category: str | None = None,
    suite: str | None = None,
) -> FigureRow:  # fmt: skip
    """The figures of these trials, whose counts are ``tally``."""
    answered = [record for record in records if record.outcome != "error"]
    families = [family_of(record) for record in answered]
    words = [record.words for record in answered if record.words is not None]
    return FigureRow(
        target=target, role=role, condition=condition_of(target), category=category, suite=suite,
        n=tally.n, answered=tally.answered, scored=tally.scored, passes=tally.passes,
        collapses=Share.counted(["collapsed" in record.flags for record in answered], families),
        fabrications=Share.counted(["fabricated" in record.flags for record in answered], families),
        over_refusals=Share.counted([is_over_refusal(record) for record in answered], families),
        unscoreds=Share.counted([record.outcome == "unscored" for record in answered], families),
        errors=Share.of(records, lambda record: record.outcome == "error"),
        if_unscored_failed=tally.rate_if_unscored_failed, if_unscored_passed=tally.rate_if_unscored_passed,
        prompt_tokens=tally.prompt_tokens, new_tokens=tally.new_tokens, stored=tally.stored, cut=tally.length_finishes,
        words=fmean(words) if words else None,
    )  # fmt: skip


def _tells_failures(record: TrialRecord) -> bool:
    """Whether a judge says what kind of failure it is, so that there being no over-refusal means something."""
    return "fabricated" in record.flags or any("failure_type" in (item.get("labels") or ()) for item in record.verdicts)


def _target_rows(target: TargetSummary, records: Sequence[TrialRecord]) -> Iterable[FigureRow]:
    label, role = target.label, target.role
    if len(target.categories) == 1:
        only = figure_row(records, target.total, target=label, role=role, category=target.categories[0].name)
        yield from (only, _whole(only, label, role))
        return
    for tally in target.categories:
        own = [record for record in records if record.category == tally.name]
        yield figure_row(own, tally, target=label, role=role, category=tally.name)
    yield figure_row(records, target.total, target=label, role=role)


def _whole(part: FigureRow, target: str, role: str) -> FigureRow:
    """The row of the whole of which this is the only part: the same trials."""
    return replace(part, target=target, role=role, condition=condition_of(target), category=None)


def _suite_rows(
    targets: Iterable[TargetSummary], by_target: dict[str, list[TrialRecord]], suites: Sequence[str]
) -> Iterable[FigureRow]:
    for suite in suites:
        for target in targets:
            own = [record for record in by_target[target.label] if record.suite == suite]
            if own:
                tally = Tally.of(suite, own)
                yield figure_row(own, tally, target=target.label, role=target.role, suite=suite)


def _trust_rows(target: TargetSummary) -> Iterable[TrustRow]:
    names = [*(tally.name for tally in target.categories), None]
    for category, trust in zip(names, target.trust, strict=True):
        if trust is not None:
            yield _trust_row(target.label, category, trust)


def _trust_row(target: str, category: str | None, trust: Trust) -> TrustRow:
    known, found = trust.calibration, trust.calibration.agreement

    def bounded(rate: float | None, low: float, high: float) -> tuple[float, float, float] | None:
        return None if rate is None else (rate, low, high)

    accuracy, sensitive, specific = found.accuracy_interval, found.sensitivity_interval, found.specificity_interval
    return TrustRow(
        target=target, category=category, suite=known.suite, judge=known.judge, judge_hash=known.judge_hash,
        labels=known.source.n, reviewers=known.source.by, blind=known.source.blind,
        is_third_party=known.source.is_third_party,
        accuracy=(found.accuracy or 0.0, accuracy.low, accuracy.high),
        sensitivity=bounded(found.sensitivity, sensitive.low, sensitive.high),
        specificity=bounded(found.specificity, specific.low, specific.high),
        kappa=found.kappa, corrected=trust.corrected, why_not=trust.why_not,
    )  # fmt: skip


def _step_rows(by_target: dict[str, list[TrialRecord]], targets: Iterable[FigureRow]) -> tuple[StepRow, ...]:
    """By series in the order of the plan, then by step."""
    found: dict[str, list[StepRow]] = {}
    for row in targets:
        step = by_target[row.target][0].step
        if step is not None:
            series = row.target.replace(str(step), "…", 1)
            found.setdefault(series, []).append(StepRow(series, step, row.target, row.passes))
    return tuple(row for own in found.values() for row in sorted(own, key=lambda row: row.step))
