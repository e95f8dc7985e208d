"""Several comparisons read together, with p values that stay true for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from evalkit.comparing.comparison import Change, Comparison, as_counted, compare, estimate_of
from evalkit.comparing.deciding import Estimate
from evalkit.comparing.figures import mean_words
from evalkit.comparing.metrics import Metric
from evalkit.comparing.pairing import Side
from evalkit.stats import holm

Grouping = Literal["category", "suite"]


@dataclass(frozen=True, slots=True)
class Against:
    """One side compared with the first; ``adjusted_p`` is Holm's over all of them, None where there is no p."""

    comparison: Comparison
    adjusted_p: float | None


def compare_many(
    sides: Sequence[Side], metric: Metric, *, margin: float | None = None, judge: str | None = None
) -> tuple[Against, ...]:
    """Every other side against the first. Verdicts are each comparison's own; only the p values are adjusted.

    Raises:
        ValueError: there are fewer than two sides.
    """
    if len(sides) < 2:
        raise ValueError(f"a comparison needs two sides; found {len(sides)}")
    found = [compare(sides[0], side, metric, margin=margin, judge=judge) for side in sides[1:]]
    adjusted = _adjusted([item.shown.p for item in found])
    return tuple(Against(item, p) for item, p in zip(found, adjusted, strict=True))


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a comparison: the probes of one category or suite, figures as in ``Comparison``.

    ``words`` are the mean lengths of the answers before and after.
    """

    name: str
    pairs: int
    before: float
    after: float
    delta: float
    low: float | None
    high: float | None
    p: float
    adjusted_p: float
    worse: int
    better: int
    words: tuple[float | None, float | None]


def parts_of(comparison: Comparison, by: Grouping) -> tuple[Part, ...]:
    """A comparison's probes by category or suite, in the order of the names; p values adjusted over the parts."""
    groups: dict[str, list[Change]] = {}
    for change in comparison.shown.changes:
        first = change.pair.after.first
        groups.setdefault(first.category if by == "category" else first.suite, []).append(change)
    names = sorted(groups)
    seen = [estimate_of(groups[name], comparison.metric, comparison.judge) for name in names]
    adjusted = holm([found.p for found in seen])
    return tuple(
        _part(name, groups[name], found, p, comparison.metric)
        for name, found, p in zip(names, seen, adjusted, strict=True)
    )


def _part(name: str, changes: Sequence[Change], seen: Estimate, adjusted_p: float, metric: Metric) -> Part:
    delta, low, high = as_counted(seen, metric)
    return Part(
        name=name,
        pairs=len(changes),
        before=fmean(change.before for change in changes),
        after=fmean(change.after for change in changes),
        delta=delta,
        low=low,
        high=high,
        p=seen.p,
        adjusted_p=adjusted_p,
        worse=sum(change.gain < 0 for change in changes),
        better=sum(change.gain > 0 for change in changes),
        words=(
            mean_words(change.pair.before for change in changes),
            mean_words(change.pair.after for change in changes),
        ),
    )


def _adjusted(p_values: Sequence[float | None]) -> list[float | None]:
    known = iter(holm([p for p in p_values if p is not None]))
    return [None if p is None else next(known) for p in p_values]
