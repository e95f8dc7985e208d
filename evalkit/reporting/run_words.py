"""The facts of a run as a whole, a line each, in words that any report may print."""

from __future__ import annotations

from datetime import UTC, datetime

from evalkit.reporting import money, phrases
from evalkit.reporting.summary import Summary

PAGE = "report.html"
MAX_PAGED = 5_000
"""Trials above which the end of a run leaves its page to ``evalkit report``."""


def has_page(summary: Summary) -> bool:
    """Whether the end of the run writes its page."""
    return len(summary.records) <= MAX_PAGED


def file_lines(summary: Summary) -> list[str]:
    """Where the files of the run are; of a large run, how to have its page."""
    if not summary.run.out:
        return []
    names = "results.jsonl, summary.md, review.csv"
    if has_page(summary):
        return [f"{summary.run.out}: {PAGE}, {names}"]
    later = f"over {MAX_PAGED:,} trials, so without {PAGE}. Make it with: evalkit report {summary.run.run_id}"
    return [f"{summary.run.out}: {names}; {later}"]


def fact_lines(summary: Summary) -> list[str]:
    """``name: value`` of everything that is known of the run, provenance included; nothing of what is not."""
    run = summary.run
    facts = [
        ("started", started_words(run.started_at)),
        ("time", phrases.duration(run.wall_s) if run.wall_s else ""),
        ("tokens", phrases.token_sentence(summary)),
        ("store", phrases.store_sentence(summary.total)),
        ("reviewed", run.reviewed),
        ("noise", run.noise),
        ("judges", money.judge_sentence(summary)),
        ("money", money.money_sentence(summary)),
        *(("plan", plan) for plan in run.plans),
        *(("adapter", footer) for footer in run.footers),
        *(("note", note) for note in run.notes),
        ("evalkit", run.evalkit),
        *run.provenance,
        ("log", run.log),
        ("command", run.command),
    ]
    return [f"{name}: {value}" for name, value in facts if value]


def started_words(at: float) -> str:
    """``2025-11-21 01:53:20 UTC``."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
