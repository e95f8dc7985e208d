"""Means of scores and of paired differences of scores, and tests of them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from evalkit.stats.clustered import Clustered, robust_interval
from evalkit.stats.distributions import sign_tails
from evalkit.stats.permutation import sign_flip_p
from evalkit.stats.rates import Interval


@dataclass(frozen=True, slots=True)
class PairedScores:
    """A mean of paired differences in the scores' unit, None for no pair, and the p of the sign-flip test.

    ``interval`` is None for fewer than two clusters, which bound nothing.
    """

    mean: float | None
    interval: Interval | None
    p: float
    pairs: int
    clusters: int


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> Interval | None:
    """Interval of the mean of independent scores, in their unit; None for fewer than two.

    Raises:
        ValueError: confidence is not between 0 and 1.

    Source: Student (1908).
    """
    return robust_interval(Clustered.of(values, range(len(values))), confidence)


def paired_score_test(
    differences: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
    seed: int = 0,
) -> PairedScores:
    """The mean of paired differences of scores, after - before, with the interval and p that respect clusters.

    Without clusters every pair is its own. The interval is Student's, cluster-robust in its small-sample form; equal
    differences give it width 0, since nothing bounds a score. The p is that of ``sign_flip_p``.

    Raises:
        ValueError: there are not as many clusters as differences, or confidence is not between 0 and 1.

    Source: Student (1908); Liang and Zeger (1986); Fisher (1935).
    """
    families: Sequence[Hashable] = range(len(differences)) if clusters is None else clusters
    seen = Clustered.of(differences, families)
    return PairedScores(
        mean=seen.mean if seen.n else None,
        interval=robust_interval(seen, confidence),
        p=sign_flip_p(differences, families, seed),
        pairs=seen.n,
        clusters=len(seen.sums),
    )


def sign_test_p(improved: int, regressed: int) -> float:
    """The exact two-sided p of a sign test; ties are left out.

    Raises:
        ValueError: a count is negative.

    Source: Dixon and Mood (1946): twice the binomial tail at one half, at most 1.
    """
    if improved < 0 or regressed < 0:
        raise ValueError(f"counts must not be negative; found improved={improved!r}, regressed={regressed!r}")
    return sign_tails(min(improved, regressed), improved + regressed)
