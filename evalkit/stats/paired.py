"""Two outcomes of each unit compared: McNemar's tests and Tango's interval, for units that are independent."""

from __future__ import annotations

from math import sqrt

from evalkit.stats.distributions import chi_square_p, root, sign_tails
from evalkit.stats.rates import Interval, checked_quantile


def mcnemar_p(worse: int, better: int) -> float:
    """The exact two-sided p of McNemar's test; 1.0 where no pair differs.

    ``worse`` pairs went from pass to fail, ``better`` from fail to pass; pairs that stayed say nothing. It assumes
    independent pairs: where they come in families, ``sign_flip_p`` is the test.

    Raises:
        ValueError: a count is negative or not whole.

    Source: McNemar (1947), with the binomial instead of the chi-square distribution.
    """
    for count in (worse, better):
        if count < 0 or count != int(count):
            raise ValueError(f"counts must be whole and not negative; found worse={worse!r}, better={better!r}")
    return sign_tails(int(min(worse, better)), int(worse + better))


def mcnemar_chi_square(worse: float, better: float, corrected: bool = False) -> tuple[float, float]:
    """McNemar's chi-square with one degree of freedom, and its p; (0.0, 1.0) where no pair differs.

    Raises:
        ValueError: a count is negative.

    Source: McNemar (1947); ``corrected`` for continuity as in Edwards (1948).
    """
    if not (worse >= 0 and better >= 0):
        raise ValueError(f"counts must not be negative; found worse={worse!r}, better={better!r}")
    if worse + better == 0:
        return 0.0, 1.0
    apart = max(0.0, abs(worse - better) - (1 if corrected else 0))
    chi_square = apart * apart / (worse + better)
    return chi_square, chi_square_p(chi_square)


def tango_interval(worse: float, better: float, n: float, confidence: float = 0.95) -> Interval:
    """Interval of the difference (better - worse) / n of two paired rates, in [-1, 1]; never of width 0.

    ``n`` counts all pairs. Effective numbers need not be whole. No pairs give (-1.0, 1.0).

    Raises:
        ValueError: a count is negative, more pairs differ than there are, or confidence is not between 0 and 1.

    Source: Tango (1998), the score interval: the differences d that a score test does not reject.
    """
    if not (worse >= 0 and better >= 0 and worse + better <= n * (1 + 1e-12)):
        raise ValueError(
            f"expected worse + better between 0 and n; found worse={worse!r}, better={better!r}, n={n!r}"
        )  # fmt: skip
    z = checked_quantile(confidence)
    if n == 0:
        return Interval(-1.0, 1.0)
    w, b, z2 = worse / n, better / n, z * z / n
    seen = b - w

    def excess(d: float) -> float:
        """How far beyond the quantile the score of a true difference d lies, as squares."""
        linear = d * (2 - seen) - b - w
        other = (sqrt(max(0.0, linear * linear + 8 * w * d * (1 - d))) - linear) / 4
        return (seen - d) ** 2 - z2 * max(0.0, 2 * other + d * (1 - d))

    low = root(lambda d: -excess(d), -1.0, seen) if seen > -1 else -1.0
    high = root(excess, seen, 1.0) if seen < 1 else 1.0
    return Interval(low, high)
