"""Intervals of a rate against published values, their own equations and their properties."""

from __future__ import annotations

from collections.abc import Callable
from math import comb
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from evalkit.stats import Interval, clopper_pearson_interval, percent, wilson_interval

CALM = settings(deadline=None)  # a busy machine is no failure
Method = Callable[..., Interval]
COUNTS = st.integers(1, 20_000).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total)))


@pytest.mark.parametrize(
    ("passed", "total", "low", "high"),
    [
        (0, 14950, 0.00, 0.03),
        (292, 300, 94.83, 98.64),
        (2, 300, 0.18, 2.40),
        (12127, 12414, 97.41, 97.94),
        (12127, 14950, 80.48, 81.74),
        (287, 14950, 1.71, 2.15),
        (51, 14950, 0.26, 0.45),
        (236, 14950, 1.39, 1.79),
        (287, 300, 92.73, 97.45),
        (279, 300, 89.54, 95.38),
    ],
)
def test_published_intervals_are_reproduced(passed: int, total: int, low: float, high: float) -> None:
    """The Instrument Trap paper's intervals, to the two digits it prints."""
    interval = wilson_interval(passed, total)

    assert (round(100 * interval.low, 2), round(100 * interval.high, 2)) == (low, high)


@pytest.mark.parametrize(
    ("passed", "total", "low", "high"),
    [(289, 300, 93.6, 97.9), (296, 300, 96.6, 99.5), (290, 300, 94.0, 98.2), (1, 3, 6.1, 79.2)],
)
def test_published_intervals_of_one_digit_are_reproduced(passed: int, total: int, low: float, high: float) -> None:
    """The model card's intervals, to the one digit it prints."""
    interval = wilson_interval(passed, total)

    assert (round(100 * interval.low, 1), round(100 * interval.high, 1)) == (low, high)


def test_none_of_300_has_the_published_upper_bound() -> None:
    """0 of 300 is at most 1.26 %, not zero."""
    assert round(100 * wilson_interval(0, 300).high, 2) == 1.26


def test_226_of_300_has_the_lower_bound_that_the_paper_rounds_up() -> None:
    """70.155 is printed as 70.2 in the paper."""
    assert round(100 * wilson_interval(226, 300).low, 3) == 70.155


@pytest.mark.parametrize(
    ("passed", "total", "printed", "wilson"),
    [(2, 10, (5.7, 50.7), (5.7, 51.0)), (14, 40, (21.1, 51.7), (22.1, 50.5))],
)
def test_intervals_mislabelled_as_wilson_are_not_reproduced(
    passed: int, total: int, printed: tuple[float, float], wilson: tuple[float, float]
) -> None:
    """Two published intervals are called Wilson and are not; we give the real ones."""
    interval = wilson_interval(passed, total)
    ours = (round(100 * interval.low, 1), round(100 * interval.high, 1))

    assert ours == wilson
    assert ours != printed


def test_the_mislabelled_interval_of_14_of_40_is_nearly_clopper_pearson_s() -> None:
    """Printed as 21.1 to 51.7; Clopper-Pearson gives 20.6 to 51.7."""
    interval = clopper_pearson_interval(14, 40)

    assert (round(100 * interval.low, 1), round(100 * interval.high, 1)) == (20.6, 51.7)


@pytest.mark.parametrize("method", [wilson_interval, clopper_pearson_interval])
def test_an_empty_sample_says_nothing(method: Method) -> None:
    """Nothing seen leaves every rate possible."""
    assert method(0, 0) == Interval(0.0, 1.0)


@pytest.mark.parametrize("n", [1, 3, 30, 300])
def test_clopper_pearson_at_the_ends_is_a_power(n: int) -> None:
    """All of n: the rate at which n passes in a row have a chance of 2.5 %."""
    assert clopper_pearson_interval(n, n).low == pytest.approx(0.025 ** (1 / n), abs=1e-12)
    assert clopper_pearson_interval(0, n).high == pytest.approx(1 - 0.025 ** (1 / n), abs=1e-12)


