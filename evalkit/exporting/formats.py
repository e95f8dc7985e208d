"""What ``evalkit report`` can make of a run: each format with its files."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from evalkit.exporting.card import card_markdown
from evalkit.exporting.columns import ExportTable
from evalkit.exporting.csv_file import csv_text
from evalkit.exporting.figures import figure_table
from evalkit.exporting.parquet_file import parquet_bytes
from evalkit.exporting.trials import trial_table
from evalkit.reporting.exports import TrialTexts, results_jsonl
from evalkit.reporting.figure_deltas import Earlier
from evalkit.reporting.figure_nouns import RunFigures
from evalkit.reporting.finished import FinishedRun
from evalkit.reporting.markdown import summary_markdown
from evalkit.reporting.safe_text import utf8_safe

FormatName = Literal["html", "md", "card", "csv", "parquet", "jsonl"]
Parts = Iterable[bytes]


@dataclass(frozen=True, slots=True)
class Report:
    """What a report is made of; ``before`` is an earlier run to show the changes against."""

    run: FinishedRun
    figures: RunFigures
    before: Earlier | None = None


@dataclass(frozen=True, slots=True)
class Format:
    """``files`` are names with what makes the bytes of each, the main one first; ``compares`` if it shows changes."""

    files: tuple[tuple[str, Callable[[Report], Parts]], ...]
    compares: bool = False
    is_text: bool = True


def _html(report: Report) -> Parts:
    from evalkit.plots import run_plots
    from evalkit.report_page import report_html

    plots = run_plots(report.figures)
    return [
        report_html(report.run, figures=report.figures, plots=plots, baseline=report.before, labels=report.run.labels)
    ]


def _markdown(report: Report) -> Parts:
    since = None if report.before is None else report.before.since
    return _encoded([summary_markdown(report.run, report.figures, against=since)])


def _card(report: Report) -> Parts:
    return _encoded([card_markdown(report.run, report.figures)])


def _jsonl(report: Report) -> Parts:
    run = report.run
    pairs = [(record, run.texts.get(record.trial, TrialTexts())) for record in run.summary.records]
    return _encoded(results_jsonl(pairs, run=run.summary.run))


def _encoded(parts: Iterable[str]) -> Parts:
    return (utf8_safe(part).encode() for part in parts)


def _trials(report: Report) -> ExportTable:
    return trial_table(report.run)


def _figures(report: Report) -> ExportTable:
    return figure_table(report.run, report.figures)


def _csv(table: Callable[[Report], ExportTable]) -> Callable[[Report], Parts]:
    return lambda report: _encoded([csv_text(table(report))])


def _parquet(table: Callable[[Report], ExportTable]) -> Callable[[Report], Parts]:
    return lambda report: [
        parquet_bytes(table(report), {"run": report.run.run_id, "evalkit": report.run.summary.run.evalkit})
    ]


FORMATS: dict[FormatName, Format] = {
    "html": Format((("report.html", _html),), compares=True),
    "md": Format((("summary.md", _markdown),), compares=True),
    "card": Format((("card.md", _card),)),
    "csv": Format((("trials.csv", _csv(_trials)), ("figures.csv", _csv(_figures)))),
    "parquet": Format(
        (("trials.parquet", _parquet(_trials)), ("figures.parquet", _parquet(_figures))), is_text=False
    ),
    "jsonl": Format((("results.jsonl", _jsonl),)),
}  # fmt: skip
