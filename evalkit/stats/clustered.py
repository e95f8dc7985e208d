"""Intervals for means of units that come in families, whose outcomes hang together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import sqrt

from evalkit.stats.distributions import student_quantile
from evalkit.stats.paired import tango_interval
from evalkit.stats.rates import Interval, checked_quantile, wilson_interval

# Chosen by simulation (benchmarks/STATISTICS.md): the least that keep their coverage at few clusters and rare outcomes.
RATE_PRIOR = 2.0
DIFFERENCE_PRIOR = 1.0
FRACTION_PRIOR = 1.0
WHOLE = frozenset((-1.0, 0.0, 1.0))
NO_SPREAD = 1e-12
CELLS = 2_000_000


@dataclass(frozen=True, slots=True)
class ClusterMean:
    """A mean over units with its interval; ``effective_n`` independent whole outcomes would be worth as much.

    That is more than there are units where each of these is itself the mean of several samples that agree.
    """

    mean: float | None
    low: float
    high: float
    clusters: int
    effective_n: float


@dataclass(frozen=True, slots=True)
class Clustered:
    """What intervals need of clustered values: ``sums`` and ``sizes`` by cluster, in order of appearance."""

    sums: tuple[float, ...]
    sizes: tuple[int, ...]

    @classmethod
    def of(cls, values: Sequence[float], clusters: Sequence[Hashable]) -> Clustered:
        """The sums and sizes of these values.

        Raises:
            ValueError: there are not as many clusters named as values.
        """
        if len(values) != len(clusters):
            raise ValueError(f"every value needs its cluster; found {len(values)} values and {len(clusters)} clusters")
        sizes = Counter(clusters)
        sums = dict.fromkeys(sizes, 0.0)
        for value, cluster in zip(values, clusters, strict=True):
            sums[cluster] += value
        return cls(tuple(sums.values()), tuple(sizes.values()))

    @property
    def n(self) -> int:
        return sum(self.sizes)

    @property
    def mean(self) -> float:
        return sum(self.sums) / self.n

    @property
    def design_effect_at_most(self) -> float:
        """The design effect of clusters whose units are all alike: their mean size, seen from a unit (Kish 1965)."""
        return sum(size * size for size in self.sizes) / self.n

    @property
    def variance(self) -> float:
        """The robust variance of the mean in its small-sample form, G/(G-1) of Σ(residuals of a cluster)² / n².

        Source: Liang and Zeger (1986); the factor as in Cameron and Miller (2015). Needs two clusters.
        """
        mean, count = self.mean, len(self.sums)
        squares = sum((total - size * mean) ** 2 for total, size in zip(self.sums, self.sizes, strict=True))
        return squares * count / (count - 1) / self.n**2


def cluster_interval(values: Sequence[float], clusters: Sequence[Hashable], confidence: float = 0.95) -> ClusterMean:
    """The rate over units with an interval that respects their clusters, honest at 0 of n and n of n.

    Values are in [0, 1]; bounds are too. It is Wilson's interval at the number of independent units that these are
    worth: n over the design effect, with Student's quantile for clusters - 1 (unequal clusters count for fewer:
    n²/Σsize²). The design effect is the one seen, drawn towards that of clusters whose units are all alike, the more so
    the fewer clusters show the rarer outcome; so where none does, there are as many effective units as clusters.
    Singletons of 0 and 1 get Wilson's interval; several units of one cluster, or none, (0.0, 1.0).

    Outcomes of 0 and 1 are never worth more than n. Values between them, means of several samples, are: see ``_worth``.

    Raises:
        ValueError: a value is outside [0, 1], there are not as many clusters as values, or confidence is not between
            0 and 1.

    Source: Korn and Graubard (1998) for the effective number of units; Wilson's interval at it is among those that
    Dean and Pagano (2015) recommend. Drawing the design effect up, and counting fractions, is ours;
    benchmarks/STATISTICS.md has its coverage.
    """
    checked_quantile(confidence)
    _check(values, 0.0)
    seen = Clustered.of(values, clusters)
    if not seen.n:
        return ClusterMean(None, 0.0, 1.0, 0, 0.0)
    mean = min(1.0, max(0.0, seen.mean))
    failing = sum(total < size for total, size in zip(seen.sums, seen.sizes, strict=True))
    passing = sum(total > 0 for total in seen.sums)
    worth, used = _worth(seen, values, mean * (1 - mean), min(failing, passing), RATE_PRIOR, confidence)
    interval = wilson_interval(mean * used, used, confidence)
    return ClusterMean(mean, interval.low, interval.high, len(seen.sums), worth)


def cluster_difference_interval(
    differences: Sequence[float], clusters: Sequence[Hashable], confidence: float = 0.95
) -> ClusterMean:
    """The mean of paired differences with an interval that respects clusters and never has width 0.

    A difference is after - before of one unit, in [-1, 1]; bounds are too. The interval holds both Tango's at the
    number of independent pairs that these are worth (reckoned as for ``cluster_interval``) and, where a cluster has
    two units, the cluster-robust t-interval. Singletons of -1, 0 and 1 get Tango's interval; several units of one
    cluster, or none, (-1.0, 1.0).

    Raises:
        ValueError: a difference is outside [-1, 1], there are not as many clusters as differences, or confidence is
            not between 0 and 1.

    Source: Tango (1998) at effective numbers as in Korn and Graubard (1998); the t-interval as in ``Clustered``.
    """
    checked_quantile(confidence)
    _check(differences, -1.0)
    seen = Clustered.of(differences, clusters)
    if not seen.n:
        return ClusterMean(None, -1.0, 1.0, 0, 0.0)
    worse = sum(-value for value in differences if value < 0) / seen.n
    better = sum(value for value in differences if value > 0) / seen.n
    changed = len({cluster for value, cluster in zip(differences, clusters, strict=True) if value})
    worth, used = _worth(seen, differences, worse + better - seen.mean**2, changed, DIFFERENCE_PRIOR, confidence)
    interval = tango_interval(worse * used, better * used, used, confidence)
    half = 0.0 if max(seen.sizes) == 1 else _robust_half(seen, confidence)
    low, high = max(-1.0, min(interval.low, seen.mean - half)), min(1.0, max(interval.high, seen.mean + half))
    return ClusterMean(seen.mean, low, high, len(seen.sums), worth)


def robust_interval(seen: Clustered, confidence: float = 0.95) -> Interval | None:
    """The plain cluster-robust t-interval of a mean, in the values' unit; None for fewer than two clusters.

    It has width 0 where all clusters have the same mean: for rates take ``cluster_interval``.

    Raises:
        ValueError: confidence is not between 0 and 1.

    Source: Student (1908) for singletons; Liang and Zeger (1986) with clusters - 1 degrees of freedom, as in Cameron
    and Miller (2015).
    """
    checked_quantile(confidence)
    if len(seen.sums) < 2:
        return None
    half = _robust_half(seen, confidence)
    return Interval(seen.mean - half, seen.mean + half)


def cluster_bootstrap_interval(
    values: Sequence[float],
    clusters: Sequence[Hashable],
    seed: int = 0,
    draws: int = 10_000,
    confidence: float = 0.95,
) -> Interval | None:
    """The middle of the means of resampled clusters, the same on every run; None for fewer than two clusters.

    In the values' own unit. It needs some 30 clusters, and has width 0 where all means are equal: for rates take
    ``cluster_interval``.

    Raises:
        ValueError: there are not as many clusters as values, or confidence is not between 0 and 1.

    Source: Efron (1979), the percentile interval; clusters drawn whole as in Davison and Hinkley (1997), section 3.8.
    """
    import numpy as np

    checked_quantile(confidence)
    seen = Clustered.of(values, clusters)
    count = len(seen.sums)
    if count < 2:
        return None
    sums, sizes = np.asarray(seen.sums), np.asarray(seen.sizes)
    draw = np.random.default_rng(seed)
    means: list[float] = []
    while len(means) < draws:
        rows = min(draws - len(means), max(1, CELLS // count))
        chosen = draw.integers(0, count, (rows, count))
        means.extend(sums[chosen].sum(axis=1) / sizes[chosen].sum(axis=1))
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))


def _robust_half(seen: Clustered, confidence: float) -> float:
    count = len(seen.sums)
    return student_quantile(confidence, count - 1) * sqrt(seen.variance) if count > 1 else 0.0


def _worth(
    seen: Clustered, values: Sequence[float], spread: float, showing: int, prior: float, confidence: float
) -> tuple[float, float]:
    """How many independent whole outcomes these are worth, and how many of them a score interval may count.

    ``spread`` is the variance that whole outcomes of this mean and these changes have. Fractions have less, and are
    worth more by that share, as ``showing`` clusters tell it and ``FRACTION_PRIOR`` more whose values are whole. How
    much they vary is then seen and not known, hence Student's quantile for singletons too; they never count for less
    than whole outcomes do.
    """
    worth = _effective_n(seen, spread, showing, prior)
    used = worth * _caution(seen, confidence)
    if spread <= 0 or WHOLE.issuperset(values):
        return worth, used
    own = sum(value * value for value in values) / seen.n - seen.mean**2
    own = own if own > NO_SPREAD * spread else 0.0
    fraction = (showing * own / spread + FRACTION_PRIOR) / (showing + FRACTION_PRIOR)
    finer = _effective_n(seen, own, showing, prior) / fraction
    return max(worth, finer), max(used, finer * _student_share(seen, confidence))


def _effective_n(seen: Clustered, spread: float, showing: int, prior: float) -> float:
    """How many independent units of variance ``spread`` give a mean as sure as this one.

    The design effect that ``showing`` clusters tell of is averaged with that of ``prior`` more whose units are alike.
    """
    at_most = seen.design_effect_at_most
    if at_most == 1:  # singletons: nothing can hang together
        return float(seen.n)
    design_effect = at_most
    if showing and len(seen.sums) > 1:
        found = seen.n * seen.variance / spread if spread > 0 else at_most
        design_effect = (showing * max(1.0, found) + prior * at_most) / (showing + prior)
    return seen.n / design_effect


def _caution(seen: Clustered, confidence: float) -> float:
    """The share of units left for what clusters cannot tell; 1 for singletons."""
    return 1.0 if seen.design_effect_at_most == 1 else _student_share(seen, confidence)


def _student_share(seen: Clustered, confidence: float) -> float:
    """The share of units left when Student's quantile takes the normal one's place; 0 for a single cluster.

    Both score intervals depend on the quantile and n only by z²/n. Clusters count as in ``design_effect_at_most``.
    """
    clusters = seen.n / seen.design_effect_at_most
    if clusters <= 1:
        return 0.0
    return (checked_quantile(confidence) / student_quantile(confidence, clusters - 1)) ** 2


def _check(values: Sequence[float], low: float) -> None:
    for value in values:
        if not low <= value <= 1:
            raise ValueError(f"values must be between {low:g} and 1; found {value!r}")
