"""How many pairs are needed: against simulated tests, and against its own inverse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.stats import minimum_detectable_difference, pairs_needed

CALM = settings(deadline=None)  # a busy machine is no failure


@pytest.mark.parametrize(
    ("difference", "share", "n"), [(0.03, 0.05, 434), (0.05, 0.10, 312), (0.10, 0.20, 155), (0.03, 0.03, 260)]
)
def test_goldens(difference: float, share: float, n: int) -> None:
    """Either sign of the difference needs the same."""
    assert pairs_needed(difference, share) == pairs_needed(-difference, share) == n


@pytest.mark.parametrize(("difference", "share"), [(0.05, 0.10), (0.10, 0.20)])
def test_the_promised_power_is_there(difference: float, share: float) -> None:
    """40,000 simulated comparisons by the uncorrected chi-square, seeded: 80 % within three points."""
    n = pairs_needed(difference, share)
    chances = [(share + difference) / 2, (share - difference) / 2, 1 - share]
    worse, better, _ = np.random.default_rng(2).multinomial(n, chances, 40_000).T
    significant = (worse - better) ** 2 > 1.959964**2 * (worse + better)

    assert significant.mean() == pytest.approx(0.8, abs=0.03)


@given(st.integers(5, 5_000), st.floats(0, 0.9), st.floats(0.6, 0.99), st.floats(1, 5))
@CALM
def test_one_undoes_the_other(n: int, share: float, power: float, design_effect: float) -> None:
    """The pairs needed for what n pairs detect are n."""
    found = minimum_detectable_difference(n, share, power=power, design_effect=design_effect)
    if found is None:
        return

    assert pairs_needed(found, share, power=power, design_effect=design_effect) == pytest.approx(n, abs=1)


def test_what_few_pairs_can_show() -> None:
    """300 pairs of which 5 % differ show 3.6 points; clusters need more, averages fewer; too few show nothing."""
    assert minimum_detectable_difference(300, 0.05) == pytest.approx(0.0360, abs=1e-4)
    assert pairs_needed(0.03, 0.05, design_effect=2.0) == 868
    assert pairs_needed(0.03, 0.05, design_effect=0.5) == 217
    assert minimum_detectable_difference(300, 0.05, design_effect=4.0) == pytest.approx(0.1014, abs=1e-4)
    assert minimum_detectable_difference(0, 0.05) is None
    assert minimum_detectable_difference(3, 0.05) is None


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: pairs_needed(0.0, 0.1), "difference must be between -1 and 1 and not 0; found 0.0"),
        (lambda: pairs_needed(0.1, 1.1), "discordant_share must be between 0 and 1; found 1.1"),
        (lambda: pairs_needed(0.1, 0.1, alpha=0), "alpha must be between 0 and 1; found 0"),
        (lambda: pairs_needed(0.1, 0.1, power=0.5), "power must be between 0.5 and 1; found 0.5"),
        (lambda: pairs_needed(0.1, 0.1, design_effect=0), "design_effect must be above 0; found 0"),
        (lambda: minimum_detectable_difference(-1, 0.1), "n must not be negative; found -1"),
    ],
)
def test_what_is_impossible_is_refused(call: object, sentence: str) -> None:
    """With what was found."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the whole message is asserted below
        call()  # type: ignore[operator]

    assert str(caught.value) == sentence
