"""How far judges agree with people, and which way they err."""

from __future__ import annotations

from collections.abc import Sequence

from evalkit.plots.canvas import Canvas
from evalkit.plots.captions import RATE_TICKS, bounds, counted, joined, percent
from evalkit.plots.legend import Entry, Legend
from evalkit.plots.lettering import visible
from evalkit.plots.plot import Plot
from evalkit.plots.rows import Axis, Frame, Mark, Row, draw_rows, height_of
from evalkit.reporting.figure_nouns import TrustRow

NAME = "trust"
TITLE = "Judges against people"
_AXIS = Axis(0.0, 1.0, RATE_TICKS)
_LEGEND = (
    Entry("agrees with people", "s1", "o"), Entry("passes wrong answers", "s2", "s"),
    Entry("fails right answers", "s4", "^", True),
)  # fmt: skip
Bounded = tuple[float, float, float] | None


def trust_plots(rows: Sequence[TrustRow]) -> tuple[Plot, ...]:
    """One plot of all judges that were measured against people's labels."""
    found = {(row.suite, row.judge, row.judge_hash, row.category): row for row in rows}
    known = list(found.values())
    if not known:
        return ()
    rows_drawn = [row for judged, own in _by_judge(known).items() for row in _rows(judged, own)]
    caption = _caption(known)
    drawn = {}
    for kind, frame, width in (
        ("wide", Frame(8, 200, 580, 714, 714), 720), ("narrow", Frame(8, 14, 236, 354, 354, is_stacked=True), 360),
    ):  # fmt: skip
        legend = Legend(_LEGEND, frame.left, width - 4)
        canvas = Canvas(width, legend.height + height_of(rows_drawn, frame, _AXIS))
        legend.draw(canvas, 0)
        draw_rows(canvas, legend.height, rows_drawn, frame, _AXIS)
        drawn[kind] = canvas.svg(name=f"{NAME}-{kind}", kind=kind, title=TITLE, description=caption)
    return (Plot(NAME, TITLE, caption, drawn["wide"], drawn["narrow"], _table(known)),)


def _by_judge(rows: Sequence[TrustRow]) -> dict[tuple[str, str, str], list[TrustRow]]:
    found: dict[tuple[str, str, str], list[TrustRow]] = {}
    for row in rows:
        found.setdefault((row.judge, row.suite, row.judge_hash), []).append(row)
    return found


def _rows(judged: tuple[str, str, str], rows: Sequence[TrustRow]) -> list[Row]:
    """The judge as a heading, its categories below, all of them last."""
    judge, suite, _ = judged
    ordered = sorted(rows, key=lambda row: row.category is None)
    return [Row(f"{visible(judge)} on {visible(suite)}"), *map(_row, ordered)]


def _row(row: TrustRow) -> Row:
    shares: tuple[tuple[str, Bounded], ...] = (
        ("agrees", row.accuracy), ("passes wrong", _missed(row.specificity)), ("fails right", _missed(row.sensitivity)),
    )  # fmt: skip
    marks = [_mark(words, share, entry) for (words, share), entry in zip(shares, _LEGEND, strict=True)]
    category = "all categories" if row.category is None else visible(row.category)
    return Row(f"{category}, n = {row.labels:,}", tuple(marks), row.category is None)


def _mark(words: str, share: Bounded, entry: Entry) -> Mark:
    rate, low, high = share or (None, None, None)
    return Mark(rate, low, high, f"{words} {percent(rate)}", "", entry.colour, entry.marker, entry.is_hollow)


def _missed(share: Bounded) -> Bounded:
    return None if share is None else (1 - share[0], 1 - share[2], 1 - share[1])


def _caption(rows: Sequence[TrustRow]) -> str:
    judges = list(dict.fromkeys(visible(row.judge) for row in rows))
    labels = [row.labels for row in rows]
    people = list(dict.fromkeys(visible(name) for row in rows for name in row.reviewers))
    count = f"{labels[0]:,}" if len(set(labels)) == 1 else f"{min(labels):,} to {max(labels):,}"
    return joined([
        f"Reliability of {counted(len(judges), 'judge')} ({', '.join(judges)}) against people's labels, n = {count} "
        f"labels a row{', by ' + ', '.join(people) if people else ''}.",
        "Circles: share of decided answers on which judge and people agree. Squares: share of the answers people call "
        "wrong that the judge passed. Triangles: share of the right ones that it failed.",
        "Whiskers are Wilson's 95 % intervals at the effective number of labels.",
        "Some labels are of stored answers of others and correct no rate." if any(r.is_third_party for r in rows)
        else "",
        "Some reviewers saw a verdict first." if any(row.blind is False for row in rows) else "",
    ])  # fmt: skip


def _table(rows: Sequence[TrustRow]) -> tuple[tuple[str, ...], ...]:
    head = ("judge", "suite", "category", "labels", "agrees", "passes wrong answers", "fails right answers", "kappa")
    return (head, *(
        (visible(row.judge), visible(row.suite), "all" if row.category is None else visible(row.category),
         str(row.labels), _cell(row.accuracy), _cell(_missed(row.specificity)), _cell(_missed(row.sensitivity)),
         "–" if row.kappa is None else f"{row.kappa:.2f}".replace("-", "−"))
        for row in rows
    ))  # fmt: skip


def _cell(share: Bounded) -> str:
    return "–" if share is None else f"{100 * share[0]:.1f} % ({bounds(share[1], share[2])})"
