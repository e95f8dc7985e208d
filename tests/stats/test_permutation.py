"""The sign-flip test against every flip counted by hand, and against McNemar."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.stats import mcnemar_p, sign_flip_p
from evalkit.stats.permutation import MAX_ENUMERATED

CALM = settings(deadline=None)  # a busy machine is no failure
FEW = st.lists(st.tuples(st.integers(0, 7), st.floats(-20, 20)), max_size=12)
STEPS = st.lists(st.tuples(st.integers(0, 9), st.sampled_from([-1, -2 / 3, -0.5, 0, 0.2, 1 / 3, 1])), max_size=30)


def by_hand(differences: list[float], clusters: list[int]) -> float:
    """The share of all choices of signs whose sum is at least as far from 0."""
    sums = [sum(value for value, own in zip(differences, clusters, strict=True) if own == one) for one in set(clusters)]
    flips = np.array(list(product([-1, 1], repeat=len(sums)))) @ np.array(sums) if sums else np.zeros(1)
    return float(np.mean(np.abs(flips) >= abs(sum(sums)) - 1e-7))


@given(STEPS)
@CALM
def test_outcomes_are_counted_exactly(units: list[tuple[int, float]]) -> None:
    """Sums that are multiples of a step, thirds and fifths mixed."""
    clusters, differences = [cluster for cluster, _ in units], [value for _, value in units]

    assert sign_flip_p(differences, clusters) == pytest.approx(by_hand(differences, clusters), abs=1e-9)


@given(FEW)
@CALM
def test_any_scores_are_counted_exactly_for_few_clusters(units: list[tuple[int, float]]) -> None:
    """Sums without a common step."""
    clusters, differences = [cluster for cluster, _ in units], [round(value, 2) for _, value in units]

    assert sign_flip_p(differences, clusters) == pytest.approx(by_hand(differences, clusters), abs=1e-9)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 20))
@CALM
def test_for_singletons_it_is_exact_mcnemar(worse: int, better: int, same: int) -> None:
    """To the last digit."""
    differences = [-1.0] * worse + [1.0] * better + [0.0] * same

    assert sign_flip_p(differences, range(len(differences))) == pytest.approx(mcnemar_p(worse, better), rel=1e-9)


def test_many_irregular_scores_are_drawn() -> None:
    """Beyond the clusters that can be counted: near the exact p, the same on every run, never 0."""
    draw = np.random.default_rng(3)
    differences = list(draw.normal(0.4, 1.0, MAX_ENUMERATED + 4) * np.pi)
    clusters = range(len(differences))
    exact = by_hand(differences, list(clusters))

    assert sign_flip_p(differences, clusters) == pytest.approx(exact, abs=0.005)
    assert sign_flip_p(differences, clusters) == sign_flip_p(differences, clusters)
    assert sign_flip_p(differences, clusters) != sign_flip_p(differences, clusters, seed=1)
    assert sign_flip_p([abs(value) + 9 for value in differences], clusters, draws=1_000) == pytest.approx(1 / 1001)


def test_drawing_in_parts_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """How much memory it may use is not seen in the p."""
    differences = list(np.random.default_rng(3).normal(0.4, 1.0, 20))
    at_once = sign_flip_p(differences, range(20), draws=1_000)
    monkeypatch.setattr("evalkit.stats.permutation.CELLS", 200)

    assert sign_flip_p(differences, range(20), draws=1_000) == pytest.approx(at_once, abs=0.03)


def test_nothing_that_differs_is_no_evidence() -> None:
    """Nor is a cluster whose units cancel out."""
    assert sign_flip_p([], []) == 1.0
    assert sign_flip_p([0.0] * 5, "aabbc") == 1.0
    assert sign_flip_p([1.0, -1.0], "aa") == 1.0
    assert sign_flip_p([1.0] * 40, ["a"] * 40) == 1.0


def test_a_family_is_one_piece_of_evidence() -> None:
    """Five families that got worse, 0.0625 like five singletons; McNemar takes their 20 units for independent."""
    differences, clusters = [-1.0] * 20 + [0.0] * 280, [number // 4 for number in range(300)]

    assert sign_flip_p(differences, clusters) == 0.0625
    assert mcnemar_p(20, 0) < 0.00001


def test_every_difference_needs_its_cluster() -> None:
    """With both numbers."""
    with pytest.raises(ValueError, match=r"^every value needs its cluster; found 2 values and 1 clusters$"):
        sign_flip_p([1.0, 2.0], "a")


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("icc", [0.3, 0.8])
def test_its_size_holds_where_mcnemar_s_does_not(icc: float) -> None:
    """No true change, 75 families of 4, 1,500 draws: at most 5.5 % by three standard errors; McNemar far above."""
    draws, draw = 1_500, np.random.default_rng(5)
    clusters = [number // 4 for number in range(300)]
    flip = exact = 0
    for _ in range(draws):
        chances = draw.dirichlet(np.array([0.08, 0.08, 0.84]) * (1 - icc) / icc, 75)
        counts = draw.multinomial(4, chances)
        differences = [
            value for worse, better, same in counts.tolist() for value in [-1.0] * worse + [1.0] * better + [0.0] * same
        ]
        flip += sign_flip_p(differences, clusters) <= 0.05
        exact += mcnemar_p(int(counts[:, 0].sum()), int(counts[:, 1].sum())) <= 0.05

    assert flip / draws <= 0.055 + 3 * 0.0059
    assert exact / draws > 0.09
