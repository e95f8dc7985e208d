"""The report as one HTML file that needs no network and keeps its own promises about what may run in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from evalkit import __version__
from evalkit.plots import PLOT_CSS, Plot
from evalkit.report_page.embedding import attribute, filled, packed, shown
from evalkit.report_page.plot_blocks import plot_blocks
from evalkit.report_page.table_blocks import table_blocks
from evalkit.report_page.trial_data import page_data
from evalkit.report_page.verdict_block import facts_block, stamp_block, verdict_block, verdict_kind, verdict_word
from evalkit.reporting.figure_deltas import Earlier
from evalkit.reporting.figure_nouns import RunFigures
from evalkit.reporting.finished import FinishedRun
from evalkit.review import Label
from evalkit.sheets.html import PAGE as SHEET_PAGE
from evalkit.sheets.html import policy_hash

PAGE = Path(__file__).parent / "page"
_OWN = ("texts", "diff", "trials", "filters", "facets", "list", "trial", "compare", "keys", "paper", "page")
STYLES = ("page", "trials", "screens")
SCRIPTS = (SHEET_PAGE / "text.js", *(PAGE / f"{name}.js" for name in _OWN))


def report_html(
    run: FinishedRun,
    *,
    figures: RunFigures,
    plots: Sequence[Plot] | None = (),
    baseline: Earlier | None = None,
    labels: Iterable[Label] = (),
) -> bytes:
    """The whole report of a run, the same bytes for the same run.

    ``plots`` is None where none was drawn. ``baseline`` is the run that answers are compared with, ``labels`` are all
    that people said of the run's texts.

    Scripts and style are allowed by their hash and nothing else is, so no text of a trial can run or load anything.
    Verdict, tables and plots stand in the file as they are shown.
    """
    summary = run.summary
    style = "\n".join((PLOT_CSS, *(_read(PAGE / f"{name}.css") for name in STYLES)))
    script, theme = "\n".join(_read(file) for file in SCRIPTS), _read(PAGE / "theme.js")
    suites = ", ".join(dict.fromkeys(record.suite for record in summary.records))
    heading = " · ".join(part for part in (f"Run {summary.run.run_id}", suites) if part)
    before, since = (None, None) if baseline is None else (baseline.run, baseline.since)
    places = {
        "TITLE": attribute(f"{verdict_word(run)} {summary.run.run_id} · evalkit"),
        "THEME_HASH": policy_hash(theme), "SCRIPT_HASH": policy_hash(script), "STYLE_HASH": policy_hash(style),
        "STYLE": style, "THEME": theme, "SCRIPT": script, "VERSION": attribute(__version__),
        "RUN": shown(summary.run.run_id), "HEADING": shown(heading), "COUNT": f"{len(summary.records):,}",
        "WORD": verdict_word(run), "KIND": verdict_kind(run), "STAMP": stamp_block(run),
        "VERDICT": verdict_block(run, figures), "PLOTS": plot_blocks(plots, summary.run.run_id),
        "TABLES": table_blocks(figures, reviewed=run.reviewed, since=since),
        "FACTS": facts_block(summary), "DATA": packed(page_data(run, baseline=before, labels=labels)),
    }  # fmt: skip
    return filled(_read(PAGE / "page.html"), places).encode()


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8")
