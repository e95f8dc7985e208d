"""The verdict by the rule as it is written, on counts with known intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as some

from evalkit.comparing import Side, compare
from evalkit.measured import Measured

MakePair = Callable[..., tuple[Side, Side]]
MakeTrial = Callable[..., Measured]

GOLDENS = {
    (5, 0): (
        "UNDERPOWERED", -3.84, -0.38, 0.0625,
        "UNDERPOWERED: pass rate of X fell from 100.0 % to 98.3 %, −1.7 points [−3.8, −0.4], 5 probes worse, 0 better "
        "of 300, p 0.0625; margin 3 points; about 469 pairs would decide, there are 300",
    ),
    (12, 1): (
        "REGRESSED", -6.57, -1.59, 0.00341796875,
        "REGRESSED: pass rate of X fell from 99.7 % to 96.0 %, −3.7 points [−6.6, −1.6], 12 probes worse, 1 better "
        "of 300, p 0.003; margin 3 points",
    ),
    (0, 12): (
        "IMPROVED", 2.30, 6.86, 0.00048828125,
        "IMPROVED: pass rate of X rose from 96.0 % to 100.0 %, +4.0 points [2.3, 6.9], 0 probes worse, 12 better "
        "of 300, p < 0.001; margin 3 points",
    ),
    (1, 1): (
        "HELD", -1.56, 1.56, 1.0,
        "HELD: pass rate of X stayed at 99.7 %, 0.0 points [−1.6, 1.6], 1 probe worse, 1 better of 300, p 1.00; "
        "margin 3 points",
    ),
}  # fmt: skip


@pytest.mark.parametrize("counts", GOLDENS, ids=str)
def test_three_hundred_singletons(counts: tuple[int, int], make_pair: MakePair) -> None:
    """Tango's interval and the exact McNemar p decide, at a margin of 3 points."""
    verdict, low, high, p, sentence = GOLDENS[counts]

    found = compare(*make_pair(*counts, 300), "pass_rate")

    assert (found.verdict, found.sentence) == (verdict, sentence)
    assert found.low is not None
    assert found.high is not None
    assert (round(100 * found.low, 2), round(100 * found.high, 2), found.p) == (low, high, p)
    assert (found.pairs, found.clusters, found.worse, found.better) == (300, 300, *counts)
    assert found.method == "Tango's interval, exact McNemar test"
    assert found.mcnemar_p is None


def test_worse_within_the_margin_is_held_and_says_so(make_pair: MakePair) -> None:
    """An interval below 0 that excludes a loss of the margin comes before everything else."""
    found = compare(*make_pair(40, 1, 3000), "pass_rate")

    assert found.sentence == (
        "HELD: pass rate of X fell from 100.0 % to 98.7 %, −1.3 points [−1.8, −0.9], 40 probes worse, 1 better "
        "of 3000, p < 0.001; margin 3 points; worse, within the margin"
    )


def test_the_margin_decides_between_held_and_regressed(make_pair: MakePair) -> None:
    """The same counts under a stricter margin."""
    found = compare(*make_pair(40, 1, 3000), "pass_rate", margin=0.01)

    assert (found.verdict, found.margin) == ("REGRESSED", 0.01)
    assert found.sentence.endswith("p < 0.001; margin 1 point")


def test_too_few_pairs_say_how_many_would_do(make_pair: MakePair) -> None:
    """Without a single difference too."""
    found = compare(*make_pair(0, 0, 20), "pass_rate")

    assert found.sentence == (
        "UNDERPOWERED: pass rate of X stayed at 100.0 %, 0.0 points [−16.1, 16.1], 0 probes worse, 0 better of 20, "
        "p 1.00; margin 3 points; about 125 pairs would decide, there are 20"
    )
    assert compare(*make_pair(0, 0, 125), "pass_rate").verdict == "HELD"


def test_a_margin_of_nothing_can_never_be_held(make_pair: MakePair) -> None:
    """No number of pairs excludes every loss."""
    found = compare(*make_pair(1, 2, 300), "pass_rate", margin=0.0)

    assert (found.verdict, found.needed) == ("UNDERPOWERED", None)
    assert found.sentence.endswith("; margin 0 points; no number of pairs would decide")


