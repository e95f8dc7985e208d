"""The tables of a run as GitHub markdown, for the pull request and for the model card."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tabulate import tabulate

from evalkit.calibration import WITHOUT_LABELS
from evalkit.comparing import words_of
from evalkit.comparing.sentences import figure, interval, p_words, signed
from evalkit.reporting.figure_nouns import Delta, FigureRow, JudgeRow, RunFigures, SuiteRow
from evalkit.reporting.layout import Column
from evalkit.reporting.review_words import counted_words, rate_words
from evalkit.reporting.safe_text import for_markdown
from evalkit.reporting.tables import share_words
from evalkit.reviewing import RateRow

HASH_CHARS = 12
TELLING = ("fabrications", "over_refusals")
"""Shares that mean something only where a judge says of what kind failures are."""
SHARES = (
    ("passes", "passed"), ("collapses", "collapsed"), ("fabrications", "fabricated"),
    ("over_refusals", "over-refused"), ("unscoreds", "unscored"),
)  # fmt: skip


def table(label_header: str, labels: Sequence[str], columns: Sequence[Column]) -> str:
    """A table with figures at the right; ``labels`` are made harmless here, cells must be already."""
    return tabulate(
        list(zip([for_markdown(label) for label in labels], *(column.cells for column in columns), strict=True)),
        headers=[label_header, *(column.header for column in columns)], tablefmt="pipe", disable_numparse=True,
        colalign=["left", *("right" for _ in columns)],
    )  # fmt: skip


def text_table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of words; every cell must be harmless already."""
    return tabulate(list(rows), headers=list(headers), tablefmt="pipe", disable_numparse=True)


def shown_shares(figures: RunFigures) -> tuple[tuple[str, str], ...]:
    """The shares that this run's tables show, by field and in words."""
    return tuple(pair for pair in SHARES if figures.tells_failures or pair[0] not in TELLING)


def rates_table(figures: RunFigures, rows: Sequence[FigureRow]) -> str:
    """All rates of these rows with their counts and 95 % intervals."""
    columns = [
        Column(words, tuple(share_words(getattr(row, name)) for row in rows)) for name, words in shown_shares(figures)
    ]
    if any(row.errors.part for row in rows):
        columns.append(Column("errors", tuple(share_words(row.errors) for row in rows)))
    return table("of", [row_name(row) for row in rows], columns)


def row_name(row: FigureRow) -> str:
    """``demo:fp32:naked:greedy, CONTROL``; the whole target by its bare label."""
    part = row.category or row.suite
    return f"{row.target}, {part}" if part else row.target or "the whole run"


def reviewed_table(rows: Sequence[RateRow]) -> str:
    """The automated rate beside the reviewed and the corrected one, each with its interval."""
    columns = [
        Column("automated", tuple(counted_words(row.rates.automated) for row in rows)),
        Column("reviewed", tuple(counted_words(row.rates.reviewed) for row in rows)),
        Column("corrected", tuple(rate_words(row.rates.corrected) for row in rows)),
        Column("read", tuple(f"{row.rates.reviewed_n}/{row.rates.n}" for row in rows)),
    ]
    names = [", ".join(part for part in (row.target or "all targets", row.category) if part) for row in rows]
    return table("of", names, columns)


def delta_table(deltas: Sequence[Delta]) -> str:
    """Each pair of targets: before, after, the paired change with its interval, and what that comes to."""
    shown = [(delta, delta.shown) for delta in deltas]
    columns = [
        Column("pairs", tuple(str(found.pairs) for _, found in shown)),
        Column("before", tuple(_figure(delta, found.before) for delta, found in shown)),
        Column("after", tuple(_figure(delta, found.after) for delta, found in shown)),
        Column("change", tuple("-" if f.delta is None else signed(d.metric, f.delta) for d, f in shown)),
        Column("95 %", tuple(_ends(delta) for delta, _ in shown)),
        Column("p", tuple("-" if f.p is None else p_words(f.p).removeprefix("p ") for _, f in shown)),
        Column("verdict", tuple(delta.comparison.verdict for delta in deltas)),
    ]
    return table("comparison", [delta_name(delta) for delta in deltas], columns)


def delta_name(delta: Delta) -> str:
    """``pass rate: a → b``; the label alone where both sides are the same target."""
    sides = delta.after if delta.before == delta.after else f"{delta.before} → {delta.after}"
    return f"{words_of(delta.metric)}: {sides}"


def judge_table(judges: Sequence[JudgeRow]) -> str:
    """The judges by name, version and hash; whether people ever checked this very one."""
    rows = [
        (
            for_markdown(row.judge), for_markdown(row.version), row.judge_hash[:HASH_CHARS] or "unknown",
            "decides" if row.required else "a column", str(row.verdicts),
            f"{row.passed} / {row.failed} / {row.unscored}", for_markdown(", ".join(row.models)),
            "not needed" if row.judge in WITHOUT_LABELS else "yes" if row.is_calibrated else "no",
        )
        for row in judges
    ]  # fmt: skip
    headers = ("judge", "version", "hash", "its part", "verdicts", "pass / fail / unscored", "asks", "calibrated")
    return text_table(headers, rows)


def suite_table(asked: Sequence[SuiteRow]) -> str:
    """The suites by the digest of what was asked of them."""
    rows = [(for_markdown(row.suite), str(row.probes), str(row.trials), row.digest[:HASH_CHARS]) for row in asked]
    return text_table(("suite", "probes", "trials", "digest"), rows)


def _figure(delta: Delta, value: float | None) -> str:
    return "-" if value is None else figure(delta.metric, value)


def _ends(delta: Delta) -> str:
    low, high = delta.shown.low, delta.shown.high
    return "-" if low is None or high is None else interval(delta.metric, low, high)
