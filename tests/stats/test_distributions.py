"""The distributions against scipy's."""

from __future__ import annotations

from math import inf, nan

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy import special, stats

from evalkit.stats.distributions import (
    beta_quantile,
    chi_square_p,
    incomplete_beta,
    root,
    sign_tails,
    student_p,
    student_quantile,
)

CALM = settings(deadline=None)  # a busy machine is no failure
SHAPES = st.floats(0.1, 20_000)


@given(st.floats(0, 1), SHAPES, SHAPES)
@CALM
def test_the_incomplete_beta_function(x: float, a: float, b: float) -> None:
    """As scipy has it, from small shapes to large ones."""
    assert incomplete_beta(x, a, b) == pytest.approx(special.betainc(a, b, x), rel=1e-9, abs=1e-11)


@given(st.floats(0.001, 0.999), st.floats(0.5, 5_000), st.floats(0.5, 5_000))
@CALM
def test_the_quantile_of_beta(share: float, a: float, b: float) -> None:
    """It undoes the incomplete beta function."""
    assert beta_quantile(share, a, b) == pytest.approx(special.betaincinv(a, b, share), rel=1e-8, abs=1e-12)


@given(st.floats(-50, 50), st.floats(0.5, 100_000))
@example(1e-05, 4515.0)
@CALM
def test_student_s_p(t: float, df: float) -> None:
    """Both tails, for any degrees of freedom, whole or not."""
    assert student_p(t, df) == pytest.approx(2 * stats.t.sf(abs(t), df), rel=1e-8, abs=1e-14)


@given(st.floats(0.5, 0.999), st.floats(1, 5_000))
@CALM
def test_student_s_quantile(confidence: float, df: float) -> None:
    """The t that leaves half of the rest on each side."""
    assert student_quantile(confidence, df) == pytest.approx(stats.t.ppf(0.5 + confidence / 2, df), rel=1e-8)


def test_student_with_no_end_of_freedom_is_normal() -> None:
    """1.96 and its 5 %."""
    assert student_quantile(0.95, inf) == pytest.approx(1.959963984540054)
    assert student_p(1.959963984540054, inf) == pytest.approx(0.05)
    assert student_p(inf, 3) == 0.0


@given(st.floats(0, 400), st.integers(1, 60))
@CALM
def test_chi_square(x: float, df: int) -> None:
    """The upper tail, odd and even degrees of freedom."""
    assert chi_square_p(x, df) == pytest.approx(stats.chi2.sf(x, df), rel=1e-9, abs=1e-300)


def test_chi_square_at_the_ends() -> None:
    """Nothing seen is certain, everything impossible."""
    assert (chi_square_p(0.0), chi_square_p(0.0, 2), chi_square_p(inf)) == (1.0, 1.0, 0.0)


@given(st.integers(0, 600).flatmap(lambda total: st.tuples(st.integers(0, total // 2), st.just(total))))
@CALM
def test_fair_coins(counts: tuple[int, int]) -> None:
    """scipy's exact binomial test at one half."""
    fewer, total = counts
    expected = stats.binomtest(fewer, total).pvalue if total else 1.0

    assert sign_tails(fewer, total) == pytest.approx(expected, rel=1e-9)


def test_a_root_outside_its_bounds_is_the_nearer_one() -> None:
    """Nothing loops for ever."""
    assert root(lambda x: x - 0.25, 0.0, 1.0) == pytest.approx(0.25, abs=1e-15)
    assert root(lambda x: x + 1, 0.0, 1.0) == pytest.approx(0.0, abs=1e-15)
    assert root(lambda x: x - 2, 0.0, 1.0) == pytest.approx(1.0, abs=1e-15)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: incomplete_beta(1.5, 1, 1), "expected x in [0, 1] and a, b above 0; found x=1.5, a=1, b=1"),
        (lambda: incomplete_beta(0.5, 0, 1), "expected x in [0, 1] and a, b above 0; found x=0.5, a=0, b=1"),
        (lambda: beta_quantile(2, 1, 1), "share must be between 0 and 1; found 2"),
        (lambda: student_p(1.0, 0), "expected a number t and df above 0; found t=1.0, df=0"),
        (lambda: student_p(nan, 3), "expected a number t and df above 0; found t=nan, df=3"),
        (lambda: student_quantile(1.0, 3), "expected confidence between 0 and 1 and df above 0; found 1.0, df=3"),
        (lambda: chi_square_p(-1.0), "expected x of at least 0 and a whole df above 0; found x=-1.0, df=1"),
        (lambda: chi_square_p(1.0, 0), "expected x of at least 0 and a whole df above 0; found x=1.0, df=0"),
        (lambda: sign_tails(3, 5), "fewer must be between 0 and half of total; found fewer=3, total=5"),
    ],
)
def test_what_is_impossible_is_refused(call: object, sentence: str) -> None:
    """With what was found."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the whole message is asserted below
        call()  # type: ignore[operator]

    assert str(caught.value) == sentence
