"""Means of scores, several tests at once, and repeats of one probe, against scipy, statsmodels and hand counts."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.inter_rater import aggregate_raters
from statsmodels.stats.inter_rater import fleiss_kappa as fleiss
from statsmodels.stats.multitest import multipletests

from evalkit.stats import (
    Interval,
    PairedScores,
    TwoLevelMean,
    fleiss_kappa,
    flip_rate,
    holm,
    mean_interval,
    paired_score_test,
    pass_at_k,
    pass_hat_k,
    sign_flip_p,
    sign_test_p,
    two_level_mean,
)

CALM = settings(deadline=None)  # a busy machine is no failure
SCORES = st.lists(st.floats(-50, 50).map(lambda score: round(score, 1)), min_size=2, max_size=60)


@given(SCORES)
@CALM
def test_a_mean_s_interval_is_student_s(scores: list[float]) -> None:
    """As scipy's one-sample t-test has it."""
    if len(set(scores)) == 1:
        return
    low, high = stats.ttest_1samp(scores, 0.0).confidence_interval(0.95)

    assert mean_interval(scores) == Interval(pytest.approx(low, abs=1e-6), pytest.approx(high, abs=1e-6))


def test_one_score_has_no_interval() -> None:
    """Nor has none; equal ones have width 0, since nothing bounds a score."""
    assert mean_interval([]) is None
    assert mean_interval([3.0]) is None
    assert mean_interval([3.0, 3.0, 3.0]) == Interval(3.0, 3.0)


def test_paired_scores_by_pair_and_by_cluster() -> None:
    """The same mean, a wider interval and a larger p where whole families moved."""
    differences = [2.0, 2.1, 1.9, 2.0, -0.5, -0.4, -0.6, -0.5, 1.0, 1.1, 0.9, 1.0]
    clusters = [number // 4 for number in range(12)]
    alone, together = paired_score_test(differences), paired_score_test(differences, clusters)

    assert alone.mean == together.mean == pytest.approx(10 / 12)
    assert (alone.pairs, alone.clusters, together.pairs, together.clusters) == (12, 12, 12, 3)
    assert alone.interval == mean_interval(differences)
    assert together.interval == Interval(pytest.approx(-2.2925, abs=1e-4), pytest.approx(3.9591, abs=1e-4))
    assert together.p == sign_flip_p(differences, clusters) == 0.5
    assert alone.p < 0.05


def test_no_pair_says_nothing() -> None:
    """And one only what it is."""
    assert paired_score_test([]) == PairedScores(None, None, 1.0, 0, 0)
    assert paired_score_test([2.0]) == PairedScores(2.0, None, 1.0, 1, 1)


def test_holm_in_the_order_given() -> None:
    """The steps of the paper on four p values."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    assert holm([]) == ()


@pytest.mark.slow
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
@settings(deadline=None, max_examples=25)  # statsmodels prepares pandas tables for each
def test_holm_is_statsmodels(p_values: list[float]) -> None:
    """Ties and ends included."""
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1], abs=1e-12)


@given(st.integers(1, 12).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
@CALM
def test_k_samples_counted_by_hand(counts: tuple[int, int, int]) -> None:
    """Every choice of k of the n samples: those with a pass, and those with nothing else."""
    n, c, k = counts
    choices = list(combinations([True] * c + [False] * (n - c), k))

    assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, choices)) / len(choices))
    assert pass_hat_k(n, c, k) == pytest.approx(sum(map(all, choices)) / len(choices))


def test_many_samples_do_not_overflow() -> None:
    """2,000 samples, half of them passing."""
    assert pass_at_k(2_000, 1_000, 10) == pytest.approx(1 - 2**-10, rel=1e-4)
    assert pass_hat_k(2_000, 2_000, 100) == 1.0


def test_how_often_two_samples_differ() -> None:
    """Over probes with two samples; a probe with one says nothing."""
    assert flip_rate([]) is None
    assert flip_rate([["pass"], []]) is None
    assert flip_rate([["pass", "pass"], ["fail", "fail"]]) == 0.0
    assert flip_rate([["pass", "fail"], ["pass", "pass"], ["pass"]]) == 0.5
    assert flip_rate([[True, True, True, False]]) == pytest.approx(3 / comb(4, 2))


@given(st.integers(2, 6).flatmap(lambda n: st.lists(st.lists(st.sampled_from("pfu"), min_size=n, max_size=n))))
@CALM
def test_fleiss_is_statsmodels(outcomes: list[list[str]]) -> None:
    """Over probes with the same number of repeats."""
    found = fleiss_kappa(outcomes)
    if len({outcome for samples in outcomes for outcome in samples}) < 2:
        assert found is None
        return

    assert found == pytest.approx(fleiss(aggregate_raters(np.array(outcomes))[0]), abs=1e-9)


def test_groups_weigh_the_same() -> None:
    """However many values each has; empty ones are left out."""
    groups = {"a": [1.0, 1.0, 1.0, 1.0], "b": [0.0], "c": [], "d": [0.5, 1.0]}

    assert two_level_mean(groups) == TwoLevelMean(pytest.approx(1.75 / 3), mean_interval([1.0, 0.0, 0.75]), 3)
    assert two_level_mean({"a": []}) == TwoLevelMean(None, None, 0)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: holm([0.5, 1.5]), "p values must be between 0 and 1; found 1.5"),
        (lambda: pass_at_k(5, 6, 1), "expected 0 <= c <= n and 1 <= k <= n; found n=5, c=6, k=1"),
        (lambda: pass_hat_k(5, 3, 6), "expected 0 <= c <= n and 1 <= k <= n; found n=5, c=3, k=6"),
        (lambda: fleiss_kappa(["pp", "p"]), "every probe needs the same two or more repeats; found [1, 2]"),
        (lambda: fleiss_kappa(["p", "p"]), "every probe needs the same two or more repeats; found [1]"),
        (lambda: sign_test_p(-1, 2), "counts must not be negative; found improved=-1, regressed=2"),
        (lambda: mean_interval([1.0, 2.0], 95), "confidence must be between 0 and 1; found 95"),
    ],
)
def test_what_is_impossible_is_refused(call: object, sentence: str) -> None:
    """With what was found."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the whole message is asserted below
        call()  # type: ignore[operator]

    assert str(caught.value) == sentence
