"""Intervals that respect clusters: where they meet the simple ones, statsmodels, and what simulations ask of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.api import OLS

from evalkit.stats import (
    ClusterMean,
    Interval,
    cluster_bootstrap_interval,
    cluster_difference_interval,
    cluster_interval,
    tango_interval,
    wilson_interval,
)
from evalkit.stats.clustered import Clustered, robust_interval

CALM = settings(deadline=None)  # a busy machine is no failure
FAMILIES = st.lists(st.lists(st.booleans(), min_size=1, max_size=6), min_size=1, max_size=25)
CHANGES = st.lists(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 1.0]), min_size=1, max_size=6), min_size=1, max_size=25)


def flat(families: Sequence[Sequence[float]]) -> tuple[list[float], list[int]]:
    """Values and the number of each one's cluster."""
    values = [float(value) for family in families for value in family]
    return values, [number for number, family in enumerate(families) for _ in family]


def families_of(size: int, *sums: int) -> tuple[list[float], list[int]]:
    """Clusters of ``size`` units, so many of which are 1, or -1 for a negative number."""
    return flat([[1.0 if total > 0 else -1.0] * abs(total) + [0.0] * (size - abs(total)) for total in sums])


@given(FAMILIES)
@CALM
def test_the_rate_lies_inside_its_interval(families: list[list[float]]) -> None:
    """0 <= low <= rate <= high <= 1, never of width 0, never more effective units than units."""
    found = cluster_interval(*flat(families))

    assert found.mean is not None
    assert 0 <= found.low <= found.mean <= found.high <= 1
    assert found.high - found.low > 0.01
    assert 0 < found.effective_n <= sum(map(len, families)) + 1e-9
    assert found.clusters == len(families)


@given(FAMILIES)
@CALM
def test_failures_mirror_passes(families: list[list[float]]) -> None:
    """The interval of the failures is that of the passes turned over."""
    values, clusters = flat(families)
    passes, failures = cluster_interval(values, clusters), cluster_interval([1 - value for value in values], clusters)

    assert (passes.low, passes.high) == pytest.approx((1 - failures.high, 1 - failures.low), abs=1e-9)


@given(CHANGES)
@CALM
def test_the_difference_lies_inside_its_interval(families: list[list[float]]) -> None:
    """-1 <= low <= difference <= high <= 1, never of width 0, mirrored when before and after change places."""
    values, clusters = flat(families)
    found = cluster_difference_interval(values, clusters)
    turned = cluster_difference_interval([-value for value in values], clusters)

    assert found.mean is not None
    assert -1 <= found.low <= found.mean + 1e-12
    assert found.mean - 1e-12 <= found.high <= 1
    assert found.high - found.low > 0.01
    assert (found.low, found.high) == pytest.approx((-turned.high, -turned.low), abs=1e-9)


@given(CHANGES)
@CALM
def test_the_difference_s_interval_holds_the_robust_one(families: list[list[float]]) -> None:
    """Where a cluster has two units and there are two clusters; cut at -1 and 1."""
    values, clusters = flat(families)
    plain = robust_interval(Clustered.of(values, clusters))
    if plain is None or max(map(len, families)) == 1:
        return
    found = cluster_difference_interval(values, clusters)

    assert found.low <= max(-1.0, plain.low) + 1e-12
    assert found.high >= min(1.0, plain.high) - 1e-12


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=1, max_size=80))
@CALM
def test_singletons_get_the_simple_intervals(differences: list[float]) -> None:
    """Wilson's for a rate, Tango's for a difference."""
    n, own = len(differences), range(len(differences))
    worse, better = differences.count(-1.0), differences.count(1.0)

    rate = cluster_interval([float(value > 0) for value in differences], own)
    difference = cluster_difference_interval(differences, own)

    wilson, tango = wilson_interval(better, n), tango_interval(worse, better, n)
    assert (rate.low, rate.high) == pytest.approx((wilson.low, wilson.high), abs=1e-9)
    assert (difference.low, difference.high) == pytest.approx((tango.low, tango.high), abs=1e-9)
    assert (rate.effective_n, difference.effective_n) == pytest.approx((n, n))


@given(CHANGES)
@CALM
def test_the_robust_interval_is_statsmodels(families: list[list[float]]) -> None:
    """Least squares on a constant, clustered errors, small-sample form."""
    values, clusters = flat(families)
    found = robust_interval(Clustered.of(values, clusters))
    if len(families) < 2 or sum(map(len, families)) < 3:
        return
    fit = OLS(values, np.ones(len(values))).fit(
        cov_type="cluster", cov_kwds={"groups": np.array(clusters), "df_correction": True}, use_t=True
    )
    low, high = fit.conf_int()[0]

    assert found == Interval(pytest.approx(low, abs=1e-7), pytest.approx(high, abs=1e-7))


def test_families_that_agree_count_once() -> None:
    """75 families of 4 that are each all right or all wrong tell as much as 75 units; alike is no more than that."""
    together = cluster_interval(*families_of(4, *[4] * 60, *[0] * 15))
    mixed = cluster_interval(*families_of(4, *[4] * 15, *[3] * 60))

    assert together.effective_n == pytest.approx(75, rel=0.02)
    assert mixed.effective_n > 200
    assert mixed.high - mixed.low < together.high - together.low


@pytest.mark.parametrize(("size", "clusters"), [(4, 12), (4, 75), (10, 30)])
def test_all_passing_counts_clusters(size: int, clusters: int) -> None:
    """No failure seen says nothing of how they would come, so they are taken to come by whole clusters."""
    found = cluster_interval(*families_of(size, *[size] * clusters))

    assert found.effective_n == pytest.approx(clusters)
    assert (found.mean, found.high) == (1.0, 1.0)
    assert found.low < wilson_interval(clusters, clusters).low


