"""Scores under several conditions, compared with one of them: means, differences, who improved, who regressed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev

from evalkit.stats.scores import sign_test_p as sign_test_p

BAND = 0.5
SHOWN = 5


@dataclass(frozen=True, slots=True)
class ProbeScores:
    """One probe's score under each condition; a condition whose answer failed or was not scored is left out."""

    probe: str
    category: str
    scores: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Change:
    """How the probes that both conditions scored went from the baseline to another condition.

    ``published`` is the difference of the two conditions' means, each rounded to two decimals first, over whatever
    each of them scored; ``mean`` is the mean of the ``pairs`` paired differences, ``low`` to ``high`` its bootstrapped
    95 % interval (None for fewer than two pairs). ``sign_test_p`` is the exact two-sided chance of a split between
    ``improved`` and ``regressed`` at least as uneven were both equally likely; 1.0 where neither happened.
    """

    published: float
    mean: float | None
    low: float | None
    high: float | None
    pairs: int
    improved: int
    regressed: int
    unchanged: int
    sign_test_p: float


@dataclass(frozen=True, slots=True)
class ConditionScores:
    """One condition: ``n`` scored probes, their mean, median and sample deviation, its ``worst`` and ``best`` probes.

    ``missing`` are the probes without a score. ``change`` is None for the baseline, and where either of the two has no
    score. ``mean`` and ``median`` are None for n = 0, ``sd`` for n < 2.
    """

    condition: str
    n: int
    mean: float | None
    median: float | None
    sd: float | None
    worst: tuple[tuple[str, float], ...]
    best: tuple[tuple[str, float], ...]
    missing: tuple[str, ...]
    change: Change | None


@dataclass(frozen=True, slots=True)
class CategoryScores:
    """One category's mean under each condition, in the conditions' order; None where nothing was scored."""

    category: str
    n: int
    means: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """Everything a score table shows; ``conditions`` starts with the baseline, ``categories`` are as they came."""

    conditions: tuple[ConditionScores, ...]
    categories: tuple[CategoryScores, ...]


def score_table(rows: Iterable[ProbeScores], conditions: Sequence[str], band: float = BAND) -> ScoreTable:
    """The table of ``rows``; the first of ``conditions`` is the baseline the others are compared with.

    A probe has improved when its score is more than ``band`` above the baseline's, regressed when more than ``band``
    below it. Several rows of one probe (its samples) count one by one.

    Raises:
        ValueError: there is no condition.
    """
    if not conditions:
        raise ValueError("a score table needs at least one condition; found none")
    found = tuple(rows)
    baseline = conditions[0]
    return ScoreTable(
        tuple(_condition(found, name, baseline, band) for name in conditions),
        tuple(_categories(found, conditions)),
    )


def weighted_mean(means: Mapping[str, float], counts: Mapping[str, int]) -> float:
    """The mean over all probes from the means of categories and how many probes each holds.

    Raises:
        ValueError: a category has no count, or there is none.
    """
    lacking = [name for name in means if name not in counts]
    if lacking or not means:
        raise ValueError(f"every category needs a count; found none for {', '.join(lacking) or 'any'}")
    total = sum(counts[name] for name in means)
    return sum(mean * counts[name] for name, mean in means.items()) / total


def _condition(rows: Sequence[ProbeScores], name: str, baseline: str, band: float) -> ConditionScores:
    scored = [(row.probe, row.scores[name]) for row in rows if name in row.scores]
    values = [value for _, value in scored]
    ranked = sorted(scored, key=lambda one: one[1])
    return ConditionScores(
        condition=name,
        n=len(values),
        mean=fmean(values) if values else None,
        median=median(values) if values else None,
        sd=stdev(values) if len(values) > 1 else None,
        worst=tuple(ranked[:SHOWN]),
        best=tuple(sorted(scored, key=lambda one: -one[1])[:SHOWN]),
        missing=tuple(row.probe for row in rows if name not in row.scores),
        change=None if name == baseline else _change(rows, name, baseline, band),
    )


def _change(rows: Sequence[ProbeScores], name: str, baseline: str, band: float) -> Change | None:
    before = [row.scores[baseline] for row in rows if baseline in row.scores]
    after = [row.scores[name] for row in rows if name in row.scores]
    if not before or not after:
        return None
    deltas = [row.scores[name] - row.scores[baseline] for row in rows if name in row.scores and baseline in row.scores]
    improved = sum(delta > band for delta in deltas)
    regressed = sum(delta < -band for delta in deltas)
    low, high = _bootstrap_interval(deltas) if len(deltas) > 1 else (None, None)
    return Change(
        published=round(round(fmean(after), 2) - round(fmean(before), 2), 2),
        mean=fmean(deltas) if deltas else None,
        low=low,
        high=high,
        pairs=len(deltas),
        improved=improved,
        regressed=regressed,
        unchanged=len(deltas) - improved - regressed,
        sign_test_p=sign_test_p(improved, regressed),
    )


def _categories(rows: Sequence[ProbeScores], conditions: Sequence[str]) -> Iterable[CategoryScores]:
    by_category: dict[str, list[ProbeScores]] = {}
    for row in rows:
        by_category.setdefault(row.category, []).append(row)
    for category, own in by_category.items():
        values = [[row.scores[name] for row in own if name in row.scores] for name in conditions]
        yield CategoryScores(category, len(own), tuple(fmean(scores) if scores else None for scores in values))


def _bootstrap_interval(deltas: Sequence[float], draws: int = 2_000) -> tuple[float, float]:
    """The middle 95 % of the means of ``draws`` resamples, the same on every run."""
    import numpy as np  # 100 ms that only a score table needs

    values = np.asarray(deltas, dtype=np.float64)
    draw = np.random.default_rng(0)
    means = [values[draw.integers(0, len(values), len(values))].mean() for _ in range(draws)]
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
