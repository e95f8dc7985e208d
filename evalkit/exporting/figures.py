"""The figures of a run as a flat table: one number a row, with its interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from evalkit.exporting.columns import ExportColumn, ExportTable
from evalkit.exporting.trials import clean
from evalkit.gates.gate import condition_of
from evalkit.reporting.figure_nouns import Delta, DeltaPart, FigureRow, RunFigures, ScoreRow, StepRow, TrustRow
from evalkit.reporting.finished import FinishedRun
from evalkit.reviewing import Rate, RateRow

C = ExportColumn
FIGURE_COLUMNS = (
    C("run", "text", "the run's name"),
    C("demo", "truth", "whether a demo model was used: the numbers mean nothing"),
    C("kind", "text", "`rate`, `bound`, `count`, `score`, `change`, `trust`, `reviewed` or `step`"),
    C("target", "text", "the target's label; empty: the whole run"),
    C("role", "text", "`subject` or `reference`"),
    C("condition", "text", "the third part of the label"),
    C("suite", "text", "empty: all suites"),
    C("category", "text", "empty: all categories"),
    C("metric", "text", "what is measured; see below"),
    C("value", "number", "rates and their differences as proportions, scores in their own unit; empty: of nothing"),
    C("low", "number", "the lower end of the 95 % interval"),
    C("high", "number", "and the upper"),
    C("part", "integer", "the count above the line of a rate"),
    C("whole", "integer", "the count below it; of a change the pairs, of a score and of trust the trials"),
    C("families", "integer", "how many independent families of probes stand behind it, where that is known"),
    C("judge", "text", "whose score it is, or who is trusted"),
    C("judge_hash", "text", "that judge's hash"),
    C("against", "text", "the target that a change starts from"),
    C("before", "number", "the value there"),
    C("after", "number", "the value here, over the same probes"),
    C("step", "integer", "the training step of a checkpoint"),
    C("p", "number", "of a change, two-sided; of a category adjusted over the categories (Holm)"),
    C("verdict", "text", "of a change: `HELD`, `REGRESSED`, `IMPROVED`, `UNDERPOWERED`, `INCOMPARABLE`"),
)  # fmt: skip

METRIC_NAMES = {
    "passes": "pass_rate", "collapses": "collapse_rate", "fabrications": "fabrication_rate",
    "over_refusals": "over_refusal_rate", "unscoreds": "unscored_rate", "errors": "error_rate",
}  # fmt: skip
"""The shares of a ``FigureRow`` by the names that gates and comparisons have for them."""

COUNTS = ("n", "answered", "scored", "prompt_tokens", "new_tokens", "stored", "cut")
Plain = dict[str, Any]


def figure_table(run: FinishedRun, figures: RunFigures) -> ExportTable:
    """Every number that a report prints, in its order."""
    fixed = {"run": run.run_id, "demo": run.summary.run.is_demo}
    empty: Plain = {column.name: None for column in FIGURE_COLUMNS}
    rows = (
        tuple(clean({**empty, **fixed, **plain}[column.name]) for column in FIGURE_COLUMNS)
        for plain in _rows(run, figures)
    )
    return ExportTable(FIGURE_COLUMNS, tuple(rows))


def _rows(run: FinishedRun, figures: RunFigures) -> Iterable[Plain]:
    for row in (*figures.rows, *figures.suites, figures.total):
        yield from _rate_rows(row)
    for score in figures.scores:
        yield from _score_rows(score)
    for delta in figures.deltas:
        yield from _change_rows(delta)
    for trust in figures.trust:
        yield from _trust_rows(trust)
    for rate in run.reviewed.rows if run.reviewed else ():
        yield from _reviewed_rows(rate)
    yield from map(_step_row, figures.steps)


def _rate_rows(row: FigureRow) -> Iterable[Plain]:
    place = {
        "target": row.target, "role": row.role, "condition": row.condition, "suite": row.suite,
        "category": row.category,
    }  # fmt: skip
    for name, metric in METRIC_NAMES.items():
        share = getattr(row, name)
        yield {
            **place, "kind": "rate", "metric": metric, "value": share.rate, "low": share.low, "high": share.high,
            "part": share.part, "whole": share.whole, "families": share.families,
        }  # fmt: skip
    yield {**place, "kind": "bound", "metric": "pass_rate_if_unscored_failed", "value": row.if_unscored_failed}
    yield {**place, "kind": "bound", "metric": "pass_rate_if_unscored_passed", "value": row.if_unscored_passed}
    for count in COUNTS:
        yield {**place, "kind": "count", "metric": count, "value": float(getattr(row, count))}
    yield {**place, "kind": "count", "metric": "mean_words", "value": row.words}


def _score_rows(row: ScoreRow) -> Iterable[Plain]:
    place = {
        "kind": "score", "target": row.target, "condition": row.condition, "suite": row.suite,
        "category": row.category, "judge": row.judge, "whole": row.n,
    }  # fmt: skip
    yield {**place, "metric": "mean_score", "value": row.mean, "low": row.low, "high": row.high}
    yield {**place, "metric": "median_score", "value": row.median}
    yield {**place, "metric": "sd_score", "value": row.sd}


def _change_rows(delta: Delta) -> Iterable[Plain]:
    shown = delta.shown
    place = {
        "kind": "change", "target": delta.after, "condition": condition_of(delta.after), "against": delta.before,
        "metric": delta.metric,
    }  # fmt: skip
    yield {
        **place, "value": shown.delta, "low": shown.low, "high": shown.high, "whole": shown.pairs,
        "families": shown.clusters, "before": shown.before, "after": shown.after, "p": shown.p,
        "verdict": delta.comparison.verdict,
    }  # fmt: skip
    yield from ({**place, **_part(part)} for part in delta.parts)


def _part(part: DeltaPart) -> Mapping[str, Any]:
    return {
        "category": part.category, "value": part.delta, "low": part.low, "high": part.high, "whole": part.pairs,
        "before": part.before, "after": part.after, "p": part.adjusted_p,
    }  # fmt: skip


def _trust_rows(row: TrustRow) -> Iterable[Plain]:
    place = {
        "kind": "trust", "target": row.target, "condition": condition_of(row.target), "suite": row.suite,
        "category": row.category, "judge": row.judge, "judge_hash": row.judge_hash, "whole": row.labels,
    }  # fmt: skip
    for metric in ("accuracy", "sensitivity", "specificity"):
        bounded = getattr(row, metric)
        if bounded is not None:
            yield {**place, "metric": metric, "value": bounded[0], "low": bounded[1], "high": bounded[2]}
    yield {**place, "metric": "kappa", "value": row.kappa}
    if row.corrected is not None:
        found = row.corrected
        ends = {"low": found.interval.low, "high": found.interval.high}
        yield {**place, "metric": "corrected_pass_rate_by_calibration", "value": found.rate, **ends}


def _reviewed_rows(row: RateRow) -> Iterable[Plain]:
    place = {
        "kind": "reviewed", "target": row.target or "", "category": row.category,
        "condition": condition_of(row.target or ""),
    }  # fmt: skip
    rates: tuple[tuple[str, Rate], ...] = (
        ("automated_pass_rate", row.rates.automated), ("reviewed_pass_rate", row.rates.reviewed),
        ("corrected_pass_rate", row.rates.corrected),
    )  # fmt: skip
    for metric, rate in rates:
        yield {
            **place, "metric": metric, "value": rate.rate, "low": rate.low, "high": rate.high, "part": rate.part,
            "whole": rate.whole,
        }  # fmt: skip


def _step_row(row: StepRow) -> Plain:
    return {
        "kind": "step", "target": row.target, "condition": condition_of(row.target), "metric": "pass_rate_at_step",
        "value": row.passes.rate, "low": row.passes.low, "high": row.passes.high, "part": row.passes.part,
        "whole": row.passes.whole, "families": row.passes.families, "step": row.step,
    }  # fmt: skip
