"""One rate with its interval from strata of which some trials were read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, sqrt

from evalkit.reviewing.exact import exact_limits
from evalkit.stats import wilson_interval


@dataclass(frozen=True, slots=True)
class Counts:
    """Of ``texts`` texts, which are ``trials`` trials, ``read`` were read and ``right`` of those are right.

    ``right`` need not be whole where some texts stand for more trials than others. ``guess`` is the share taken for
    right where none was read.
    """

    trials: int
    texts: int
    read: int
    right: float
    guess: float = 0.5

    @property
    def share(self) -> float:
        return self.right / self.read if self.read else self.guess


def stratified_rate(
    strata: Sequence[Counts], worth: float, stretch: float = 1.0, confidence: float = 0.95
) -> tuple[float, float, float]:
    """The rate over all strata with its lower and upper bound, in [0, 1] and never equal.

    ``worth`` independent trials are what all of them are worth; ``stretch`` widens what that leaves open. Strata of
    which none was read may hold anything: they widen it by all that they can, beside what chance does.

    Source: limits of a sum from the limits of its parts, each side for itself: Zou and Donner (2008).
    """
    total = sum(stratum.trials for stratum in strata)
    rate = sum(stratum.trials * stratum.share for stratum in strata) / total
    down = up = lowest = highest = 0.0
    for stratum in strata:
        weight = stratum.trials / total
        if not stratum.read:
            lowest += weight * stratum.share
            highest += weight * (1 - stratum.share)
            continue
        low, high = _limits(stratum, confidence)
        down += (weight * (stratum.share - low)) ** 2
        up += (weight * (high - stratum.share)) ** 2
    drawn = wilson_interval(min(rate, 1.0) * worth, worth, confidence)
    down += (stretch * (rate - drawn.low)) ** 2
    up += (stretch * (drawn.high - rate)) ** 2
    return rate, max(0.0, rate - lowest - sqrt(down)), min(1.0, rate + highest + sqrt(up))


def _limits(stratum: Counts, confidence: float) -> tuple[float, float]:
    """The smallest and the largest share that may be right; a count that is not whole is taken at its worse end."""
    fewest, _ = exact_limits(floor(stratum.right + 1e-9), stratum.read, stratum.texts, confidence)
    _, most = exact_limits(ceil(stratum.right - 1e-9), stratum.read, stratum.texts, confidence)
    share = stratum.share
    return min(share, fewest / stratum.texts), max(share, most / stratum.texts)