@pytest.mark.parametrize(("n", "p"), [(10, 0.02), (40, 0.35), (40, 0.98)])
def test_clopper_pearson_never_covers_too_rarely(n: int, p: float) -> None:
    """Summed over every count: at least 95 %."""
    bounds = [clopper_pearson_interval(count, n) for count in range(n + 1)]
    covering = [count for count, found in enumerate(bounds) if found.low <= p <= found.high]

    assert sum(comb(n, count) * p**count * (1 - p) ** (n - count) for count in covering) >= 0.95


@given(COUNTS)
@CALM
def test_the_rate_lies_inside_its_interval(counts: tuple[int, int]) -> None:
    """0 <= low <= rate <= high <= 1, for every count."""
    passed, total = counts

    interval = wilson_interval(passed, total)

    assert 0.0 <= interval.low <= passed / total <= interval.high <= 1.0


@given(COUNTS, st.floats(0.5, 0.999))
@CALM
def test_bounds_solve_the_score_equation(counts: tuple[int, int], confidence: float) -> None:
    """A bound is a rate p with |observed - p| = z * sqrt(p (1 - p) / n): Wilson's definition, solved another way."""
    passed, total = counts
    z = NormalDist().inv_cdf(0.5 + confidence / 2)

    interval = wilson_interval(passed, total, confidence)

    for bound in (interval.low, interval.high):
        assert (passed / total - bound) ** 2 == pytest.approx(z * z * bound * (1 - bound) / total, abs=1e-9)


@given(COUNTS)
@CALM
def test_failures_mirror_passes(counts: tuple[int, int]) -> None:
    """The interval of the failures is the interval of the passes turned over."""
    passed, total = counts

    passes, failures = wilson_interval(passed, total), wilson_interval(total - passed, total)

    assert passes.low == pytest.approx(1 - failures.high, abs=1e-12)
    assert passes.high == pytest.approx(1 - failures.low, abs=1e-12)


@given(COUNTS)
@CALM
def test_more_confidence_is_wider(counts: tuple[int, int]) -> None:
    """A 99 % interval holds the 90 % one."""
    wide, narrow = wilson_interval(*counts, 0.99), wilson_interval(*counts, 0.90)

    assert wide.low <= narrow.low
    assert wide.high >= narrow.high


@given(COUNTS)
@CALM
def test_statsmodels_agrees(counts: tuple[int, int]) -> None:
    """An independent implementation gives the same bounds, of both intervals."""
    for ours, name in ((wilson_interval, "wilson"), (clopper_pearson_interval, "beta")):
        low, high = proportion_confint(*counts, alpha=0.05, method=name)

        assert ours(*counts) == Interval(pytest.approx(low, abs=1e-9), pytest.approx(high, abs=1e-9)), name


@pytest.mark.parametrize("method", [wilson_interval, clopper_pearson_interval])
@pytest.mark.parametrize(("passed", "total"), [(-1, 3), (4, 3), (0, -1)])
def test_impossible_counts_are_refused(passed: int, total: int, method: Method) -> None:
    """A count outside 0 to total is a mistake of the caller."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the whole message is asserted below
        method(passed, total)

    assert str(caught.value) == f"passed must be between 0 and total; found passed={passed}, total={total}"


@pytest.mark.parametrize("method", [wilson_interval, clopper_pearson_interval])
@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0, float("nan")])
def test_impossible_confidence_is_refused(confidence: float, method: Method) -> None:
    """95 instead of 0.95 is caught."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the whole message is asserted below
        method(1, 2, confidence)

    assert str(caught.value) == f"confidence must be between 0 and 1; found {confidence!r}"


@pytest.mark.parametrize(("share", "text"), [(0.91666, "91.7 %"), (1.0, "100.0 %"), (0.0, "0.0 %"), (None, "-")])
def test_percent_reads_as_people_write_it(share: float | None, text: str) -> None:
    """One digit, a blank before the sign, a dash for no rate."""
    assert percent(share) == text
