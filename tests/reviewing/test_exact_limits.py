"""Exact limits of a counted group, against scipy and by counting every case."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

from evalkit.reviewing.exact import exact_limits

TAIL = 0.025 * (1 + 1e-9)
"""A tail of exactly 2.5 % is rejected."""


@st.composite
def groups(draw: st.DrawFn) -> tuple[int, int, int]:
    total = draw(st.integers(1, 60))
    read = draw(st.integers(0, total))
    return draw(st.integers(0, read)), read, total


@given(groups())
def test_limits_are_those_of_the_hypergeometric_tails(group: tuple[int, int, int]) -> None:
    """The truths that neither tail of the distribution rejects at 2.5 %."""
    right, read, total = group
    possible = range(right, total - read + right + 1)

    low, high = exact_limits(right, read, total)

    assert low == min(k for k in possible if hypergeom.sf(right - 1, total, k, read) > TAIL)
    assert high == max(k for k in possible if hypergeom.cdf(right, total, k, read) > TAIL)


@pytest.mark.parametrize(("total", "read"), [(30, 5), (30, 12), (200, 20), (11, 10)])
def test_limits_hold_every_truth_often_enough(total: int, read: int) -> None:
    """Whatever the number of right ones is, it lies within the limits in 95 % of all draws or more."""
    for truth in range(total + 1):
        limits = {right: exact_limits(right, read, total) for right in range(read + 1)}
        held = [right for right, (low, high) in limits.items() if low <= truth <= high]

        assert sum(hypergeom.pmf(right, total, truth, read) for right in held) >= 0.95 - 1e-9


def test_the_ends() -> None:
    """Nothing read tells nothing, everything read tells all, and no error in 29 of 289 leaves up to 30 of them."""
    assert exact_limits(0, 0, 50) == (0, 50)
    assert exact_limits(7, 11, 11) == (7, 7)
    assert exact_limits(29, 29, 289) == (257, 289)
    assert exact_limits(0, 13, 16) == (0, 1)


@pytest.mark.parametrize(("right", "read", "total"), [(1455, 1500, 15_000), (700, 1500, 15_000), (3, 14_000, 15_000)])
def test_large_groups(right: int, read: int, total: int) -> None:
    """Chances too small for floating point on the way do not matter: the limits are where the tails pass 2.5 %."""
    low, high = exact_limits(right, read, total)

    assert hypergeom.sf(right - 1, total, low, read) > 0.025 >= hypergeom.sf(right - 1, total, low - 1, read)
    assert hypergeom.cdf(right, total, high, read) > 0.025 >= hypergeom.cdf(right, total, high + 1, read)


def test_impossible_counts_are_refused() -> None:
    """With what was found."""
    with pytest.raises(ValueError, match=r"^expected 0 <= right <= read <= total; found 3, 2, 9$"):
        exact_limits(3, 2, 9)
