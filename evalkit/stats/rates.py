"""Intervals for a rate of independent units, and a rate as people read it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import sqrt

from evalkit.stats.distributions import beta_quantile, student_quantile


@dataclass(frozen=True, slots=True)
class Interval:
    """Bounds of a proportion in [0, 1], or of a difference of two in [-1, 1]."""

    low: float
    high: float


def wilson_interval(passed: float, total: float, confidence: float = 0.95) -> Interval:
    """Interval for a pass rate that stays honest at 0 of n and n of n.

    Bounds are proportions in [0, 1]. An empty sample gives (0.0, 1.0). Effective numbers need not be whole.
    With p = passed / total and z the two-sided quantile: (p + z²/2n ± z·√(p(1-p)/n + z²/4n²)) / (1 + z²/n).

    Raises:
        ValueError: passed is negative or exceeds total, or confidence is not between 0 and 1.

    Source: Wilson (1927); recommended for small n by Brown, Cai and DasGupta (2001).
    """
    _check(passed, total)
    z = checked_quantile(confidence)
    if total == 0:
        return Interval(0.0, 1.0)
    share, z2 = passed / total, z * z / total
    centre = share + z2 / 2
    half = z * sqrt(share * (1 - share) / total + z2 / (4 * total))
    # At the ends the formula gives exactly 0 and 1; floating point may miss them by one bit.
    low = 0.0 if passed == 0 else max(0.0, (centre - half) / (1 + z2))
    high = 1.0 if passed == total else min(1.0, (centre + half) / (1 + z2))
    return Interval(low, high)


def clopper_pearson_interval(passed: float, total: float, confidence: float = 0.95) -> Interval:
    """Interval for a pass rate that never covers less than it says, and mostly more: wider than Wilson's.

    Bounds are proportions in [0, 1]. An empty sample gives (0.0, 1.0). Effective numbers need not be whole.

    Raises:
        ValueError: passed is negative or exceeds total, or confidence is not between 0 and 1.

    Source: Clopper and Pearson (1934); in its beta form, Korn and Graubard (1998).
    """
    _check(passed, total)
    checked_quantile(confidence)
    tail, failed = (1 - confidence) / 2, total - passed
    low = beta_quantile(tail, passed, failed + 1) if passed else 0.0
    high = beta_quantile(1 - tail, passed + 1, failed) if failed else 1.0
    return Interval(low, high)


def percent(share: float | None) -> str:
    """A proportion as people read it, ``91.7 %``; a rate over nothing is ``-``."""
    return "-" if share is None else f"{100 * share:.1f} %"


@lru_cache(maxsize=16)
def quantile(confidence: float) -> float:
    """The two-sided quantile of the normal distribution: 1.96 for 95 %."""
    return student_quantile(confidence, float("inf"))


def checked_quantile(confidence: float) -> float:
    """``quantile``, for a confidence that a caller gave.

    Raises:
        ValueError: confidence is not between 0 and 1.
    """
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence must be between 0 and 1; found {confidence!r}")
    return quantile(confidence)


def _check(passed: float, total: float) -> None:
    if not 0 <= passed <= total:
        raise ValueError(f"passed must be between 0 and total; found passed={passed!r}, total={total!r}")
