"""The columns that reports share, so that a figure reads the same wherever it is printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from evalkit.reporting.layout import Column
from evalkit.stats import percent
from evalkit.tally import Tally

Cell = Callable[[Tally], str]


def category_columns(rows: Sequence[Tally], total: Tally) -> list[Column]:
    """The figures of one target's categories; unscored and errors only where the run has any."""
    return _columns(rows, (("n", lambda tally: str(tally.n)), *_PASSES, _COLLAPSED, *_incidents(total)))


def quality_columns(rows: Sequence[Tally], total: Tally) -> list[Column]:
    """The figures that compare targets; unscored and errors only where the run has any."""
    collapse: tuple[str, Cell] = ("collapsed", lambda tally: percent(tally.collapse_rate))
    return _columns(rows, (*_PASSES, collapse, *_incidents(total)))


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
    return f"{100 * tally.interval.low:.1f}–{100 * tally.interval.high:.1f}"


_PASSES: tuple[tuple[str, Cell], ...] = (
    ("pass", lambda tally: f"{tally.passed}/{tally.scored}"),
    ("rate", lambda tally: percent(tally.pass_rate)),
    ("Wilson 95 %", _interval),
)
_COLLAPSED: tuple[str, Cell] = ("collapsed", lambda tally: f"{tally.collapsed}/{tally.answered}")


def _incidents(total: Tally) -> list[tuple[str, Cell]]:
    unscored: tuple[str, Cell] = ("unscored", lambda tally: str(tally.unscored))
    errors: tuple[str, Cell] = ("errors", lambda tally: str(tally.errors))
    return [column for column, count in ((unscored, total.unscored), (errors, total.errors)) if count]


def _columns(rows: Sequence[Tally], cells: Sequence[tuple[str, Cell]]) -> list[Column]:
    return [Column(header, tuple(cell(row) for row in rows)) for header, cell in cells]