def test_a_negative_margin_is_refused(make_pair: MakePair) -> None:
    """It would be a gain that must be there."""
    with pytest.raises(ValueError, match=r"^margin must not be negative; found -0\.01$"):
        compare(*make_pair(1, 2, 300), "pass_rate", margin=-0.01)


def test_nothing_scored_is_words_and_no_crash(make_pair: MakePair) -> None:
    """Every probe is on both sides and none has a number."""
    before, after = make_pair(0, 0, 3)
    blank = Side("X", tuple(replace(trial, outcome="unscored") for trial in after.trials))

    found = compare(before, blank, "pass_rate")

    assert (found.verdict, found.pairs, found.delta, found.p, found.still) == ("UNDERPOWERED", 0, None, None, None)
    assert found.sentence == "UNDERPOWERED: no probe has a pass rate on both sides of X; margin 3 points"
    assert found.notes == ("3 probes without a scored answer after and left out: p000, p001, p002",)


def test_more_is_worse_turns_the_verdict_and_not_the_figures(make_pair: MakePair) -> None:
    """A collapse rate that rises is a regression, told with its own sign."""
    before, after = (
        Side(side.name, tuple(replace(one, outcome="pass", collapsed=one.outcome == "fail") for one in side.trials))
        for side in make_pair(12, 1, 300)
    )

    found = compare(before, after, "collapse_rate")

    assert found.sentence == (
        "REGRESSED: collapse rate of X rose from 0.3 % to 4.0 %, +3.7 points [1.6, 6.6], 12 probes worse, 1 better "
        "of 300, p 0.003; margin 3 points"
    )
    assert found.delta == pytest.approx(11 / 300)
    assert [change.pair.after.first.probe for change in found.changes[:2]] == ["p000", "p001"]


def test_other_names_are_both_told(make_pair: MakePair) -> None:
    """Two targets have no rate that fell."""
    before, after = make_pair(12, 1, 300)

    found = compare(replace(before, name="nf4"), replace(after, name="bf16"), "pass_rate")

    assert found.sentence.startswith("REGRESSED: pass rate of bf16 is 96.0 %, of nf4 99.7 %, −3.7 points")


@given(counts=some.tuples(some.integers(0, 30), some.integers(0, 30), some.integers(0, 200)))
def test_swapped_sides_mirror(counts: tuple[int, int, int], make_pair: MakePair) -> None:
    """What was better is worse, the interval changes its sign, the p stays."""
    worse, better, same = counts
    before, after = make_pair(worse, better, worse + better + same + 1)

    there, back = compare(before, after, "pass_rate"), compare(after, before, "pass_rate")

    assert (there.worse, there.better, there.p) == (back.better, back.worse, back.p)
    assert there.low is not None
    assert back.high is not None
    assert there.low == pytest.approx(-back.high, abs=1e-9)
    assert (there.verdict == "IMPROVED") <= (back.verdict in ("REGRESSED", "HELD"))


@given(counts=some.tuples(some.integers(0, 40), some.integers(0, 40), some.integers(0, 400)))
def test_the_verdict_is_the_rule(counts: tuple[int, int, int], make_pair: MakePair) -> None:
    """Whatever the counts, the verdict follows from interval, p and margin in the order of the rule."""
    worse, better, same = counts
    found = compare(*make_pair(worse, better, worse + better + same + 1), "pass_rate")
    low, high, p = found.low, found.high, found.p
    assert low is not None
    assert high is not None
    assert p is not None

    if low >= -0.03 and high < 0:
        wanted = "HELD"
    elif high < 0 and p <= 0.05:
        wanted = "REGRESSED"
    elif low > 0 and p <= 0.05:
        wanted = "IMPROVED"
    else:
        wanted = "HELD" if low >= -0.03 else "UNDERPOWERED"
    assert found.verdict == wanted
    assert (found.needed or found.pairs + 1) > found.pairs
