"""The three rates: the model card's arithmetic, both directions, and what is said where labels are missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.review import Label
from evalkit.reviewing import PopulationTrial, Rate, corrected_rates
from evalkit.reviewing.combining import Counts, stratified_rate
from evalkit.stats import cluster_interval, wilson_interval

Make = Callable[..., Any]


def drawn(trial: PopulationTrial, stratum: str, inclusion: float | None) -> PopulationTrial:
    return replace(trial, stratum=stratum, inclusion=inclusion)  # type: ignore[arg-type]


def queued(passes: int, fails: int, of_passes: int, of_fails: int, make: Make) -> list[PopulationTrial]:
    """A run of which a queue drew the first so many passes and fails."""
    return [
        drawn(trial, "passed", 0.1 if n < of_passes else None) if trial.outcome == "pass"
        else drawn(trial, "failed", 0.5 if n - passes < of_fails else None)
        for n, trial in enumerate(make(passes, fails))
    ]  # fmt: skip


def test_the_model_cards_arithmetic(make_population: Make, make_label: Make) -> None:
    """289 of 300, 11 fails reviewed, 7 overturned: 296 of 300, no corrected rate, and the warning."""
    labels = [make_label(f"h{n}", "correct" if n < 296 else "wrong", stratum="asked_for") for n in range(289, 300)]

    found = corrected_rates(make_population(289, 11), labels)

    assert (found.automated.part, found.automated.whole) == (289, 300)
    assert (found.reviewed.part, found.reviewed.whole) == (296, 300)
    assert found.reviewed.rate == pytest.approx(0.98667, abs=1e-5)
    assert (found.n, found.reviewed_n) == (300, 11)
    assert found.corrected.rate is None
    assert (found.corrected.low, found.corrected.high) == pytest.approx((0.0029, 0.9948), abs=1e-4)
    assert found.why_not == "none of the 289 passes was reviewed"
    assert found.warnings == (
        "None of the 289 passes was reviewed, so the labels could only raise the reviewed rate. "
        "Have passes and failures drawn: evalkit review RUN --budget N",
    )


def test_both_directions(make_population: Make, make_label: Make) -> None:
    """With 29 of the passes drawn, one of them wrong, the rate goes below the automated one."""
    fails = [make_label(f"h{n}", "correct" if n < 296 else "wrong", stratum="failed") for n in range(289, 300)]
    passes = [make_label(f"h{n}", "correct" if n else "wrong", stratum="passed", inclusion=0.1) for n in range(29)]

    found = corrected_rates(make_population(289, 11), [*fails, *passes])

    assert found.corrected.rate == pytest.approx((289 * 28 / 29 + 7) / 300)
    assert (found.corrected.low, found.corrected.high) == pytest.approx((0.8199, 0.9887), abs=1e-4)
    assert (found.reviewed.part, found.why_not, found.warnings) == (295, "", ())


def test_everything_read_leaves_what_the_draw_of_probes_leaves_open(make_population: Make, make_label: Make) -> None:
    """Then the corrected rate is the reviewed one, with Wilson's interval."""
    labels = [make_label(f"h{n}", "correct" if n < 80 else "wrong") for n in range(100)]

    found = corrected_rates(make_population(90, 10), labels)

    interval = wilson_interval(80, 100)
    assert found.reviewed == Rate(0.8, pytest.approx(interval.low), pytest.approx(interval.high), 80, 100)  # type: ignore[arg-type]
    assert (found.corrected.rate, found.corrected.low, found.corrected.high) == pytest.approx(
        (0.8, interval.low, interval.high)
    )
    assert found.why_not == ""


def test_only_passes_read(make_population: Make, make_label: Make) -> None:
    """Could only lower the rate, which is said likewise; few failures leave a rate whose interval holds any of them."""
    labels = [make_label(f"h{n}", stratum="passed", inclusion=0.1) for n in range(10)]

    found = corrected_rates(make_population(85, 15), labels)
    few = corrected_rates(make_population(99, 1), labels)
    lower = (
        "{}, so the labels could only lower the reviewed rate. "
        "Have passes and failures drawn: evalkit review RUN --budget N"
    )

    assert (found.corrected.rate, found.why_not) == (None, "none of the 15 failures was reviewed")
    assert found.way_out == "Have passes and failures drawn: evalkit review RUN --budget N"
    assert found.warnings == (lower.format("None of the 15 failures was reviewed"),)
    assert (few.why_not, few.corrected.rate) == ("", pytest.approx(0.99))
    assert few.corrected.high == 1.0
    assert few.warnings == (
        lower.format("The only failure was not reviewed"),
        "1 trial is in strata of which nobody read any: the interval holds whatever it is. "
        "Have answers of the whole run drawn: evalkit review RUN --budget N",
    )


