"""The figures of a run as tables: targets, categories under every target and condition, scores, differences, judges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from evalkit.comparing.bases import REFERENCE
from evalkit.comparing.metrics import words_of
from evalkit.report_page.embedding import shown
from evalkit.report_page.reviewed_block import reviewed_block
from evalkit.report_page.table_markup import Cell, bounded_cell, incident_cell, rate_cell, table, words
from evalkit.reporting.figure_nouns import Delta, FigureRow, RunFigures, TrustRow
from evalkit.reporting.tables import distinguishing
from evalkit.reviewing import ReviewedRates
from evalkit.stats import percent

ALL = "all"
INCIDENTS: Mapping[str, Mapping[str, str]] = {
    "collapsed": {"flag": "collapsed"}, "fabricated": {"flag": "fabricated"}, "over-refused": {"kind": "over refusal"},
    "unscored": {"outcome": "unscored"}, "errors": {"outcome": "error"},
}  # fmt: skip
"""What may go wrong, and the filter of the page that leaves such trials."""
_MOST_OPEN = 1
_MOST_DRAWN = 6
"""Targets side by side whose intervals are drawn; of more there are the figures alone."""
_CAPTIONS = {
    "same": "Paired differences since the earlier run",
    "both": "Paired differences over the probes that both targets answered",
}
_UNMEASURED = (
    '<p class="quiet">Nobody has measured these judges on labels yet: <code>evalkit review</code> draws a queue for '
    "people, <code>evalkit calibrate --labels RUN --judge NAME</code> measures.</p>"
)


def table_blocks(
    figures: RunFigures, *, reviewed: ReviewedRates | None = None, since: tuple[str, Sequence[Delta]] | None = None
) -> str:
    """Every table, each under its heading; ``since`` is the name of an earlier run and what changed."""
    name, changes = since or ("", ())
    blocks = (
        ("Targets", _targets(figures)), (f"Changes since {shown(name)}", _deltas(changes, "same")),
        ("As judged and as people say", reviewed_block(reviewed)), ("Pass rate by category", _matrix(figures)),
        ("Every figure of every target", _categories(figures)), ("Suites", _suites(figures)),
        ("Scores", _scores(figures)), ("Paired differences between targets", _deltas(figures.deltas, "both")),
        ("Judges", _judges(figures)),
    )  # fmt: skip
    return "".join(f'<div class="block"><h3>{name}</h3>{markup}</div>' for name, markup in blocks if markup)


def _targets(figures: RunFigures) -> str:
    rows = [(f"{row.target} (reference)" if row.role == REFERENCE else row.target, row) for row in figures.targets]
    return _figure_table("Every target over all categories", rows, figures)


def _matrix(figures: RunFigures) -> str:
    """Categories by target, targets of one model side by side under their conditions."""
    targets, names = figures.targets, list(dict.fromkeys(row.category for row in figures.rows if row.category))
    if len(targets) < 2 or not names:
        return ""
    short, shared = distinguishing([row.target for row in targets])
    found = {(row.target, row.category): row for row in figures.rows}
    rows = [
        (name or ALL, [_pass_cell(found.get((target.target, name))) for target in targets]) for name in (*names, None)
    ]
    note = f'<p class="quiet">All targets are {shown(shared)}.</p>' if shared else ""
    kind = "matrix dense" if len(targets) > _MOST_DRAWN else "matrix"
    header = ["category", *(short[row.target] for row in targets)]
    return table("Pass rates with 95 % intervals", header, rows, total=ALL, kind=kind) + note


def _categories(figures: RunFigures) -> str:
    targets = figures.targets
    opened = " open" if len(targets) <= _MOST_OPEN else ""
    blocks = []
    for target in targets:
        rows = [(row.category or ALL, row) for row in (*figures.categories(target.target), target)]
        blocks.append(
            f"<details{opened}><summary><strong>{shown(target.target)}</strong> "
            f'<span class="role">{shown(target.role)}</span> {percent(target.passes.rate)} of {target.scored} pass'
            f"</summary>{_figure_table(target.target, rows, figures, first='category')}{_weights(target)}</details>"
        )
    return "".join(blocks)


def _weights(target: FigureRow) -> str:
    """What the rates leave open."""
    notes = []
    if target.unscoreds.part:
        low, high = percent(target.if_unscored_failed), percent(target.if_unscored_passed)
        notes.append(f"If all unscored had failed the rate would be {low}, had all passed {high}.")
    if target.cut:
        notes.append(f"Answers cut at max_new_tokens: {target.cut}.")
    if target.words is not None:
        notes.append(f"The last answers are {target.words:.0f} words long on average.")
    return f'<p class="quiet">{shown(" ".join(notes))}</p>' if notes else ""


def _suites(figures: RunFigures) -> str:
    rows = [(f"{row.suite}: {row.target}", row) for row in figures.suites]
    return _figure_table("Every suite on every target", rows, figures, first="suite and target") if rows else ""


def _figure_table(
    caption: str, rows: Sequence[tuple[str, FigureRow]], figures: RunFigures, *, first: str = "target"
) -> str:
    trust = {(row.target, row.category): row for row in figures.trust}
    has_errors, has_trust = bool(figures.total.errors.part), bool(trust)
    has_corrected = any(row.corrected is not None for row in figures.trust)
    header = [first, "n", "pass, 95 %", *(name for name in INCIDENTS if has_errors or name != "errors")]
    header += ["judge right"] * has_trust + ["pass, corrected"] * has_corrected
    made = []
    for label, row in rows:
        own = None if row.suite else trust.get((row.target, row.category))
        where = {"target": row.target, "category": row.category, "suite": row.suite}
        shares = (row.collapses, row.fabrications, row.over_refusals, row.unscoreds, row.errors)
        cells = [words(row.n), rate_cell(row.passes, **where)]
        cells += [
            incident_cell(share, **where, **chosen)
            for share, (name, chosen) in zip(shares, INCIDENTS.items(), strict=True)
            if has_errors or name != "errors"
        ]
        cells += [_trusted(own)] * has_trust + [_corrected(own)] * has_corrected
        made.append((label, cells))
    return table(caption, header, made, total=ALL)


def _pass_cell(row: FigureRow | None) -> Cell:
    if row is None:
        return words("–", is_quiet=True)
    return rate_cell(row.passes, target=row.target, category=row.category)


def _trusted(row: TrustRow | None) -> Cell:
    if row is None:
        return words("–", is_quiet=True)
    rate, low, high = row.accuracy
    return Cell(
        f'<span class="rate">{percent(rate)}</span> <span class="counts">of {row.labels}</span>'
        f'<span class="bounds">{100 * low:.1f}–{100 * high:.1f}</span>'
    )


def _corrected(row: TrustRow | None) -> Cell:
    if row is None or row.corrected is None:
        return words("–" if row is None else row.why_not, is_quiet=True)
    found = row.corrected
    return bounded_cell((found.rate, found.interval.low, found.interval.high))


def _scores(figures: RunFigures) -> str:
    rows = []
    for row in figures.scores:
        bounds = "" if row.low is None or row.high is None else f"{row.low:.2f}–{row.high:.2f}"
        mean = Cell(f'<span class="rate">{row.mean:.2f}</span><span class="bounds">{bounds}</span>')
        sd = words("–" if row.sd is None else f"{row.sd:.2f}")
        name = f"{row.target}, {row.category or ALL}"
        rows.append((name, [words(f"{row.suite}, {row.judge}"), words(row.n), mean, sd, words(f"{row.median:.2f}")]))
    header = ["target, category", "suite, judge", "n", "mean, 95 %", "sd", "median"]
    return table("Scores by judge", header, rows, kind="texts") if rows else ""


def _deltas(deltas: Sequence[Delta], which: Literal["same", "both"]) -> str:
    rows = []
    for delta in deltas:
        found = delta.shown
        flips = words(f"{found.better} / {found.worse}")
        cells = [_verdict(delta), _sides(delta), _change(delta), flips, words(found.pairs)]
        sides = delta.after if delta.before == delta.after else f"{delta.before} → {delta.after}"
        rows.append((f"{words_of(delta.metric)}, {sides}", cells))
    header = ["metric and targets", "verdict", "before → after", "difference, 95 %", "better / worse", "pairs"]
    return table(_CAPTIONS[which], header, rows, kind="texts") if rows else ""


def _sides(delta: Delta) -> Cell:
    before, after = delta.shown.before, delta.shown.after
    if before is None or after is None:
        return words("–", is_quiet=True)
    return words(f"{percent(before)} → {percent(after)}" if _is_rate(delta) else f"{before:.2f} → {after:.2f}")


def _verdict(delta: Delta) -> Cell:
    word = delta.comparison.verdict
    kind = {"IMPROVED": "good", "HELD": "good", "REGRESSED": "bad"}.get(word, "none")
    return Cell(f'<span class="verdict-word {kind}">{shown(word)}</span>')


def _change(delta: Delta) -> Cell:
    found, is_rate = delta.shown, _is_rate(delta)
    if found.delta is None:
        return words("–", is_quiet=True)
    has_bounds = found.low is not None and found.high is not None
    bounds = f"{_signed(found.low, is_rate)} to {_signed(found.high, is_rate)}" if has_bounds else ""
    change = f"{_signed(found.delta, is_rate)}{' points' if is_rate else ''}"
    return Cell(f'<span class="rate">{change}</span><span class="bounds">{bounds}</span>')


def _signed(value: float | None, is_rate: bool) -> str:
    """``−12.8`` points of a rate, ``+0.25`` of a score."""
    text = f"{100 * (value or 0.0):+.1f}" if is_rate else f"{value or 0.0:+.2f}"
    return text.lstrip("+-") if float(text) == 0 else text.replace("-", "−")


def _is_rate(delta: Delta) -> bool:
    return delta.metric.endswith("_rate")


def _judges(figures: RunFigures) -> str:
    trust: dict[str, TrustRow] = {}
    for row in figures.trust:
        if row.category is None:
            trust.setdefault(row.judge_hash, row)
    rows = []
    for judge in figures.judges:
        own = trust.get(judge.judge_hash)
        optional = "" if judge.required else ", optional"
        counts = f"{judge.passed} / {judge.failed} / {judge.unscored}"
        cells = [words(judge.verdicts), words(counts), _trusted(own)]
        cells += [bounded_cell(own.sensitivity if own else None), bounded_cell(own.specificity if own else None)]
        cells.append(words("–" if own is None or own.kappa is None else f"{own.kappa:.2f}", is_quiet=own is None))
        rows.append((f"{judge.judge} {judge.version}{optional}", cells))
    header = ["judge, version", "verdicts", "pass / fail / unscored", "right, say people", "finds right", "finds wrong"]
    return table("Judges of this run", [*header, "kappa"], rows) + ("" if trust else _UNMEASURED) if rows else ""
