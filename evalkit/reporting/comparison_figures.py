"""The two sides of a comparison in figures: their means, how they spread, how long the answers are."""

from __future__ import annotations

from collections.abc import Sequence

from evalkit.comparing import Comparison, Metric, words_of
from evalkit.comparing.figures import Figures, figures_of
from evalkit.comparing.sentences import MINUS, figure, p_words
from evalkit.reporting.layout import Column, figures_width, folded, table
from evalkit.reporting.phrases import counted

LABELS = ("before", "after")


def overall_lines(shown: Comparison, width: int) -> list[str]:
    """One row a side and how the change was decided; a table for lengths apart where one is too wide."""
    clusters = [change.pair.cluster for change in shown.changes]
    before = figures_of((change.pair.before for change in shown.changes), clusters, shown.metric, shown.judge)
    after = figures_of((change.pair.after for change in shown.changes), clusters, shown.metric, shown.judge)
    values, lengths = _value_columns(shown.metric, (before, after)), _length_columns((before, after))
    tables = [[*values, *lengths]]
    if figures_width(tables[0]) + max(map(len, LABELS)) > width:
        tables = [values, lengths]
    lines = [line for columns in tables for line in table("side", LABELS, columns, width)]
    return [*lines, *folded(_method(shown), width)]


def number(value: float | None, digits: int) -> str:
    """A plain number; ``-`` for none."""
    return "-" if value is None else f"{value:.{digits}f}".replace("-", MINUS)


def _value_columns(metric: Metric, sides: Sequence[Figures]) -> list[Column]:
    columns = [Column("probes", tuple(str(item.probes) for item in sides))]
    if any(item.trials != item.probes for item in sides):
        columns.append(Column("trials", tuple(str(item.trials) for item in sides)))
    columns += [
        Column(words_of(metric), tuple(figure(metric, item.mean) for item in sides)),
        Column("95 %", tuple(_interval(metric, item) for item in sides)),
    ]
    if metric == "mean_score":
        columns.append(Column("median", tuple(number(item.median, 2) for item in sides)))
        columns.append(Column("sd", tuple(number(item.sd, 2) for item in sides)))
    return columns


def _length_columns(sides: Sequence[Figures]) -> list[Column]:
    return [
        Column("words", tuple(number(item.words, 0) for item in sides)),
        Column("r(words)", tuple(number(item.length_r, 2) for item in sides)),
        Column("cut", tuple("-" if item.cut is None else f"{100 * item.cut:.1f} %" for item in sides)),
    ]


def _interval(metric: Metric, item: Figures) -> str:
    """A side's own interval has no signs: ``88.3–94.6``."""
    if item.interval is None:
        return "-"
    low, high = item.interval.low, item.interval.high
    return f"{number(low, 2)}–{number(high, 2)}" if metric == "mean_score" else f"{100 * low:.1f}–{100 * high:.1f}"


def _method(shown: Comparison) -> str:
    assert shown.p is not None
    independence = "" if shown.mcnemar_p is None else f"; exact McNemar {p_words(shown.mcnemar_p)} assumes independence"
    counts = f"{counted(shown.pairs, 'probe')} in {counted(shown.clusters, 'cluster')}"
    return f"{counts}; {shown.method}, {p_words(shown.p)}{independence}"
