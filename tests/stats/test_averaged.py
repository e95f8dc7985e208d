"""Intervals of units that are each the mean of several samples: what they are worth, and that they cover."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.stats import (
    ClusterMean,
    cluster_difference_interval,
    cluster_interval,
    sign_flip_p,
    tango_interval,
)
from evalkit.stats.clustered import Clustered, robust_interval

CALM = settings(deadline=None)  # a busy machine is no failure
FIFTHS = [-0.2] * 20 + [0.2] * 20 + [0.0] * 60


def points(found: ClusterMean) -> tuple[float, float]:
    return round(100 * found.low, 2), round(100 * found.high, 2)


def test_averaged_differences_are_worth_more_than_whole_ones() -> None:
    """40 changed probes have a fifth of the variance, one imaginary one all of it; as whole outcomes, ±6.5 points."""
    found = cluster_difference_interval(FIFTHS, range(100))

    assert found.effective_n == pytest.approx(100 * 41 / (40 / 5 + 1))
    assert points(found) == (-2.74, 2.74)
    assert tango_interval(4, 4, 100).low == pytest.approx(-0.0650, abs=1e-4)


def test_averaged_rates_are_worth_more_than_whole_ones() -> None:
    """40 of 100 probes at 80 %, the others at 100 %: a variance of 0.0096 where outcomes have 0.0736."""
    found = cluster_interval([0.8] * 40 + [1.0] * 60, range(100))

    assert found.effective_n == pytest.approx(100 * 41 / (40 * 0.0096 / 0.0736 + 1))
    assert points(found) == (89.65, 93.86)


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=60), st.integers(1, 4))
@CALM
def test_averages_never_count_for_less_than_whole_outcomes(fifths: list[int], size: int) -> None:
    """Nor has their interval width 0, even where all are the same."""
    values, clusters = [fifth / 5 for fifth in fifths], [number // size for number in range(len(fifths))]
    n = len(values)
    worse, better = (sum(max(0.0, sign * value) for value in values) for sign in (-1, 1))
    found = cluster_difference_interval(values, clusters)
    whole = tango_interval(worse, better, n)

    assert found.high - found.low > 0.001
    if size == 1:
        assert found.effective_n >= n - 1e-9
        assert whole.low - 1e-9 <= found.low
        assert found.high <= whole.high + 1e-9


def test_equal_averages_still_have_a_width() -> None:
    """30 probes that all lost a fifth, alone and in families of three; in points."""
    alone = cluster_difference_interval([-0.2] * 30, range(30))
    families = cluster_difference_interval([-0.2] * 30, [number // 3 for number in range(30)])

    assert points(alone) == (-22.81, -17.45)
    assert points(families) == (-29.87, -12.8)


def test_a_mean_that_rounds_to_1_counts_like_whole_ones() -> None:
    """There is no variance left to compare with."""
    assert points(cluster_interval([1.0] * 299 + [1 - 2**-53], range(300))) == (98.74, 100.0)


def averaged(clusters: int, units: int, samples: int, icc: float, draws: int = 1_000) -> list[list[float]]:
    """Differences of two means at 90 %, a cluster's units side by side; chances before and after are drawn apart."""
    draw = np.random.default_rng(4)
    chances = draw.beta(0.9 * (1 - icc) / icc, 0.1 * (1 - icc) / icc, (2, draws, clusters, 1))
    before, after = draw.binomial(samples, np.broadcast_to(chances, (2, draws, clusters, units)))
    return list(((after - before) / samples).reshape(draws, -1).tolist())


@pytest.mark.parametrize(("clusters", "units", "samples", "icc"), [(30, 1, 20, 0.1), (25, 4, 5, 0.3)])
def test_the_averaged_difference_is_covered(clusters: int, units: int, samples: int, icc: float) -> None:
    """Two cells with 1,000 draws: 93 % less three standard errors, not too wide, and tested at no more than 5.5 %."""
    families = [number for number in range(clusters) for _ in range(units)]
    rows = averaged(clusters, units, samples, icc)
    found = [cluster_difference_interval(row, families) for row in rows]
    plain = [robust_interval(Clustered.of(row, families)) for row in rows]
    covered = sum(one.low <= 0 <= one.high for one in found) / len(rows)
    wider = sum(one.high - one.low for one in found) / sum(one.high - one.low for one in plain if one)
    alarms = sum(sign_flip_p(row, families) <= 0.05 for row in rows) / len(rows)

    assert covered >= 0.93 - 3 * sqrt(0.93 * 0.07 / len(rows))
    assert wider <= 1.25
    assert alarms <= 0.055 + 3 * sqrt(0.055 * 0.945 / len(rows))
