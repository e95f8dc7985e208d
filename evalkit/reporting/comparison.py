"""A comparison as text: its figures, its categories, what flipped, and what a reader must know."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evalkit.comparing import Comparison, Metric, Pair, words_of
from evalkit.comparing.comparison import Change
from evalkit.comparing.figures import figures_of
from evalkit.comparing.flips import FlipMatrix, state_of
from evalkit.comparing.interaction import Interaction
from evalkit.comparing.many import Against, Grouping, Part, parts_of
from evalkit.comparing.sentences import figure, interval, p_words, signed
from evalkit.reporting.comparison_figures import number, overall_lines
from evalkit.reporting.layout import Column, folded, table
from evalkit.reporting.phrases import counted
from evalkit.reporting.safe_text import for_terminal
from evalkit.reporting.tables import distinguishing

MAX_LISTED = 20
INDENT = 2
Lines = list[str]


def comparison_lines(found: Comparison, matrix: FlipMatrix | None, *, by: Grouping, width: int) -> Lines:
    """Everything behind a verdict, in sections with a blank line between; the verdict itself is not among them."""
    shown = found.shown
    sections = [_still_section(found, width)]
    if shown.changes:
        sections += [
            overall_lines(shown, width),
            _parts_section(shown, by, width),
            _matrix_section(matrix, width),
            *_extremes_sections(shown, width),
            _changes_section(shown, "worse", [item for item in shown.changes if item.gain < 0], width),
            _changes_section(shown, "better", [item for item in reversed(shown.changes) if item.gain > 0], width),
        ]
    sections.append(note_lines(found.notes, width))
    return joined(sections)


def against_lines(found: Sequence[Against], names: Sequence[str], width: int) -> Lines:
    """One table of several sides, each against the first; ``names`` are theirs, the first one's included."""
    shown = [item.comparison.shown for item in found]
    metric = shown[0].metric
    columns = [
        Column("verdict", tuple(item.comparison.verdict for item in found)),
        Column("pairs", tuple(str(item.pairs) for item in shown)),
        Column("first", tuple(figure(metric, item.before) for item in shown)),
        Column(_unit(metric), tuple(figure(metric, item.after) for item in shown)),
        Column("change", tuple(signed(metric, item.delta) for item in shown)),
        Column("95 %", tuple(_interval(metric, item.low, item.high) for item in shown)),
        Column("p Holm", tuple(_p(item.adjusted_p) for item in found)),
    ]
    labels, shared = _short(names)
    title = f"{words_of(metric)} against {labels[0]}, over the probes that each shares with it{shared}"
    legend = (
        f"p Holm is adjusted for {counted(len(found), 'comparison')}; the verdicts go by each one's own p and interval"
    )
    notes = [f"{item.comparison.after_name}: {note}" for item in found for note in item.comparison.notes]
    return joined(
        [
            [*folded(title, width), *table("side", labels[1:], columns, width), *folded(legend, width)],
            note_lines(notes, width),
        ]
    )


def interaction_lines(found: Interaction, names: Sequence[str], width: int) -> Lines:
    """The four means behind an interaction."""
    if found.means is None:
        return note_lines(found.notes, width)
    labels, shared = _short(names)
    places = ("neither", "one", "other", "both")
    columns = [
        Column("changes", places),
        Column(_unit(found.metric), tuple(figure(found.metric, value) for value in found.means)),
    ]
    method = (
        f"additive is one + other - neither; {counted(found.clusters, 'cluster')}, Student's interval, sign-flip test"
    )
    return joined(
        [
            [*table("side", labels, columns, width), *folded(f"{method}{shared}", width)],
            note_lines(found.notes, width),
        ]
    )


def joined(sections: Iterable[Lines]) -> Lines:
    """The sections that hold something, a blank line between them."""
    lines = [line for section in sections if section for line in (*section, "")]
    return lines[:-1]


def note_lines(notes: Iterable[str], width: int) -> Lines:
    """Sentences a reader must know, each from the margin, the rest indented."""
    return [line for note in notes for line in folded(for_terminal(note), width, INDENT)]


def _still_section(found: Comparison, width: int) -> Lines:
    if found.still is None:
        return []
    return folded(f"What can be compared, {counted(found.still.pairs, 'probe')}: {found.still.sentence}", width, INDENT)


