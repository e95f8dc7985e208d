"""The results of a run as the metadata that the Hugging Face hub reads from a model card."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from evalkit.exporting.limits import subjects
from evalkit.reporting.figure_nouns import FigureRow, RunFigures, SuiteRow
from evalkit.reporting.finished import FinishedRun
from evalkit.reporting.markdown_tables import shown_shares
from evalkit.reporting.safe_text import for_terminal
from evalkit.reviewing import Rate

TASK = "text-generation"
NAMES = {
    "passes": "pass_rate", "collapses": "collapse_rate", "fabrications": "fabrication_rate",
    "over_refusals": "over_refusal_rate", "unscoreds": "unscored_rate",
}  # fmt: skip


def hub_metadata(run: FinishedRun, figures: RunFigures) -> str:
    """Front matter with ``model-index``: an entry a subject, a result a suite; rates in percent, to one decimal.

    Source: the specification in huggingface/hub-docs, modelcard.md.
    """
    entries = [
        {"name": for_terminal(target.target), "results": list(_results(run, figures, target))}
        for target in subjects(figures)
    ]
    text = yaml.safe_dump({"model-index": entries}, sort_keys=False, allow_unicode=True, width=120)
    return f"---\n{text}---"


def _results(run: FinishedRun, figures: RunFigures, target: FigureRow) -> Iterable[dict[str, Any]]:
    asked = {row.suite: row for row in figures.asked}
    rows = [row for row in figures.suites if row.target == target.target] or [target]
    for row in rows:
        suite = asked[row.suite] if row.suite is not None else figures.asked[0]
        metrics = [
            _metric(NAMES[name], words, share.rate, share.low, share.high, share.whole)
            for name, words in shown_shares(figures)
            if (share := getattr(row, name)).rate is not None
        ]
        if len(rows) == 1:
            metrics += _reviewed_metrics(run, target)
        if metrics:
            yield {"task": {"type": TASK}, "dataset": _dataset(run, suite), "metrics": metrics}


def _dataset(run: FinishedRun, suite: SuiteRow) -> dict[str, Any]:
    plans = [plan for plan in run.summary.run.plans if f" of {suite.suite}:" in plan]
    args = {"probes": suite.probes, **({"plan": for_terminal(plans[0])} if plans else {})}
    name = for_terminal(suite.suite)
    return {"type": name, "name": f"{name} (evalkit suite)", "revision": suite.digest, "args": args}


def _reviewed_metrics(run: FinishedRun, target: FigureRow) -> list[dict[str, Any]]:
    """The manual and the corrected pass rate, where people read answers."""
    found = None if run.reviewed is None else run.reviewed.of(target.target)
    if found is None:
        return []
    rates: tuple[tuple[str, str, Rate], ...] = (
        ("reviewed_pass_rate", "passed, people's labels in place of verdicts", found.reviewed),
        ("corrected_pass_rate", "passed, corrected for the judges' errors", found.corrected),
    )
    return [
        _metric(kind, words, rate.rate, rate.low, rate.high, rate.whole)
        for kind, words, rate in rates
        if rate.rate is not None
    ]


def _metric(kind: str, words: str, rate: float | None, low: float, high: float, of: int | None) -> dict[str, Any]:
    ends = {"low": _percent(low), "high": _percent(high), "confidence": 95}
    args = ends if of is None else {**ends, "of": of}
    return {"type": kind, "value": _percent(rate or 0.0), "name": f"{words} (%)", "args": args}


def _percent(share: float) -> float:
    return round(100 * share, 1)
