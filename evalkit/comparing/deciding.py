"""Paired differences decided: their interval, their p, the verdict, and how many pairs would settle it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import ceil, inf
from statistics import fmean
from typing import Literal

from evalkit.stats import (
    Interval,
    cluster_difference_interval,
    mcnemar_p,
    paired_score_test,
    pairs_needed,
    quantile,
    sign_flip_p,
    tango_interval,
)

ALPHA = 0.05
SINGLETONS = "Tango's interval, exact McNemar test"
CLUSTERS = "cluster-robust interval, sign-flip test over clusters"
SCORES = "Student's interval over clusters, sign-flip test"
Verdict = Literal["INCOMPARABLE", "HELD", "REGRESSED", "IMPROVED", "UNDERPOWERED"]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean paired difference, positive where after is better, with its 95 % interval and two-sided p.

    ``design_effect`` is how many pairs are worth one independent pair. ``mcnemar_p`` is given beside a method for
    clusters, None where it decided itself or differences are not whole.
    """

    delta: float
    low: float
    high: float
    p: float
    method: str
    clusters: int
    design_effect: float = 1.0
    mcnemar_p: float | None = None


def estimate(
    differences: Sequence[float], clusters: Sequence[Hashable], *, is_rate: bool, is_averaged: bool
) -> Estimate:
    """How sure the mean difference of these pairs is; there must be one.

    Rates of single outcomes whose clusters hold one pair each: Tango's interval with the exact McNemar test. Any other
    rates: the cluster-robust interval with the sign-flip test over clusters. Scores: Student's, with the same test.
    """
    n, families = len(differences), len(set(clusters))
    delta = fmean(differences)
    if not is_rate:
        scores = paired_score_test(differences, clusters)
        interval = scores.interval or Interval(-inf, inf)
        return Estimate(delta, interval.low, interval.high, scores.p, SCORES, families)
    worse, better = sum(item < 0 for item in differences), sum(item > 0 for item in differences)
    if families == n and not is_averaged:
        interval = tango_interval(worse, better, n)
        return Estimate(delta, interval.low, interval.high, mcnemar_p(worse, better), SINGLETONS, families)
    mean = cluster_difference_interval(differences, clusters)
    return Estimate(
        delta, mean.low, mean.high, sign_flip_p(differences, clusters), CLUSTERS, families,
        max(1.0, n / mean.effective_n / _fraction(differences)), None if is_averaged else mcnemar_p(worse, better),
    )  # fmt: skip


def _fraction(differences: Sequence[float]) -> float:
    """The variance of averaged outcomes beside that of whole ones; ``needed`` counts it itself. 1 for whole ones."""
    sizes = sum(map(abs, differences))
    return sum(item * item for item in differences) / sizes if sizes else 1.0


def verdict_of(found: Estimate, margin: float) -> Verdict:
    """What an estimate comes to at ``margin``, alpha being 0.05 two-sided."""
    if found.low >= -margin and found.high < 0:
        return "HELD"
    if found.high < 0 and found.p <= ALPHA:
        return "REGRESSED"
    if found.low > 0 and found.p <= ALPHA:
        return "IMPROVED"
    return "HELD" if found.low >= -margin else "UNDERPOWERED"


def needed(differences: Sequence[float], found: Estimate, margin: float) -> int | None:
    """About how many pairs like these would decide at 80 % power; None where none would, as at a margin of 0.

    A loss of the margin must be excluded, or the loss that was seen established, whichever takes fewer pairs.
    """
    n, scale = len(differences), max(abs(item) for item in differences)
    distance = margin if found.delta >= 0 else max(margin + found.delta, -found.delta)
    if distance <= 0:
        return None
    if scale == 0:
        z2 = quantile(1 - ALPHA) ** 2  # without a difference Tango's interval ends at z² / (n + z²)
        return max(ceil(found.design_effect * z2 * (1 - margin) / margin), n + 1)
    share = fmean((item / scale) ** 2 for item in differences)
    wanted = pairs_needed(min(distance / scale, 1.0), share, design_effect=found.design_effect)
    return max(wanted, n + 1)
