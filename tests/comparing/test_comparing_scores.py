"""Scores: means, length, worst and best, the difference of differences, and several sides at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from evalkit.comparing import Side, compare, default_margin, value_of
from evalkit.comparing.figures import figures_of
from evalkit.comparing.flips import flip_matrix, state_of
from evalkit.comparing.interaction import interaction
from evalkit.comparing.many import compare_many, parts_of
from evalkit.comparing.pairing import paired, units
from evalkit.measured import Measured
from evalkit.stats import holm, paired_score_test

MakePair = Callable[..., tuple[Side, Side]]
MakeTrial = Callable[..., Measured]


@pytest.fixture
def scored(make_trial: MakeTrial) -> Callable[..., Side]:
    """``scored(name, {probe: score})``: a side with scores by the required judge lek."""

    def made(name: str, scores: Mapping[str, float], **changes: object) -> Side:
        return Side(
            name,
            tuple(
                make_trial(probe, scores={"lek": score}, judges={"lek": "1"}, words=int(10 * score), **changes)
                for probe, score in scores.items()
            ),
        )

    return made


def test_scores_are_compared_by_their_paired_differences(scored: Callable[..., Side]) -> None:
    """In their own unit, with Student's interval, half a point being the margin."""
    before, after = scored("X", {"a": 5.0, "b": 7.0, "c": 2.0}), scored("X", {"a": 4.0, "b": 5.5, "c": 1.0})
    wanted = paired_score_test([-1.0, -1.5, -1.0])
    assert wanted.interval is not None

    found = compare(before, after, "mean_score")

    assert (found.low, found.high, found.p) == (wanted.interval.low, wanted.interval.high, wanted.p)
    assert found.sentence == (
        "UNDERPOWERED: mean score of X fell from 4.67 to 3.50, −1.17 [−1.88, −0.45], 3 probes worse, 0 better of 3, "
        "p 0.25; margin 0.5; about 8 pairs would decide, there are 3"
    )
    assert default_margin("mean_score") == 0.5


def test_one_score_has_no_interval(scored: Callable[..., Side]) -> None:
    """Nothing bounds it, and that is said."""
    found = compare(scored("X", {"a": 5.0}), scored("X", {"a": 6.0}), "mean_score")

    assert (found.verdict, found.low, found.high) == ("UNDERPOWERED", None, None)
    assert found.sentence.startswith("UNDERPOWERED: mean score of X rose from 5.00 to 6.00, +1.00 [unknown], ")


def test_whose_score_it_is(make_trial: MakeTrial) -> None:
    """The named judge's, else that of the first required one; an optional judge has to be named."""
    trial = make_trial("p", scores={"free": 1.0, "lek": 2.0, "rubric": 3.0}, judges={"lek": "1", "rubric": "2"})

    assert value_of(trial, "mean_score") == 2.0
    assert [value_of(trial, "mean_score", judge) for judge in ("free", "rubric", "none")] == [1.0, 3.0, None]


def test_what_each_rate_divides_by(make_trial: MakeTrial) -> None:
    """Passes by scored trials, claims and unscored by answered ones, errors by all."""
    trials = [
        make_trial("p"), make_trial("f", "fail", collapsed=True, fabricated=True, over_refusal=True),
        make_trial("u", "unscored"), make_trial("e", "error"),
    ]  # fmt: skip

    found = {
        metric: [value_of(trial, metric) for trial in trials]
        for metric in (
            "pass_rate",
            "collapse_rate",
            "fabrication_rate",
            "over_refusal_rate",
            "unscored_rate",
            "error_rate",
        )
    }

    assert found == {
        "pass_rate": [1.0, 0.0, None, None],
        "collapse_rate": [0.0, 1.0, 0.0, None],
        "fabrication_rate": [0.0, 1.0, 0.0, None],
        "over_refusal_rate": [0.0, 1.0, 0.0, None],
        "unscored_rate": [0.0, 0.0, 1.0, None],
        "error_rate": [0.0, 0.0, 0.0, 1.0],
    }


def test_figures_of_a_side(make_trial: MakeTrial) -> None:
    """Mean, median, deviation, five worst and best, words and their correlation with the score, what was cut."""
    trials = [
        make_trial(f"p{number}", scores={"lek": float(number)}, judges={"lek": "1"}, words=10 * number,
                   finishes=("length",) if number < 2 else ("stop",))
        for number in range(8)
    ]  # fmt: skip

    found = figures_of(units(trials).values(), range(8), "mean_score")

    assert (found.probes, found.trials, found.mean, found.median) == (8, 8, 3.5, 3.5)
    assert found.sd == pytest.approx(6**0.5)
    assert (found.words, found.cut) == (35.0, 0.25)
    assert found.length_r == pytest.approx(1.0)
    assert [key[1] for key, _ in found.worst] == ["p0", "p1", "p2", "p3", "p4"]
    assert [key[1] for key, _ in found.best] == ["p7", "p6", "p5", "p4", "p3"]


def test_figures_of_nothing_are_none() -> None:
    """And no crash."""
    found = figures_of([], [], "pass_rate")

    assert (found.mean, found.interval, found.sd, found.words, found.length_r, found.cut) == (None,) * 6


def test_answers_of_equal_length_have_no_correlation(make_trial: MakeTrial) -> None:
    """Nor do records of an older evalkit, which hold no words."""
    for words in (7, None):
        trials = [make_trial(name, outcome, words=words) for name, outcome in (("a", "pass"), ("b", "fail"))]
        assert figures_of(units(trials).values(), "ab", "pass_rate").length_r is None


