"""Score tables: means, differences, counts within a band, categories, sign test."""

from __future__ import annotations

from math import comb

import pytest

from evalkit.score_deltas import CategoryScores, ProbeScores, score_table, sign_test_p, weighted_mean

ROWS = (
    ProbeScores("a", "x", {"naked": 1.0, "json": 2.0, "text": 1.5}),
    ProbeScores("b", "x", {"naked": 2.0, "json": 1.0}),
    ProbeScores("c", "y", {"naked": 3.0, "json": 3.5, "text": 4.0}),
    ProbeScores("d", "y", {"json": 9.0}),
)


def test_each_condition_has_its_mean_median_and_deviation() -> None:
    """Over what was scored; what was not is named and is no number."""
    naked, json, text = score_table(ROWS, ("naked", "json", "text")).conditions

    assert (naked.n, naked.mean, naked.median, naked.sd, naked.missing) == (3, 2.0, 2.0, 1.0, ("d",))
    assert (json.n, json.mean, json.median, json.missing) == (4, 3.875, 2.75, ())
    assert json.sd == pytest.approx(3.5678, abs=1e-4)
    assert (text.n, text.missing) == (2, ("b", "d"))


def test_the_best_and_worst_five_are_named() -> None:
    """In order of the score; of equal ones the first stays first."""
    rows = [ProbeScores(f"p{number}", "x", {"naked": float(number % 4)}) for number in range(8)]
    only = score_table(rows, ("naked",)).conditions[0]

    assert only.worst == (("p0", 0.0), ("p4", 0.0), ("p1", 1.0), ("p5", 1.0), ("p2", 2.0))
    assert only.best == (("p3", 3.0), ("p7", 3.0), ("p2", 2.0), ("p6", 2.0), ("p1", 1.0))


def test_a_change_of_exactly_the_band_is_none() -> None:
    """More than 0.5 up is improved, more than 0.5 down regressed; only pairs count."""
    naked, json, text = score_table(ROWS, ("naked", "json", "text")).conditions

    assert naked.change is None
    assert json.change is not None
    assert text.change is not None
    assert (json.change.pairs, json.change.improved, json.change.regressed, json.change.unchanged) == (3, 1, 1, 1)
    assert (text.change.pairs, text.change.improved, text.change.regressed, text.change.unchanged) == (2, 1, 0, 1)


def test_another_band_may_be_given() -> None:
    """Without a band every difference counts."""
    _, json = score_table(ROWS, ("naked", "json"), band=0).conditions

    assert json.change is not None
    assert (json.change.improved, json.change.regressed, json.change.unchanged) == (2, 1, 0)


def test_the_published_delta_is_one_of_rounded_means() -> None:
    """The paired mean is the true one."""
    rows = [ProbeScores(str(number), "x", {"naked": one, "json": two}) for number, (one, two) in enumerate(
        [(0.004, 0.0), (0.004, 0.0), (0.007, 0.0)]
    )]  # fmt: skip
    _, json = score_table(rows, ("naked", "json")).conditions

    assert json.change is not None
    assert json.change.published == -0.01
    assert json.change.mean == pytest.approx(-0.005)


def test_the_interval_holds_the_mean_and_is_the_same_on_every_run() -> None:
    """Bootstrapped over probes; none for a single pair."""
    rows = [ProbeScores(str(number), "x", {"naked": 0.0, "json": float(number % 5)}) for number in range(40)]
    first, second = (score_table(rows, ("naked", "json")).conditions[1].change for _ in range(2))
    single = score_table(rows[:1], ("naked", "json")).conditions[1].change

    assert first == second
    assert first is not None
    assert first.low is not None
    assert first.high is not None
    assert first.mean == 2.0
    assert 1.4 < first.low < 1.7
    assert 2.3 < first.high < 2.6
    assert single is not None
    assert (single.low, single.high, single.pairs) == (None, None, 1)


def test_nothing_scored_is_no_zero() -> None:
    """Numbers are missing rather than invented."""
    row = ProbeScores("a", "x", {"naked": 1.0})
    naked, json = score_table([row], ("naked", "json")).conditions

    assert (naked.n, naked.sd) == (1, None)
    assert (json.n, json.mean, json.median, json.sd, json.change, json.worst) == (0, None, None, None, None, ())


def test_categories_keep_their_order() -> None:
    """One mean for each condition."""
    assert score_table(ROWS, ("naked", "text")).categories == (
        CategoryScores("x", 2, (1.5, 1.5)),
        CategoryScores("y", 2, (3.0, 4.0)),
    )


@pytest.mark.parametrize(
    ("improved", "regressed", "p"),
    [(48, 41, 0.53), (38, 53, 0.14), (51, 41, 0.35), (0, 0, 1.0), (5, 5, 1.0), (0, 6, 0.03)],
)
def test_the_sign_test_gives_the_values_found_before(improved: int, regressed: int, p: float) -> None:
    """The specification's section 4 for the stored P100 rows."""
    assert round(sign_test_p(improved, regressed), 2) == p


@pytest.mark.parametrize(("improved", "regressed"), [(75, 20), (73, 15), (58, 29)])
def test_the_sign_test_of_solid_gains(improved: int, regressed: int) -> None:
    """Below 0.003, as was found for the base models."""
    assert sign_test_p(improved, regressed) < 0.003


def test_the_sign_test_is_the_binomial_s_two_tails() -> None:
    """Summed directly, for every split of up to 30."""
    for total in range(1, 31):
        for hits in range(total + 1):
            worse = [other for other in range(total + 1) if abs(other - total / 2) >= abs(hits - total / 2)]
            assert sign_test_p(hits, total - hits) == pytest.approx(sum(comb(total, one) for one in worse) / 2**total)


def test_a_weighted_mean_needs_every_count() -> None:
    """A category without a count is named."""
    assert weighted_mean({"x": 1.0, "y": 4.0}, {"x": 2, "y": 1, "z": 9}) == 2.0
    with pytest.raises(ValueError, match=r"^every category needs a count; found none for y$"):
        weighted_mean({"x": 1.0, "y": 4.0}, {"x": 2})
    with pytest.raises(ValueError, match=r"^every category needs a count; found none for any$"):
        weighted_mean({}, {})


def test_a_table_needs_a_condition() -> None:
    """The first one is the baseline."""
    with pytest.raises(ValueError, match=r"^a score table needs at least one condition; found none$"):
        score_table(ROWS, ())
