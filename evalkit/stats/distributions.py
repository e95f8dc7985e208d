"""The distributions that intervals and tests are read from: Student's t, chi-square, beta and binomial."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from math import comb, erfc, exp, inf, lgamma, log, pi, sqrt

TINY = 1e-300
TERMS = 10_000
HALVINGS = 200


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b): the chance that a Beta(a, b) variable is at most x.

    Raises:
        ValueError: x is not in [0, 1], or a or b is not above 0.

    Source: the continued fraction of Abramowitz and Stegun (1964), 26.5.8, by the method of Lentz (1976).
    """
    if not (0.0 <= x <= 1.0 and 0.0 < a < inf and 0.0 < b < inf):
        raise ValueError(f"expected x in [0, 1] and a, b above 0; found x={x!r}, a={a!r}, b={b!r}")
    return _beta(x, 1.0 - x, a, b)


def _beta(x: float, rest: float, a: float, b: float) -> float:
    """``incomplete_beta`` of x = 1 - rest, where either may be too near 0 to be told from the other."""
    if x == 0 or rest == 0:
        return float(rest == 0)
    if x > (a + 1) / (a + b + 2):  # there the fraction of the other tail converges fast
        return 1.0 - _lower_tail(rest, x, b, a)
    return _lower_tail(x, rest, a, b)


def _lower_tail(x: float, rest: float, a: float, b: float) -> float:
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(rest)) / a
    value, c, d = 1.0, 1.0, 0.0
    for term in range(TERMS):
        half = term // 2
        if term == 0:
            factor = 1.0
        elif term % 2:
            factor = -(a + half) * (a + b + half) * x / ((a + 2 * half) * (a + 2 * half + 1))
        else:
            factor = half * (b - half) * x / ((a + 2 * half - 1) * (a + 2 * half))
        d = 1.0 / _nonzero(1.0 + factor * d)
        c = _nonzero(1.0 + factor / c)
        value *= c * d
        if abs(1.0 - c * d) < 1e-15:
            break
    return min(1.0, front * (value - 1.0))


def _nonzero(value: float) -> float:
    return value if abs(value) > TINY else TINY


def beta_quantile(share: float, a: float, b: float) -> float:
    """The x with I_x(a, b) = share, by halving.

    Raises:
        ValueError: share is not in [0, 1], or a or b is not above 0.
    """
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"share must be between 0 and 1; found {share!r}")
    return root(lambda x: incomplete_beta(x, a, b) - share, 0.0, 1.0)


def student_p(t: float, df: float) -> float:
    """The two-sided p of Student's t with ``df`` degrees of freedom.

    Raises:
        ValueError: df is not above 0, or t is not a number.

    Source: Student (1908); as an incomplete beta function, Abramowitz and Stegun (1964), 26.7.1.
    """
    if not df > 0 or t != t:
        raise ValueError(f"expected a number t and df above 0; found t={t!r}, df={df!r}")
    if abs(t) == inf:
        return 0.0
    if df == inf:
        return erfc(abs(t) / sqrt(2))
    squares = df + t * t
    return _beta(df / squares, t * t / squares, df / 2, 0.5)


@lru_cache(maxsize=4096)
def student_quantile(confidence: float, df: float) -> float:
    """The two-sided quantile of Student's t: 2.045 for 95 % and 29 degrees of freedom, which need not be whole.

    Raises:
        ValueError: confidence is not between 0 and 1, or df is not above 0.
    """
    if not 0.0 < confidence < 1.0 or not df > 0:
        raise ValueError(f"expected confidence between 0 and 1 and df above 0; found {confidence!r}, df={df!r}")
    if df == inf:
        from statistics import NormalDist  # 10 ms of imports that an unrelated pytest run need not pay

        return NormalDist().inv_cdf(0.5 + confidence / 2)
    high = 2.0
    while student_p(high, df) > 1 - confidence:
        high *= 2
    return root(lambda t: 1 - confidence - student_p(t, df), 0.0, high)


def chi_square_p(x: float, df: int = 1) -> float:
    """The chance that a chi-square variable with ``df`` degrees of freedom is at least x.

    Raises:
        ValueError: x is negative, or df is not a whole number above 0.

    Source: Pearson (1900); the finite series for whole df of Abramowitz and Stegun (1964), 26.4.4 and 26.4.5.
    """
    if not x >= 0 or df < 1 or df != int(df):
        raise ValueError(f"expected x of at least 0 and a whole df above 0; found x={x!r}, df={df!r}")
    if x == inf:
        return 0.0
    half = x / 2
    odd = df % 2
    tail = erfc(sqrt(half)) if odd else exp(-half)
    term = 2 * sqrt(half / pi) * exp(-half) if odd else half * exp(-half)
    for step in range(1, (df + 1) // 2 if odd else df // 2):
        tail += term
        term *= half / (step + (0.5 if odd else 1))
    return min(1.0, tail)


def sign_tails(fewer: int, total: int) -> float:
    """The two-sided exact p of ``fewer`` of ``total`` fair coins: twice the lower tail, at most 1; 1 for no coin.

    Raises:
        ValueError: fewer is negative or more than half of total.
    """
    if not 0 <= 2 * fewer <= total:
        raise ValueError(f"fewer must be between 0 and half of total; found fewer={fewer!r}, total={total!r}")
    if not total:
        return 1.0
    tail = sum(comb(total, hits) for hits in range(fewer + 1))
    return min(1.0, float(tail / 2 ** (total - 1)))


def root(rises: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function passes 0 between low and high, to the last bits; the nearer end where it does not."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if rises(middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2