def test_passes_that_were_picked_are_no_draw(make_population: Make, make_label: Make) -> None:
    """They say nothing of the others, which is said."""
    fails = [make_label("h10", "wrong", stratum="failed"), make_label("h11", "wrong", stratum="failed")]

    one = corrected_rates(make_population(10, 2), [*fails, make_label("h0", stratum="dispute")])
    two = corrected_rates(make_population(10, 2), [*fails, *(make_label(f"h{n}", stratum="gate") for n in (0, 1))])

    assert one.corrected.rate is None
    assert one.why_not == "the 1 reviewed of 10 passes was picked, not drawn"
    assert two.warnings == (
        "The 2 reviewed of 10 passes were picked, not drawn, so nothing says what the others are. "
        "Have passes and failures drawn: evalkit review RUN --budget N",
    )


def test_nothing_read_and_nothing_there(make_population: Make) -> None:
    """Neither gives a corrected rate; without labels there is nothing to warn of."""
    unread = corrected_rates(make_population(8, 2), [])

    assert unread.automated == unread.reviewed
    assert unread.corrected.rate is None
    assert unread.why_not == "none of the 8 passes was reviewed and none of the 2 failures was reviewed"
    assert unread.warnings == ()
    assert corrected_rates([], []).why_not == "no trial was scored or reviewed"
    assert corrected_rates([], []).automated == Rate(None, 0.0, 1.0, 0, 0)


def test_unscored_trials(make_population: Make, make_label: Make) -> None:
    """Are in no rate until one is reviewed; then a person's word counts, and the others follow it."""
    both = [make_label(f"h{n}", stratum="passed") for n in range(8)]
    both += [make_label(f"h{n}", "wrong", stratum="failed") for n in (8, 9)]
    trials = [drawn(trial, "abstention", 0.5) if n > 9 else trial for n, trial in enumerate(make_population(8, 2, 4))]

    without = corrected_rates(trials, both)
    some = corrected_rates(trials, [*both, make_label("h10"), make_label("h11", "wrong")])

    assert without.corrected.rate == pytest.approx(0.8)
    assert without.warnings == (
        "4 unscored trials were not reviewed and are in no rate. Have some read: evalkit review RUN --budget N",
    )
    assert some.automated.whole == 10
    assert (some.reviewed.part, some.reviewed.whole) == (9, 12)
    assert some.corrected.rate == pytest.approx(10 / 14)
    assert some.warnings == (
        "2 of 4 texts in the queue have no label that decides; the others are taken to speak for them. "
        "Have the rest read: evalkit review RUN --budget N",
    )


def test_errors_are_in_no_rate(make_population: Make, make_label: Make) -> None:
    """Nor in the number of answered trials."""
    trials = [*make_population(5, 0), PopulationTrial("lost", "h", "error")]

    found = corrected_rates(trials, [make_label(f"h{n}") for n in range(5)])

    assert (found.n, found.reviewed.whole, found.corrected.rate) == (5, 5, 1.0)


def test_a_later_label_stands_for_an_earlier_one(make_population: Make, make_label: Make) -> None:
    """Of the same reviewer; three reviewers decide by majority."""
    labels = [make_label("h0", "wrong", at=2.0), make_label("h0", "correct", at=1.0)]
    others = [make_label("h0", "correct", reviewer="ben"), make_label("h0", "correct", reviewer="cem")]

    assert corrected_rates(make_population(1, 0), labels).reviewed.part == 0
    assert corrected_rates(make_population(1, 0), [*labels, *others]).reviewed.part == 1


def test_a_stratum_that_nobody_read(make_population: Make, make_label: Make) -> None:
    """Takes the share of its outcome while it is small; beyond a tenth of the trials there is no rate."""
    small = queued(90, 10, 20, 10, make_population)
    labels = [make_label(f"h{n}") for n in range(20)] + [make_label(f"h{n}", "wrong") for n in range(90, 100)]

    few = corrected_rates([*small[:89], drawn(small[89], "dispute", 1.0), *small[90:]], labels)
    many = [drawn(trial, "dispute", None) if 70 <= n < 90 else trial for n, trial in enumerate(small)]
    found = corrected_rates(many, labels)

    assert few.corrected.rate == pytest.approx(0.9)
    assert few.warnings == (
        "1 trial is in strata of which nobody read any: the interval holds whatever it is. "
        "Have answers of the whole run drawn: evalkit review RUN --budget N",
    )
    assert found.corrected.rate is None
    assert found.why_not == "20 of 100 trials are in strata of which nobody read any"
    assert found.way_out == "Have answers of the whole run drawn: evalkit review RUN --budget N"
    assert found.corrected.low < 0.7


