"""Agreement between a judge and people, checked against statsmodels and by simulation."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from evalkit.agreement import Agreement, Labelled, corrected_rate
from evalkit.stats import Interval, wilson_interval
from evalkit.verdict import Outcome


def counted(tp: int, fp: int, tn: int, fn: int) -> Agreement:
    cells: list[tuple[bool, Outcome, int]] = [
        (True, "pass", tp), (False, "pass", fp), (False, "fail", tn), (True, "fail", fn),
    ]  # fmt: skip
    return Agreement.of(Labelled(truth, outcome) for truth, outcome, count in cells for _ in range(count))


def test_the_two_by_two() -> None:
    """Every figure of one worked table, with its interval."""
    found = counted(40, 5, 25, 10)

    assert found.n == 80
    assert found.accuracy == pytest.approx(65 / 80)
    assert found.accuracy_interval == wilson_interval(65, 80)
    assert found.sensitivity == 0.8
    assert found.sensitivity_interval == wilson_interval(40, 50)
    assert found.specificity == pytest.approx(25 / 30)
    assert found.specificity_interval.low == pytest.approx(wilson_interval(25, 30).low)
    assert found.youden == pytest.approx(0.8 + 25 / 30 - 1)
    assert found.abstention == 0.0


@given(*(st.integers(0, 40),) * 4)
def test_kappa_is_that_of_statsmodels(tp: int, fp: int, tn: int, fn: int) -> None:
    """Kappa and its interval for any table in which both answers occur on both sides."""
    if not (tp + fp and tn + fn and tp + fn and tn + fp):
        return
    theirs = cohens_kappa([[tp, fp], [fn, tn]])
    ours = counted(tp, fp, tn, fn)

    assert ours.kappa == pytest.approx(theirs.kappa, abs=1e-12)
    found = ours.kappa_interval()
    if found is None:
        assert fp == fn == 0 or theirs.std_kappa == pytest.approx(0, abs=1e-6)
        return
    assert found.low == pytest.approx(max(-1.0, theirs.kappa_low), abs=1e-9)
    assert found.high == pytest.approx(min(1.0, theirs.kappa_upp), abs=1e-9)


def test_abstentions_are_counted_apart() -> None:
    """An answer that was not decided is neither right nor wrong."""
    found = Agreement.of([Labelled(True, "pass"), Labelled(True, "unscored"), Labelled(False, "unscored")])

    assert (found.decided, found.unscored_right, found.unscored_wrong) == (1, 1, 1)
    assert found.accuracy == 1.0
    assert found.abstention == pytest.approx(2 / 3)
    assert found.specificity is None
    assert found.specificity_interval == Interval(0.0, 1.0)


def test_nothing_labelled_says_nothing() -> None:
    """No share, no kappa, and a reason why there is no correction."""
    found = Agreement.of([])

    assert (found.accuracy, found.kappa, found.kappa_interval(), found.youden, found.abstention) == (None,) * 5
    assert found.why_no_correction == "30 labels of each kind are needed, 0 are there"
    assert counted(9, 0, 0, 0).kappa is None


def test_labels_weigh_by_how_unlikely_they_were() -> None:
    """One of ten passes was looked at and all failures: the passes weigh ten times as much, the interval widens."""
    labels = [Labelled(True, "pass", 0.1)] * 9 + [Labelled(False, "pass", 0.1)] + [Labelled(True, "fail")] * 10
    found = Agreement.of(labels)

    assert found.sensitivity == pytest.approx(90 / 100)
    assert found.effective_right == pytest.approx(100**2 / (9 * 100 + 10))
    assert found.sensitivity_interval.high - found.sensitivity_interval.low > 0.3
    with pytest.raises(ValueError, match=r"expected an inclusion probability in \(0, 1\]; found 0"):
        Agreement.of([Labelled(True, "pass", 0)])


def test_the_corrected_rate_of_a_worked_example() -> None:
    """Rogan and Gladen's estimate, and an interval around it that is wider than Wilson's."""
    agreement = counted(90, 20, 80, 10)
    found = corrected_rate(200, 300, agreement)

    assert found is not None
    assert found.rate == pytest.approx((2 / 3 + 0.8 - 1) / 0.7)
    assert found.interval.low < found.rate < found.interval.high
    naive = wilson_interval(200, 300)
    assert found.interval.high - found.interval.low > naive.high - naive.low


@pytest.mark.parametrize(
    ("agreement", "why"),
    [
        (counted(29, 0, 60, 0), "30 labels of each kind are needed, 29 are there"),
        (counted(60, 0, 29, 0), "30 labels of each kind are needed, 29 are there"),
        (counted(30, 30, 30, 30), "the judge tells right from wrong too badly (Youden's J 0.00, under 0.2)"),
        (counted(36, 24, 36, 24), ""),
    ],
)
def test_a_rate_is_corrected_only_where_that_means_something(agreement: Agreement, why: str) -> None:
    """Thirty labels of each class and a judge that is better than a coin."""
    assert agreement.why_no_correction == why
    assert (corrected_rate(10, 20, agreement) is None) == bool(why)
    assert corrected_rate(0, 0, agreement) is None


@pytest.mark.parametrize(("truth", "se", "sp"), [(0.9, 0.9, 0.8), (0.6, 0.8, 0.7), (0.97, 0.95, 0.9)])
def test_the_interval_holds_the_truth_as_often_as_it_says(truth: float, se: float, sp: float) -> None:
    """In 1,000 simulated calibrations and runs the interval covers the true rate in 93 % to 99 %."""
    draw = random.Random(11)

    def hits(n: int, p: float) -> int:
        return sum(draw.random() < p for _ in range(n))

    covered = 0
    for _ in range(1000):
        right, wrong = hits(60, se), hits(50, sp)
        agreement = replace(
            Agreement(), true_pass=right, false_fail=60 - right, true_fail=wrong, false_pass=50 - wrong,
            effective_right=60, effective_wrong=50,
        )  # fmt: skip
        found = corrected_rate(hits(200, truth * se + (1 - truth) * (1 - sp)), 200, agreement)
        covered += found is not None and found.interval.low <= truth <= found.interval.high
    assert 930 <= covered <= 995
