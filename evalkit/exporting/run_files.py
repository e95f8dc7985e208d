"""The files of a run that are written at its end: for machines, for people who review, for a pull request."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from evalkit.plots import run_plots
from evalkit.report_page import report_html
from evalkit.reporting.exports import TrialTexts, results_jsonl, review_csv
from evalkit.reporting.figure_deltas import Earlier
from evalkit.reporting.figure_nouns import Delta, RunFigures
from evalkit.reporting.finished import FinishedRun
from evalkit.reporting.markdown import summary_markdown
from evalkit.reporting.run_words import MAX_PAGED, PAGE, has_page
from evalkit.reporting.safe_text import utf8_safe

MIN_PLOTTED = 30
"""Trials below which the end of a run draws no plots."""
_BUFFER_BYTES = 65_536


def write_run(folder: Path, run: FinishedRun, figures: RunFigures, before: Earlier | None = None) -> list[Path]:
    """Writes results.jsonl, summary.md and review.csv, each whole or not at all.

    summary.md says what changed since the run ``before``.

    Raises:
        OSError: one of them cannot be written.
    """
    summary = run.summary
    pairs = [(record, run.texts.get(record.trial, TrialTexts())) for record in summary.records]
    return [
        write_text(folder / "results.jsonl", results_jsonl(pairs, run=summary.run)),
        write_text(folder / "summary.md", [summary_markdown(run, figures, against=_changes(before))]),
        write_text(folder / "review.csv", review_csv(pairs, run=summary.run)),
    ]


def _changes(before: Earlier | None) -> tuple[str, Sequence[Delta]] | None:
    """What changed; nothing where the two cannot be compared: then the page, which compares them too, says why."""
    try:
        return None if before is None else before.since
    except Exception:
        return None


def write_page(
    folder: Path, run: FinishedRun, figures: RunFigures, *, is_whole: bool = True, before: Earlier | None = None
) -> str:
    """Writes report.html, unless the run is too large for that at its end; why there is none, or nothing.

    ``is_whole``: every trial that was planned was selected. Plots are drawn only then, and where there is enough to
    draw: loading the library that draws takes longer than trying one probe should. ``before`` is what answers are
    compared with. Whatever goes wrong is said: the other files are there, and a run is not to be lost for a picture.
    """
    if not has_page(run.summary):
        return ""
    try:
        is_drawn = is_whole and len(run.summary.records) >= MIN_PLOTTED
        plots = run_plots(figures) if is_drawn else None
        page = report_html(run, figures=figures, plots=plots, baseline=before, labels=run.labels)
        write_bytes(folder / PAGE, [page])
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        return f"{PAGE} could not be made ({why}). Try it again with: evalkit report {run.run_id}"
    return ""


def load_drawing(trials: int) -> None:
    """Imports the library that draws, where the end of a run of so many trials is going to need it."""
    if MIN_PLOTTED <= trials <= MAX_PAGED and find_spec("matplotlib") is not None:
        import_module("matplotlib.figure")
        import_module("matplotlib.backends.backend_svg")


def write_text(path: Path, parts: Iterable[str]) -> Path:
    """Writes these parts as UTF-8, whole or not at all; lone surrogates are replaced.

    Raises:
        OSError: it cannot be written.
    """
    return write_bytes(path, (utf8_safe(part).encode() for part in parts))


def write_bytes(path: Path, parts: Iterable[bytes]) -> Path:
    """Writes these parts, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("wb", _BUFFER_BYTES) as file:
            file.writelines(parts)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    return path