def test_the_interaction_is_both_minus_what_each_adds(scored: Callable[..., Side]) -> None:
    """Paired by probe; the three effects are −0.5, −1 and −1."""
    neither, one = scored("naked", {"a": 2.0, "b": 4.0, "c": 3.0}), scored("kernel", {"a": 3.0, "b": 5.5, "c": 4.0})
    other, both = scored("tuned", {"a": 4.0, "b": 6.0, "c": 5.0}), scored("both", {"a": 4.5, "b": 6.5, "c": 5.0})
    wanted = paired_score_test([-0.5, -1.0, -1.0])
    assert wanted.interval is not None

    found = interaction(neither, one, other, both)

    assert found.effect == pytest.approx(-2.5 / 3)
    assert found.additive == pytest.approx(18.5 / 3)
    assert (found.low, found.high, found.p) == pytest.approx((wanted.interval.low, wanted.interval.high, wanted.p))
    assert (found.pairs, found.means) == (3, pytest.approx((3.0, 12.5 / 3, 5.0, 16 / 3)))
    assert found.sentence == (
        "INTERACTION of mean score: −0.83 [−1.55, −0.12], additive 6.17, measured 5.33, p 0.25, "
        "3 probes on all four sides"
    )


def test_an_interaction_of_the_published_means(scored: Callable[..., Side]) -> None:
    """What adds up to 24.83 and measures 23.72 interacts by −1.11; one pair of means has no interval."""
    sides = [scored(name, {"p": mean}) for name, mean in (("00", 20.0), ("01", 22.79), ("10", 22.04), ("11", 23.72))]

    found = interaction(*sides)

    assert found.sentence == (
        "INTERACTION of mean score: −1.11 [unknown], additive 24.83, measured 23.72, p 1.00, 1 probe on all four sides"
    )


def test_an_interaction_says_what_cannot_be_compared(scored: Callable[..., Side], make_trial: MakeTrial) -> None:
    """Which side it is, too."""
    some = scored("A", {"a": 2.0})
    foreign = Side("D", (make_trial("a", suite="other", scores={"lek": 1.0}, judges={"lek": "1"}),))

    found = interaction(some, some, some, foreign)

    assert found.sentence == (
        "INCOMPARABLE: D: no suite in common: s before, other after; no probe has a number on all four sides"
    )
    assert (found.effect, found.means, found.pairs) == (None, None, 0)


def test_parts_have_p_values_adjusted_over_them(make_pair: MakePair) -> None:
    """Sorted by name; every figure signed as the metric counts."""
    before, after = (
        Side(
            "X", tuple(replace(one, category="AB"[number % 2], words=number) for number, one in enumerate(side.trials))
        )
        for side in make_pair(12, 1, 300)
    )
    comparison = compare(before, after, "pass_rate")

    first, second = parts_of(comparison, "category")

    assert (first.name, first.pairs, first.worse, first.better) == ("A", 150, 6, 1)
    assert (second.name, second.pairs, second.worse, second.better) == ("B", 150, 6, 0)
    assert (first.adjusted_p, second.adjusted_p) == holm([first.p, second.p])
    assert first.words == (149.0, 149.0)
    assert [part.name for part in parts_of(comparison, "suite")] == ["s"]


def test_many_sides_are_each_compared_with_the_first(make_pair: MakePair) -> None:
    """Their p values are adjusted, the verdicts their own."""
    before, after = make_pair(12, 1, 300)

    found = compare_many([before, after, before], "pass_rate")

    assert [item.comparison.verdict for item in found] == ["REGRESSED", "HELD"]
    assert [item.adjusted_p for item in found] == [pytest.approx(2 * 0.00341796875), 1.0]
    with pytest.raises(ValueError, match=r"^a comparison needs two sides; found 1$"):
        compare_many([before], "pass_rate")


def test_a_side_that_cannot_be_compared_has_no_p(make_pair: MakePair, make_trial: MakeTrial) -> None:
    """And takes no part in the adjustment."""
    before, after = make_pair(12, 1, 300)
    foreign = Side("Y", (make_trial("p", suite="other"),))

    found = compare_many([before, foreign, after], "pass_rate")

    assert [item.adjusted_p for item in found] == [None, 0.00341796875]


def test_the_flip_matrix_counts_probes(make_trial: MakeTrial) -> None:
    """Scored samples say what a probe is; edited ones are left out."""
    old = {"a": ["pass"], "b": ["pass"], "c": ["pass", "fail"], "d": ["unscored"], "e": ["pass"], "f": ["pass"]}
    new = {"a": ["fail"], "b": ["unscored"], "c": ["pass", "pass"], "d": ["error"], "e": ["pass"], "f": ["fail"]}

    def side(outcomes: Mapping[str, list[str]], hashed: str) -> Side:
        return Side("X", tuple(
            make_trial(probe, outcome, sample=sample, probe_hash=hashed if probe == "f" else "h")
            for probe, own in outcomes.items() for sample, outcome in enumerate(own)
        ))  # fmt: skip

    matrix = flip_matrix(paired(side(old, "1"), side(new, "2")).pairs)

    assert matrix.states == ("pass", "mixed", "fail", "unscored", "error")
    assert matrix.counts == {
        ("pass", "fail"): 1, ("pass", "unscored"): 1, ("mixed", "pass"): 1, ("unscored", "error"): 1,
        ("pass", "pass"): 1,
    }  # fmt: skip
    assert (matrix.count("pass", "fail"), matrix.count("fail", "pass")) == (1, 0)


def test_a_probe_with_unscored_samples_is_what_the_scored_ones_say(make_trial: MakeTrial) -> None:
    """One pass and one unscored are a pass."""
    [unit] = units([make_trial("p"), make_trial("p", "unscored", sample=1)]).values()

    assert state_of(unit) == "pass"
