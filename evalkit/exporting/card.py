"""A run as a section of a model card: results, how they were checked, what they cannot say, what they rest on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evalkit.comparing.bases import REFERENCE
from evalkit.exporting.hub import hub_metadata
from evalkit.exporting.limits import limitations, subjects
from evalkit.reporting.figure_nouns import FigureRow, RunFigures, TrustRow
from evalkit.reporting.finished import FinishedRun
from evalkit.reporting.layout import Column
from evalkit.reporting.markdown import items, labels_sentence
from evalkit.reporting.markdown_tables import delta_table, judge_table, row_name, shown_shares, suite_table, table
from evalkit.reporting.phrases import counted
from evalkit.reporting.review_words import counted_words, rate_words
from evalkit.reporting.run_words import started_words
from evalkit.reporting.safe_text import for_markdown
from evalkit.reporting.summary import DEMO_STAMP
from evalkit.reporting.tables import bounds_words, share_words
from evalkit.reviewing import CorrectedRates
from evalkit.stats import percent

NOT_REVIEWED = "not reviewed"
SURVEY = "survey: "
"""How notes begin that quote answers, which is not what a model card is for."""


def card_markdown(run: FinishedRun, figures: RunFigures) -> str:
    """The hub's metadata as front matter, then the section; a demo run has no metadata, and says so first and last."""
    is_demo = run.summary.run.is_demo
    stamp = [f"**{DEMO_STAMP}**"] if is_demo else []
    blocks = [
        *([] if is_demo else [hub_metadata(run, figures)]),
        "## Evaluation",
        *stamp,
        _opening(run, figures),
        "### Results",
        *_results(run, figures),
        _legend(figures),
        *_changes(figures),
        *_checked(run, figures),
        "### Limitations",
        items(limitations(run, figures)),
        "### Provenance",
        items(_provenance(run)),
        judge_table(figures.judges),
        suite_table(figures.asked),
        *stamp,
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _opening(run: FinishedRun, figures: RunFigures) -> str:
    asked = ", ".join(row.suite for row in figures.asked)
    what = f"{counted(figures.total.n, 'trial')} of {counted(len(figures.targets), 'target')} on {asked}"
    return for_markdown(f"Measured with evalkit on {started_words(run.summary.run.started_at)[:10]}: {what}.")


def _results(run: FinishedRun, figures: RunFigures) -> Iterator[str]:
    """Every target, then the suites and each subject's categories: automated, manual, corrected, what they hide."""
    yield _rates(run, figures, "target", [(_with_role(row), row) for row in figures.targets])
    if figures.suites:
        yield _rates(run, figures, "target and suite", [(row_name(row), row) for row in figures.suites])
    for target in subjects(figures):
        rows = figures.categories(target.target)
        if len(rows) > 1:
            yield f"**{for_markdown(target.target)}**, by category:"
            yield _rates(run, figures, "category", [(row.category or "", row) for row in rows])


def _rates(run: FinishedRun, figures: RunFigures, header: str, rows: Sequence[tuple[str, FigureRow]]) -> str:
    reviewed = [_reviewed(run, row) for _, row in rows]
    by_calibration = [_calibrated(figures, row) for _, row in rows]
    columns = [
        Column("automated", tuple(share_words(row.passes) for _, row in rows)),
        Column("manual", tuple(NOT_REVIEWED if one is None else counted_words(one.reviewed) for one in reviewed)),
        Column(
            "corrected",
            tuple(
                known or "-" if one is None else rate_words(one.corrected)
                for one, known in zip(reviewed, by_calibration, strict=True)
            ),
        ),
        *(
            Column(words, tuple(share_words(getattr(row, name)) for _, row in rows))
            for name, words in shown_shares(figures)
            if name != "passes"
        ),
    ]
    return table(header, [name for name, _ in rows], columns)


def _with_role(row: FigureRow) -> str:
    return f"{row.target} (reference)" if row.role == REFERENCE else row.target


def _legend(figures: RunFigures) -> str:
    family = any(row.passes.has_families for row in figures.rows)
    how = "Wilson's, or for families of probes one that respects them" if family else "Wilson's"
    return (
        f"Counts, rates and 95 % intervals ({how}), in percent. *automated*: the judges' verdicts over scored trials. "
        "*manual*: people's labels in place of the verdicts they read. *corrected*: what a person would say of all "
        "answers, reckoned from the labels. All other columns divide by the trials that were answered."
    )


def _reviewed(run: FinishedRun, row: FigureRow) -> CorrectedRates | None:
    if run.reviewed is None or row.suite is not None:
        return None
    return run.reviewed.of(row.target, row.category)


def _calibrated(figures: RunFigures, row: FigureRow) -> str:
    """The rate corrected by the judge's calibration; nothing where there is none."""
    if row.suite is not None:
        return ""
    trust = next((one for one in figures.trust if (one.target, one.category) == (row.target, row.category)), None)
    if trust is None or trust.corrected is None:
        return ""
    found = trust.corrected
    return f"{percent(found.rate)} ({bounds_words(found.interval.low, found.interval.high)})"


def _changes(figures: RunFigures) -> list[str]:
    return ["### Differences, probe by probe", delta_table(figures.deltas)] if figures.deltas else []


def _checked(run: FinishedRun, figures: RunFigures) -> list[str]:
    """What is known of how far the judges can be trusted."""
    blocks = [_trust_table(figures.trust)] if figures.trust else []
    if run.reviewed is not None:
        blocks.append(for_markdown(f"{labels_sentence(run.reviewed)}."))
    return ["### How far the judges can be trusted", *blocks] if blocks else []


def _trust_table(rows: Sequence[TrustRow]) -> str:
    """One row a judge and category, whatever the targets that it judged."""

    def bounded(found: tuple[float, float, float] | None) -> str:
        return "-" if found is None else f"{percent(found[0])} ({bounds_words(found[1], found[2])})"

    blind = {True: "blind", False: "not blind", None: "unsaid"}
    own = {(row.judge, row.judge_hash, row.suite, row.category): row for row in rows}
    kept = sorted(own.values(), key=lambda row: (row.judge, row.suite, row.category is None, row.category or ""))
    columns = [
        Column("labels", tuple(f"{row.labels}, {blind[row.blind]}" for row in kept)),
        Column("agrees", tuple(bounded(row.accuracy) for row in kept)),
        Column("passes what is right", tuple(bounded(row.sensitivity) for row in kept)),
        Column("fails what is wrong", tuple(bounded(row.specificity) for row in kept)),
        Column("kappa", tuple("-" if row.kappa is None else f"{row.kappa:.2f}" for row in kept)),
    ]
    return table("judge on", [f"{row.judge}: {row.category or row.suite}" for row in kept], columns)


def _provenance(run: FinishedRun) -> list[str]:
    facts = run.summary.run
    known = [
        ("run", facts.run_id),
        ("started", started_words(facts.started_at)),
        ("evalkit", facts.evalkit),
        *facts.provenance,
        *(("sample", plan) for plan in facts.plans),
        *(("adapter", footer) for footer in facts.footers),
        *(("note", note) for note in facts.notes if not note.startswith(SURVEY)),
        ("noise", facts.noise),
        ("command", facts.command),
    ]
    return [f"{name}: {value}" for name, value in known if value]