def _parts_section(shown: Comparison, by: Grouping, width: int) -> Lines:
    """The categories, where there are several."""
    parts = parts_of(shown, by)
    if len(parts) < 2:
        return []
    metric = shown.metric
    columns = [
        Column("probes", tuple(str(part.pairs) for part in parts)),
        Column("before", tuple(figure(metric, part.before) for part in parts)),
        Column("after", tuple(figure(metric, part.after) for part in parts)),
        Column("change", tuple(signed(metric, part.delta) for part in parts)),
        Column("95 %", tuple(_interval(metric, part.low, part.high) for part in parts)),
        Column("p Holm", tuple(_p(part.adjusted_p) for part in parts)),
    ]
    if metric == "mean_score" and any(part.words != (None, None) for part in parts):
        columns.append(Column("words", tuple(_words_moved(part) for part in parts)))
    legend = f"p Holm is adjusted for {len(parts)} {PLURALS[by]}; a part decides nothing"
    return [*table(by, [for_terminal(part.name) for part in parts], columns, width), *folded(legend, width)]


def _matrix_section(matrix: FlipMatrix | None, width: int) -> Lines:
    if matrix is None or not matrix.states:
        return []
    states = matrix.states
    columns = [Column(f"→ {state}", tuple(str(matrix.count(row, state)) for row in states)) for state in states]
    return table("probes", list(states), columns, width)


def _extremes_sections(shown: Comparison, width: int) -> list[Lines]:
    """The worst and best scores of the side after."""
    if shown.metric != "mean_score":
        return []
    clusters = [change.pair.cluster for change in shown.changes]
    after = figures_of((change.pair.after for change in shown.changes), clusters, shown.metric, shown.judge)
    lines: Lines = []
    for word, probes in (("lowest", after.worst), ("highest", after.best)):
        named = ", ".join(f"{key[1]} {figure(shown.metric, value)}" for key, value in probes)
        lines += folded(f"{word} after: {for_terminal(named)}", width, INDENT)
    return [lines]


def _changes_section(shown: Comparison, word: str, changes: Sequence[Change], width: int) -> Lines:
    if not changes:
        return []
    lines = [f"{word}: {counted(len(changes), 'probe')}"]
    for change in changes[:MAX_LISTED]:
        first = change.pair.after.first
        where = f"{first.file}:{first.line} " if first.file else ""
        text = f"{where}{first.probe} ({first.category}) {_movement(shown, change)}"
        lines += [f"{' ' * INDENT}{line}" for line in folded(for_terminal(text), width - INDENT, INDENT)]
    if len(changes) > MAX_LISTED:
        lines.append(f"{' ' * INDENT}and {len(changes) - MAX_LISTED} more; --json has all of them")
    return lines


def _movement(shown: Comparison, change: Change) -> str:
    """``pass → fail: why``; shares where samples were averaged, scores without a reason."""
    moved = f"{figure(shown.metric, change.before)} → {figure(shown.metric, change.after)}"
    if shown.metric == "pass_rate" and not change.pair.is_averaged(shown.metric):
        moved = f"{state_of(change.pair.before)} → {state_of(change.pair.after)}"
    return moved if shown.metric == "mean_score" else f"{moved}{_reason(change.pair)}"


def _reason(pair: Pair) -> str:
    """Why the probe fails now, else why it failed before."""
    for word, unit in (("", pair.after), ("before: ", pair.before)):
        reason = next((trial.reason for trial in unit.trials if trial.outcome == "fail" and trial.reason), "")
        if reason:
            return f": {word}{reason}"
    return ""


PLURALS = {"category": "categories", "suite": "suites"}


def _unit(metric: Metric) -> str:
    return "mean" if metric == "mean_score" else "rate"


def _short(names: Sequence[str]) -> tuple[list[str], str]:
    """The names without what all targets share, and words for that."""
    short, shared = distinguishing(names)
    return [for_terminal(short[name]) for name in names], f"; all {for_terminal(shared)}" if shared else ""


def _interval(metric: Metric, low: float | None, high: float | None) -> str:
    return "-" if low is None or high is None else interval(metric, low, high)


def _words_moved(part: Part) -> str:
    return " → ".join(number(value, 0) for value in part.words)


def _p(value: float | None) -> str:
    return "-" if value is None else p_words(value).removeprefix("p ")
