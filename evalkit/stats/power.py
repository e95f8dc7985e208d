"""How many pairs a comparison needs, and which difference it can see."""

from __future__ import annotations

from math import ceil, inf, sqrt

from evalkit.stats.distributions import root
from evalkit.stats.rates import quantile


def pairs_needed(
    difference: float,
    discordant_share: float,
    alpha: float = 0.05,
    power: float = 0.8,
    design_effect: float = 1.0,
) -> int:
    """The pairs needed to see a true difference of two paired rates with this power at two-sided alpha.

    ``difference`` and ``discordant_share`` (pairs of which one passes and one fails) are proportions; a share below
    the size of the difference is impossible and taken as that. ``design_effect`` is n over the effective n: above 1 for
    families that hang together, below 1 for pairs that are each the mean of several samples.

    Raises:
        ValueError: the difference is 0, or a share, alpha, power or design effect is out of range.

    Source: Connor (1987), after Miettinen (1968), for McNemar's test without correction. The exact test has some 4
    points less power at this n (simulated).
    """
    _check(discordant_share, alpha, power, design_effect)
    if not 0 < abs(difference) <= 1:
        raise ValueError(f"difference must be between -1 and 1 and not 0; found {difference!r}")
    d = abs(difference)
    share = max(discordant_share, d)
    return ceil(design_effect * _reach(d, share, alpha, power) ** 2 / (d * d) - 1e-9)


def minimum_detectable_difference(
    n: float,
    discordant_share: float,
    alpha: float = 0.05,
    power: float = 0.8,
    design_effect: float = 1.0,
) -> float | None:
    """The smallest true difference of two paired rates that n pairs show with this power at two-sided alpha.

    A proportion. Where it exceeds the share of discordant pairs, that share is taken to be as large as the difference;
    None where n pairs show none at all.

    Raises:
        ValueError: n is negative, or a share, alpha, power or design effect is out of range.

    Source: Connor (1987), solved for the difference.
    """
    _check(discordant_share, alpha, power, design_effect)
    if not n >= 0:
        raise ValueError(f"n must not be negative; found {n!r}")
    units = n / design_effect

    def surplus(d: float) -> float:
        return d * sqrt(units) - _reach(d, max(discordant_share, d), alpha, power)

    return None if surplus(1.0) < 0 else root(surplus, 0.0, 1.0)


def _reach(d: float, share: float, alpha: float, power: float) -> float:
    return quantile(1 - alpha) * sqrt(share) + quantile(2 * power - 1) * sqrt(max(0.0, share - d * d))


def _check(share: float, alpha: float, power: float, design_effect: float) -> None:
    if not 0 <= share <= 1:
        raise ValueError(f"discordant_share must be between 0 and 1; found {share!r}")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must be between 0 and 1; found {alpha!r}")
    if not 0.5 < power < 1:
        raise ValueError(f"power must be between 0.5 and 1; found {power!r}")
    if not 0 < design_effect < inf:
        raise ValueError(f"design_effect must be above 0; found {design_effect!r}")
