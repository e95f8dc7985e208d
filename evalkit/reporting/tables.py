"""The columns that reports share, so that a figure reads the same wherever it is printed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from evalkit.calibration import Trust
from evalkit.reporting.layout import Column
from evalkit.reporting.summary import Summary
from evalkit.stats import percent
from evalkit.tally import Share, Tally

Cell = Callable[[Tally], str]


def category_columns(rows: Sequence[Tally], total: Tally) -> list[Column]:
    """The figures of one target's categories; unscored and errors only where the run has any."""
    return _columns(rows, (("n", lambda tally: str(tally.n)), *_passes(rows), _COLLAPSED, *_incidents(total)))


def quality_columns(rows: Sequence[Tally], total: Tally) -> list[Column]:
    """The figures that compare targets; unscored and errors only where the run has any."""
    collapse: tuple[str, Cell] = ("collapsed", lambda tally: percent(tally.collapse_rate))
    return _columns(rows, (*_passes(rows), collapse, *_incidents(total)))


def cost_columns(rows: Sequence[Tally], total: Tally) -> list[Column]:
    """Tokens and what came from the store; a column that would be empty for every target is left out."""
    cells: list[tuple[str, Cell]] = []
    if total.new_tokens:
        cells.append(("tokens", lambda tally: str(tally.new_tokens)))
    if total.stored:
        cells.append(("stored", lambda tally: f"{tally.stored}/{tally.n}"))
    return _columns(rows, cells)


def bounds_column(rows: Sequence[Tally]) -> Column:
    """The pass rate if all unscored had failed, and if all had passed."""
    return Column("if unscored failed–passed", tuple(bounds(row) for row in rows))


def trust_columns(summary: Summary, trust: Sequence[Trust | None], *, with_corrected: bool) -> list[Column]:
    """How often the judge agrees with people, and the rate corrected for its errors; only where the run has any."""
    every = [item for target in summary.targets for item in target.trust if item is not None]
    columns = []
    if every:
        columns.append(Column("judge right", tuple("-" if item is None else _trusted(item) for item in trust)))
    if with_corrected and any(item.corrected is not None for item in every):
        columns.append(Column("corrected", tuple("-" if item is None else corrected(item) or "-" for item in trust)))
    return columns


def corrected(trust: Trust) -> str:
    """``91.4 % (84.0–97.2)``, or nothing where no rate can be corrected."""
    if trust.corrected is None:
        return ""
    found = trust.corrected
    return f"{percent(found.rate)} ({100 * found.interval.low:.1f}–{100 * found.interval.high:.1f})"


def _trusted(trust: Trust) -> str:
    found = trust.calibration.agreement
    return f"{100 * (found.accuracy or 0.0):.0f} % of {found.n}"


def bounds(tally: Tally) -> str:
    return f"{percent(tally.rate_if_unscored_failed)}–{percent(tally.rate_if_unscored_passed)}"


def distinguishing(labels: Sequence[str]) -> tuple[dict[str, str], str]:
    """Each label without the parts that all have in common, and those parts; the weights are always kept."""
    split = [label.split(":") for label in labels]
    if any(len(parts) != 4 for parts in split):
        return {label: label for label in labels}, ""
    shared = [place for place in (1, 2, 3) if len({parts[place] for parts in split}) == 1]
    short = [":".join(part for place, part in enumerate(parts) if place not in shared) for parts in split]
    return dict(zip(labels, short, strict=True)), ":".join(split[0][place] for place in shared) if split else ""


def _interval(tally: Tally) -> str:
    if not tally.scored:
        return "-"
    return bounds_words(tally.passes.low, tally.passes.high)


def share_words(share: Share) -> str:
    """``289/300 96.3 % (93.5–97.9)``; of nothing ``0/0``."""
    if share.rate is None:
        return "0/0"
    return f"{share.part}/{share.whole} {percent(share.rate)} ({bounds_words(share.low, share.high)})"


def bounds_words(low: float, high: float) -> str:
    """Two proportions as the ends of an interval in percent, ``93.5–97.9``."""
    return f"{100 * low:.1f}–{100 * high:.1f}"


def interval_header(shares: Iterable[Share]) -> str:
    """Says whose interval it is where that is Wilson's in every row."""
    return "95 %" if any(share.has_families for share in shares) else "Wilson 95 %"


def _passes(rows: Sequence[Tally]) -> list[tuple[str, Cell]]:
    return [
        ("pass", lambda tally: f"{tally.passed}/{tally.scored}"),
        ("rate", lambda tally: percent(tally.pass_rate)),
        (interval_header(row.passes for row in rows), _interval),
    ]


_COLLAPSED: tuple[str, Cell] = ("collapsed", lambda tally: f"{tally.collapsed}/{tally.answered}")


def _incidents(total: Tally) -> list[tuple[str, Cell]]:
    unscored: tuple[str, Cell] = ("unscored", lambda tally: str(tally.unscored))
    errors: tuple[str, Cell] = ("errors", lambda tally: str(tally.errors))
    return [column for column, count in ((unscored, total.unscored), (errors, total.errors)) if count]


def _columns(rows: Sequence[Tally], cells: Sequence[tuple[str, Cell]]) -> list[Column]:
    return [Column(header, tuple(cell(row) for row in rows)) for header, cell in cells]
