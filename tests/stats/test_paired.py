"""McNemar's tests against published figures and statsmodels, Tango's interval against its own definition."""

from __future__ import annotations

from math import log, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from statsmodels.stats.contingency_tables import mcnemar

from evalkit.stats import Interval, mcnemar_chi_square, mcnemar_p, tango_interval, wilson_interval

CALM = settings(deadline=None)  # a busy machine is no failure
PAIRS = st.tuples(st.integers(0, 80), st.integers(0, 80), st.integers(0, 300))


@pytest.mark.parametrize(
    ("worse", "better", "chi_square", "p"),
    [(81, 12, 51.19, "8.4e-13"), (76, 15, 40.89, "1.6e-10"), (21, 13, 1.88, "1.7e-01")],
)
def test_published_values_are_uncorrected(worse: int, better: int, chi_square: float, p: str) -> None:
    """The Instrument Trap paper's three tests; with the correction they come out smaller."""
    found, found_p = mcnemar_chi_square(worse, better)

    assert (round(found, 2), f"{found_p:.1e}") == (chi_square, p)
    assert mcnemar_chi_square(worse, better, corrected=True)[0] < found


@given(st.integers(0, 120), st.integers(0, 120))
@CALM
def test_statsmodels_agrees(worse: int, better: int) -> None:
    """Exact, chi-square, and chi-square with correction."""
    if worse + better == 0:
        return
    table = [[0, worse], [better, 0]]

    assert mcnemar_p(worse, better) == pytest.approx(mcnemar(table, exact=True).pvalue, rel=1e-9)
    plain = mcnemar(table, exact=False, correction=False)
    assert mcnemar_chi_square(worse, better) == pytest.approx((plain.statistic, plain.pvalue), rel=1e-9)
    if worse != better:  # statsmodels corrects a tie to a chi-square above 0
        corrected = mcnemar(table, exact=False, correction=True)
        found = mcnemar_chi_square(worse, better, corrected=True)
        assert found == pytest.approx((corrected.statistic, corrected.pvalue), rel=1e-9)


def test_pairs_that_do_not_differ_say_nothing() -> None:
    """No discordant pair, no evidence; and five of one kind are not enough."""
    assert mcnemar_p(0, 0) == 1.0
    assert mcnemar_chi_square(0, 0) == (0.0, 1.0)
    assert mcnemar_chi_square(4, 4, corrected=True) == (0.0, 1.0)
    assert mcnemar_p(5, 0) == 0.0625


@pytest.mark.parametrize(
    ("worse", "better", "low", "high"),
    [(5, 0, -3.84, -0.38), (12, 1, -6.57, -1.59), (0, 12, 2.30, 6.86), (1, 1, -1.56, 1.56), (0, 0, -1.26, 1.26)],
)
def test_goldens_of_300(worse: int, better: int, low: float, high: float) -> None:
    """In points, to two digits."""
    found = tango_interval(worse, better, 300)

    assert (round(100 * found.low, 2), round(100 * found.high, 2)) == (low, high)


@given(PAIRS)
@CALM
def test_bounds_solve_the_score_equation(counts: tuple[int, int, int]) -> None:
    """At a bound the score test, its nuisance share maximised by hand, is exactly at the quantile."""
    worse, better, same = counts
    n = worse + better + same
    if n == 0:
        return
    found = tango_interval(worse, better, n)

    for bound in (found.low, found.high):
        if abs(bound) < 1 - 1e-9:
            assert abs(score(worse, better, n, bound)) == pytest.approx(1.959964, rel=1e-3)


def score(worse: int, better: int, n: int, d: float) -> float:
    """Tango's statistic for a true difference d, the share that got worse found by maximising the likelihood."""

    def lacking(share: float) -> float:
        shares = ((better, share + d), (worse, share), (n - worse - better, 1 - 2 * share - d))
        return -sum(count * log(max(chance, 1e-300)) for count, chance in shares if count)

    bounds = (max(0.0, -d), (1 - d) / 2)
    best = minimize_scalar(lacking, bounds=bounds, method="bounded", options={"xatol": 1e-13}).x
    share = min((best, *bounds), key=lacking)
    return (better - worse - n * d) / sqrt(n * (2 * share + d - d * d))


@given(PAIRS)
@CALM
def test_the_difference_lies_inside_and_turns_with_its_sign(counts: tuple[int, int, int]) -> None:
    """Never of width 0, within [-1, 1], and mirrored when before and after change places."""
    worse, better, same = counts
    n = worse + better + same
    found, turned = tango_interval(worse, better, n), tango_interval(better, worse, n)

    assert -1 <= found.low < found.high <= 1
    assert n == 0 or found.low <= (better - worse) / n <= found.high
    assert (found.low, found.high) == pytest.approx((-turned.high, -turned.low), abs=1e-12)


@pytest.mark.parametrize("n", [1, 10, 300])
def test_the_ends_have_their_known_bounds(n: int) -> None:
    """Nothing changed: z² / (n + z²) on both sides. All got worse: 1 below, and above as far as Wilson's of all."""
    z2 = 1.959963984540054**2

    assert tango_interval(0, 0, n).high == pytest.approx(z2 / (n + z2), abs=1e-9)
    assert tango_interval(n, 0, n).low == -1.0
    assert tango_interval(n, 0, n).high == pytest.approx(1 - 2 * wilson_interval(n, n).low, abs=1e-9)
    assert tango_interval(0, 0, 0) == Interval(-1.0, 1.0)


def test_effective_numbers_need_not_be_whole() -> None:
    """Half the pairs, a wider interval around the same difference."""
    whole, half = tango_interval(5, 1, 100), tango_interval(2.5, 0.5, 50)

    assert half.low < whole.low < -0.04 < whole.high < half.high


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: mcnemar_p(-1, 2), "counts must be whole and not negative; found worse=-1, better=2"),
        (lambda: mcnemar_p(1, 2.5), "counts must be whole and not negative; found worse=1, better=2.5"),
        (lambda: mcnemar_chi_square(-1, 2), "counts must not be negative; found worse=-1, better=2"),
        (lambda: tango_interval(-1, 2, 9), "expected worse + better between 0 and n; found worse=-1, better=2, n=9"),
        (lambda: tango_interval(5, 5, 9), "expected worse + better between 0 and n; found worse=5, better=5, n=9"),
        (lambda: tango_interval(1, 1, 9, 95), "confidence must be between 0 and 1; found 95"),
    ],
)
def test_what_is_impossible_is_refused(call: object, sentence: str) -> None:
    """With what was found."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the whole message is asserted below
        call()  # type: ignore[operator]

    assert str(caught.value) == sentence
