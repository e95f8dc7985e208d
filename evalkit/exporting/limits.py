"""What the figures of a run cannot say, in sentences for a model card."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from evalkit.calibration import WITHOUT_LABELS
from evalkit.comparing.bases import REFERENCE
from evalkit.reporting.figure_nouns import FigureRow, RunFigures
from evalkit.reporting.finished import FinishedRun
from evalkit.reporting.phrases import counted
from evalkit.reporting.summary import DEMO_STAMP
from evalkit.reporting.tables import bounds_words
from evalkit.stats import percent

FEW = 30
"""Scored trials below which a category's rate is named as resting on few."""


def limitations(run: FinishedRun, figures: RunFigures) -> list[str]:
    """What a reader must know before quoting a number, the gravest first."""
    said = [
        *([f"{DEMO_STAMP}. Do not publish this section."] if run.summary.run.is_demo else []),
        *_judging(run, figures),
        *_widths(subjects(figures)),
        *_few(figures),
        *_holes(subjects(figures)),
        *_refusals(figures),
        *_sampling(run, figures),
    ]
    names = ", ".join(f"{row.suite} ({counted(row.probes, 'probe')})" for row in figures.asked)
    return [*said, f"The rates are about the probes of {names}. They say nothing about other questions."]


def subjects(figures: RunFigures) -> tuple[FigureRow, ...]:
    """The targets that are measured; the ones that are expected to misbehave only where there are no others."""
    found = tuple(row for row in figures.targets if row.role != REFERENCE)
    return found or figures.targets


def _judging(run: FinishedRun, figures: RunFigures) -> Iterator[str]:
    """Who decided, and whether people ever checked them."""
    required = [row for row in figures.judges if row.required and row.judge not in WITHOUT_LABELS]
    unchecked = sorted({row.judge for row in required if not row.is_calibrated})
    if unchecked:
        yield f"Nobody measured how often these judges are right, as they are here: {', '.join(unchecked)}."
    asking = sorted({f"{row.judge} (asks {', '.join(row.models)})" for row in required if row.models})
    if asking:
        yield f"Language models decide part of the verdicts: {'; '.join(asking)}."
    third = sorted({row.judge for row in figures.trust if row.is_third_party})
    if third:
        yield f"The labels behind these judges' figures are of stored answers of other models: {', '.join(third)}."
    if run.reviewed is None:
        yield "No person has read an answer of this run: the automated rates stand uncorrected."
    else:
        read, answers = run.reviewed.labelled, run.reviewed.answers
        yield f"People have read {read} of {answers} answers ({percent(read / answers)})."
        for rate in run.reviewed.rows:
            if rate.rates.why_not:
                where = ", ".join(part for part in (rate.target or "all targets", rate.category) if part)
                yield f"{where}: no corrected rate, {rate.rates.why_not}."


def _widths(targets: Iterable[FigureRow]) -> Iterator[str]:
    for row in targets:
        if row.scored:
            half = 50 * (row.passes.high - row.passes.low)
            yield (
                f"{row.target}: the pass rate of {counted(row.scored, 'scored trial')} is known to about ±{half:.1f} "
                f"points (95 %: {bounds_words(row.passes.low, row.passes.high)} %)"
                f"{_families(row)}."
            )


def _families(row: FigureRow) -> str:
    return f", which come from {row.passes.families} families" if row.passes.has_families else ""


def _few(figures: RunFigures) -> Iterator[str]:
    least: dict[str, int] = {}
    for target in subjects(figures):
        for row in figures.categories(target.target):
            if row.category is not None and row.scored < FEW:
                least[row.category] = min(row.scored, least.get(row.category, FEW))
    if least:
        names = ", ".join(f"{name} ({scored})" for name, scored in least.items())
        yield f"Categories that rest on fewer than {FEW} scored trials of a target (the least of any): {names}."


def _holes(targets: Iterable[FigureRow]) -> Iterator[str]:
    for row in targets:
        if row.unscoreds.part:
            failed, passed = row.if_unscored_failed or 0.0, row.if_unscored_passed or 0.0
            yield (
                f"{row.target}: not scored: {row.unscoreds.part} of {counted(row.answered, 'answer')}; the pass rate "
                f"is {percent(failed)} if all of them failed and {percent(passed)} if all passed."
            )
        if row.errors.part:
            yield f"{row.target}: in no rate, because of an error: {row.errors.part} of {counted(row.n, 'trial')}."
        if row.cut:
            yield f"{row.target}: cut at the token limit and judged so: {counted(row.cut, 'answer')}."


def _refusals(figures: RunFigures) -> Iterator[str]:
    if not figures.tells_failures:
        yield (
            "No judge of this run says of what kind failures are: fabrication and over-refusal were not looked for, "
            "and a high pass rate may hide either."
        )
        return
    for row in subjects(figures):
        if row.answered:
            share = row.over_refusals
            yield (
                f"{row.target}: over-refusal was looked for in {counted(share.whole, 'answer')} and found in "
                f"{share.part}; up to {percent(share.high)} is possible at 95 %."
            )


def _sampling(run: FinishedRun, figures: RunFigures) -> Iterator[str]:
    records = run.summary.records
    sampled = [record for record in records if not record.target.endswith(":greedy")]
    if sampled and all(record.sample == 0 for record in sampled):
        yield "Each probe was sampled once: how much answers vary from draw to draw was not measured."
    languages = sorted({record.language for record in records if record.language})
    if languages:
        yield f"The probes that name a language are in: {', '.join(languages)}."
    stored = figures.total.stored
    if stored:
        yield f"Answered from the store, by earlier generations: {stored} of {counted(figures.total.n, 'trial')}."