def test_goldens_of_75_families_of_4() -> None:
    """In points: no unit got worse, one, twelve of as many families, and three whole families."""
    none = cluster_difference_interval(*families_of(4, *[0] * 75))
    one = cluster_difference_interval(*families_of(4, -1, *[0] * 74))
    scattered = cluster_difference_interval(*families_of(4, *[-1] * 12, *[0] * 63))
    whole = cluster_difference_interval(*families_of(4, *[-4] * 3, *[0] * 72))

    assert points(none) == (-5.03, 5.03)
    assert points(one) == (-3.82, 2.88)
    assert points(scattered) == (-7.33, -1.88)
    assert points(whole) == (-11.33, 1.28)


def points(found: ClusterMean) -> tuple[float, float]:
    return round(100 * found.low, 2), round(100 * found.high, 2)


def test_unequal_clusters_count_by_their_size() -> None:
    """One family of 60 among 60 singletons, all passing: worth Kish's number, 120² / (60² + 60)."""
    found = cluster_interval(*flat([[1.0] * 60, *[[1.0]] * 60]))

    assert found.effective_n == pytest.approx(120**2 / (60**2 + 60))


def test_nothing_and_a_single_cluster_say_nothing() -> None:
    """However many units it holds."""
    assert cluster_interval([], []) == ClusterMean(None, 0.0, 1.0, 0, 0.0)
    assert cluster_difference_interval([], []) == ClusterMean(None, -1.0, 1.0, 0, 0.0)
    assert points(cluster_interval([1.0] * 90, ["a"] * 90)) == (0.0, 100.0)
    assert points(cluster_difference_interval([0.0] * 90, ["a"] * 90)) == (-100.0, 100.0)
    assert points(cluster_difference_interval([0.2] * 90, ["a"] * 90)) == (-100.0, 100.0)
    assert points(cluster_interval([0.2] * 90, ["a"] * 90)) == (0.0, 100.0)
    assert robust_interval(Clustered.of([1.0, 0.0], "aa")) is None
    assert cluster_bootstrap_interval([1.0, 0.0], "aa") is None
    assert cluster_bootstrap_interval([], []) is None


def test_more_confidence_is_wider() -> None:
    """For both intervals."""
    values, clusters = families_of(4, 3, -1, 0, 2, 4, 4, 1)
    rates = [float(value > 0) for value in values]

    for interval, numbers in ((cluster_interval, rates), (cluster_difference_interval, values)):
        wide, narrow = interval(numbers, clusters, 0.99), interval(numbers, clusters, 0.90)
        assert wide.low < narrow.low < narrow.high < wide.high


def test_the_bootstrap_is_seeded_and_near_the_robust_interval() -> None:
    """The same on every run; with 200 clusters both say the same."""
    draw = np.random.default_rng(7)
    values, clusters = flat([list(draw.normal(family, 1.0, 3)) for family in draw.normal(20, 2, 200)])
    plain = robust_interval(Clustered.of(values, clusters))
    found = cluster_bootstrap_interval(values, clusters)

    assert plain is not None
    assert found is not None
    assert found == cluster_bootstrap_interval(values, clusters)
    assert found != cluster_bootstrap_interval(values, clusters, seed=1)
    half = (plain.high - plain.low) / 2
    assert found.low == pytest.approx(plain.low, abs=0.1 * half)
    assert found.high == pytest.approx(plain.high, abs=0.1 * half)


def test_the_bootstrap_draws_in_parts_as_it_does_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """How much memory it may use changes nothing."""
    values, clusters = families_of(4, 3, 0, 2, 4, 4, 1)
    at_once = cluster_bootstrap_interval(values, clusters, draws=1_000)
    monkeypatch.setattr("evalkit.stats.clustered.CELLS", 100)

    assert cluster_bootstrap_interval(values, clusters, draws=1_000) == at_once


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize(
    ("clusters", "icc", "p", "least"), [(12, 0.8, 0.98, 0.91), (75, 0.8, 0.98, 0.93), (30, 0.3, 0.9, 0.93)]
)
def test_the_rate_is_covered(clusters: int, icc: float, p: float, least: float) -> None:
    """Three cells of benchmarks/STATISTICS.md with 1,500 draws, less three standard errors of such a share."""
    draws, draw = 1_500, np.random.default_rng(4)
    chances = draw.beta(p * (1 - icc) / icc, (1 - p) * (1 - icc) / icc, (draws, clusters))
    passed = draw.binomial(4, chances)
    found = [cluster_interval(*families_of(4, *map(int, sums))) for sums in passed]
    covered = sum(interval.low <= p <= interval.high for interval in found) / draws

    assert covered >= least - 3 * sqrt(least * (1 - least) / draws)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: cluster_interval([1.0, 2.0], "ab"), "values must be between 0 and 1; found 2.0"),
        (lambda: cluster_interval([-0.5], "a"), "values must be between 0 and 1; found -0.5"),
        (lambda: cluster_interval([1.0], "ab"), "every value needs its cluster; found 1 values and 2 clusters"),
        (lambda: cluster_interval([1.0], "a", 95), "confidence must be between 0 and 1; found 95"),
        (lambda: cluster_difference_interval([-2.0], "a"), "values must be between -1 and 1; found -2.0"),
        (lambda: cluster_difference_interval([1.0], "a", 0), "confidence must be between 0 and 1; found 0"),
        (lambda: cluster_bootstrap_interval([1.0], "a", confidence=2), "confidence must be between 0 and 1; found 2"),
    ],
)
def test_what_is_impossible_is_refused(call: object, sentence: str) -> None:
    """With what was found."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the whole message is asserted below
        call()  # type: ignore[operator]

    assert str(caught.value) == sentence