def test_what_was_read_for_a_reason_speaks_for_itself_alone(make_population: Make, make_label: Make) -> None:
    """Five wrong passes that were picked do not make the drawn ones' rest wrong, with and without a queue's word."""
    picked = [make_label(f"h{n}", "wrong", stratum="dispute") for n in range(5)]
    passes = [make_label(f"h{n}", stratum="passed", inclusion=0.2) for n in range(50, 60)]
    fails = [make_label("h100", "wrong", stratum="failed"), make_label("h101", "wrong", stratum="failed")]
    bare = make_population(100, 2)
    known_anyway = [
        drawn(trial, "passed" if n < 100 else "failed", 0.2 if n >= 50 else None) for n, trial in enumerate(bare)
    ]

    for trials in (bare, known_anyway):
        assert corrected_rates(trials, [*picked, *passes, *fails]).corrected.rate == pytest.approx(95 / 102)


def test_a_text_that_several_trials_gave_is_one_reading(make_label: Make) -> None:
    """It weighs as many trials as gave it, and is no surer than one text."""
    trials = [PopulationTrial(f"t{n}", f"h{n // 5}", "pass", family=f"p{n // 5}") for n in range(100)]
    labels = [make_label(f"h{n}", "correct" if n else "wrong", stratum="passed") for n in range(10)]

    found = corrected_rates(trials, labels)

    assert (found.reviewed_n, found.reviewed.part) == (50, 95)
    values, families = [float(trial.text_hash != "h0") for trial in trials], [trial.family for trial in trials]
    worth = cluster_interval(values, families).effective_n
    assert worth < 25
    assert found.corrected.low < stratified_rate([Counts(100, 20, 10, 9)], 100)[1]


def test_families_widen_the_interval(make_label: Make) -> None:
    """Trials that stand or fall together are worth fewer."""
    labels = [
        make_label(f"h{n}", "correct" if n < 45 else "wrong", stratum="passed" if n < 45 else "failed")
        for n in range(50)
    ]
    outcomes = ["pass"] * 45 + ["fail"] * 5
    alone = [PopulationTrial(f"t{n}", f"h{n}", outcome) for n, outcome in enumerate(outcomes)]  # type: ignore[arg-type]
    together = [replace(trial, family=f"f{n // 5}") for n, trial in enumerate(alone)]

    one, other = corrected_rates(alone, labels).corrected, corrected_rates(together, labels).corrected

    assert other.rate == one.rate
    assert other.high - other.low > 1.2 * (one.high - one.low)


OUTCOMES = st.sampled_from(["pass", "fail", "unscored", "error"])
VALUES = st.sampled_from(["correct", "wrong", "unsure", "borderline"])
STRATA = st.sampled_from(["passed", "failed", "gate", "asked_for"])


@given(
    st.lists(st.tuples(OUTCOMES, st.integers(0, 12), st.integers(0, 4)), max_size=25),
    st.lists(st.tuples(st.integers(0, 12), VALUES, STRATA), max_size=25),
)
def test_any_labels_give_ordered_bounds_with_a_width(
    rows: list[tuple[Any, int, int]], given_labels: list[tuple[int, Any, Any]]
) -> None:
    """Whatever is labelled: bounds in [0, 1], the rate between them, never the same."""
    trials = [
        PopulationTrial(f"t{n}", f"h{text}", outcome, family=f"f{family}")
        for n, (outcome, text, family) in enumerate(rows)
    ]
    labels = [Label(f"h{n}", "t", "r", value, "ana", 0.0, stratum=stratum) for n, value, stratum in given_labels]

    found = corrected_rates(trials, labels)

    for rate in (found.automated, found.reviewed, found.corrected):
        assert 0 <= rate.low < rate.high <= 1
        assert rate.rate is None or rate.low - 1e-9 <= rate.rate <= rate.high + 1e-9
    assert (found.corrected.rate is None) == bool(found.why_not)


def test_a_rate_over_strata_by_hand() -> None:
    """Two strata, half of each read: limits of the parts, then each side's squares."""
    strata = [Counts(80, 80, 40, 38), Counts(20, 20, 10, 5)]

    rate, low, high = stratified_rate(strata, 100)

    assert rate == pytest.approx(0.8 * 0.95 + 0.2 * 0.5)
    drawn_limits = wilson_interval(86, 100)
    down = [0.8 * (0.95 - 70 / 80), 0.2 * (0.5 - 6 / 20), rate - drawn_limits.low]
    up = [0.8 * (78 / 80 - 0.95), 0.2 * (14 / 20 - 0.5), drawn_limits.high - rate]
    assert low == pytest.approx(rate - sum(part**2 for part in down) ** 0.5)
    assert high == pytest.approx(rate + sum(part**2 for part in up) ** 0.5)


def test_the_rates_of_parts_add_up(make_population: Make, make_label: Make) -> None:
    """A category's corrected rates are those of its trials alone."""
    trials = [replace(trial, category="AB"[n % 2]) for n, trial in enumerate(queued(80, 20, 20, 20, make_population))]
    labels = [make_label(f"h{n}") for n in chain(range(20), range(80, 100))]

    found = [corrected_rates([t for t in trials if t.category == name], labels) for name in "AB"]

    assert [one.automated.part for one in found] == [40, 40]
    assert [one.corrected.rate for one in found] == [1.0, 1.0]
