"""Several samples of one probe: what k of them reach, how often two differ, how far they agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from math import comb
from statistics import fmean

from evalkit.stats.rates import Interval
from evalkit.stats.scores import mean_interval


@dataclass(frozen=True, slots=True)
class TwoLevelMean:
    """A mean of ``groups`` means; its interval treats the groups as a sample. ``mean`` is None without a group."""

    mean: float | None
    interval: Interval | None
    groups: int


def pass_at_k(n: int, c: int, k: int) -> float:
    """The chance that at least one of k samples passes, estimated without bias from c of n that did.

    Raises:
        ValueError: not 0 <= c <= n, or not 1 <= k <= n.

    Source: Chen et al. (2021), "Evaluating large language models trained on code".
    """
    _check(n, c, k)
    return 1.0 - comb(n - c, k) / comb(n, k)


def pass_hat_k(n: int, c: int, k: int) -> float:
    """The chance that all of k samples pass, pass^k, estimated without bias from c of n that did.

    Raises:
        ValueError: not 0 <= c <= n, or not 1 <= k <= n.

    Source: Yao et al. (2024), "tau-bench".
    """
    _check(n, c, k)
    return comb(c, k) / comb(n, k)


def flip_rate(outcomes: Sequence[Sequence[Hashable]]) -> float | None:
    """The chance that two samples of a probe differ, averaged over the probes that have two; None without any.

    ``outcomes`` holds one sequence a probe.

    Source: Gini (1912), in its unbiased form for a sample: differing pairs over all pairs.
    """
    rates = [1 - _agreeing(samples) for samples in outcomes if len(samples) > 1]
    return fmean(rates) if rates else None


def fleiss_kappa(outcomes: Sequence[Sequence[Hashable]]) -> float | None:
    """Agreement beyond chance of repeats of the same probes, 1 for full; None where every outcome is the same.

    ``outcomes`` holds one sequence a probe, each with the same number of repeats, two or more.

    Raises:
        ValueError: the probes have unequal numbers of repeats, or fewer than two.

    Source: Fleiss (1971).
    """
    sizes = {len(samples) for samples in outcomes}
    if len(sizes) > 1 or (sizes and min(sizes) < 2):
        raise ValueError(f"every probe needs the same two or more repeats; found {sorted(sizes)}")
    counts = Counter(outcome for samples in outcomes for outcome in samples)
    total = sum(counts.values())
    chance = sum((count / total) ** 2 for count in counts.values()) if total else 1.0
    if len(counts) < 2:
        return None
    return (fmean(_agreeing(samples) for samples in outcomes) - chance) / (1 - chance)


def two_level_mean(groups: Mapping[Hashable, Sequence[float]], confidence: float = 0.95) -> TwoLevelMean:
    """The mean of the groups' means, so that each group weighs the same however many values it has.

    In the values' unit; empty groups are left out. Groups are probes with their samples, or categories with probes.

    Raises:
        ValueError: confidence is not between 0 and 1.

    Source: the interval is Student's over the groups' means, which holds the variance of both levels (Miller 2024).
    """
    means = [fmean(values) for values in groups.values() if values]
    return TwoLevelMean(fmean(means) if means else None, mean_interval(means, confidence), len(means))


def _agreeing(samples: Sequence[Hashable]) -> float:
    """The share of pairs of samples that are alike."""
    return sum(comb(count, 2) for count in Counter(samples).values()) / comb(len(samples), 2)


def _check(n: int, c: int, k: int) -> None:
    if not 0 <= c <= n or not 1 <= k <= n:
        raise ValueError(f"expected 0 <= c <= n and 1 <= k <= n; found n={n!r}, c={c!r}, k={k!r}")
