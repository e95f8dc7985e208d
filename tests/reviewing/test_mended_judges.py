"""Labels that were drawn under other verdicts than today's: judges are mended by what the labels say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from evalkit.reviewing import PopulationTrial, corrected_rates
from evalkit.reviewing.draws import Draw, placed, unchanged
from evalkit.reviewing.weights import shares_read

Make = Callable[..., Any]


def queued(make_population: Make) -> list[PopulationTrial]:
    """90 passes of which 30 were chosen, and 10 fails, all chosen."""
    return [
        replace(
            trial, stratum=f"{trial.outcome}ed", inclusion=1.0 if number >= 90 else 1 / 3 if number < 30 else None
        )
        for number, trial in enumerate(make_population(90, 10))
    ]  # fmt: skip


def test_a_judge_that_was_mended_by_the_labels_raises_nothing(make_population: Make, make_label: Make) -> None:
    """6 of 30 passes were wrong; that a judge fails just these 6 today says nothing of the 60 that nobody read."""
    then = queued(make_population)
    labels = [make_label(f"h{n}", "wrong" if n < 6 or n >= 90 else "correct") for n in (*range(30), *range(90, 100))]
    today = [
        replace(trial, outcome="fail" if number < 6 else trial.outcome, stratum=None, inclusion=None)
        for number, trial in enumerate(then)
    ]
    before = corrected_rates(then, labels, [Draw.of(then)])
    after = corrected_rates(today, labels, [Draw.of(then)])

    assert before.corrected.rate == pytest.approx(0.72)
    assert after.corrected == before.corrected
    assert (before.automated.part, after.automated.part) == (90, 84)
    assert (after.warnings, after.why_not) == ((), "")
    assert shares_read(today, labels, [Draw.of(then)])["h0"] == pytest.approx(1 / 3)


def test_what_was_unscored_is_in_the_rate_once_a_judge_decides(make_population: Make) -> None:
    """Today's verdict says which kind it is of; one that no longer decides stays of the kind it was drawn from."""
    one, other = make_population(1, 0, 1)
    one, other = replace(one, stratum="passed", inclusion=1.0), replace(other, stratum="abstention")
    draw = Draw.of([one, other])
    now = [replace(one, outcome="unscored"), replace(other, outcome="fail")]

    assert [(trial.outcome, trial.stratum) for trial in placed(now, [draw])] == [
        ("pass", "passed"), ("fail", "abstention (unscored)"),
    ]  # fmt: skip


def test_two_draws_between_which_a_judge_was_mended(make_population: Make) -> None:
    """A stratum from which passes and fails are taken by other shares is divided by what each draw saw."""
    first, second = make_population(2, 0)
    old = Draw.of([
        replace(first, outcome="fail", stratum="dispute", inclusion=1.0), replace(second, stratum="dispute"),
    ])  # fmt: skip
    new = Draw.of([replace(trial, stratum="passed") for trial in (first, second)])

    assert [(trial.outcome, trial.stratum) for trial in placed([first, second], [new, old])] == [
        ("pass", "passed+dispute (fail)"), ("pass", "passed+dispute"),
    ]  # fmt: skip


def test_a_text_of_many_trials_may_have_been_missed(make_label: Make) -> None:
    """Of 4 texts with 10 trials each and 60 with one, 32 were read, all right: they count as 9, not as 32."""
    sizes = [10] * 4 + [1] * 60
    trials = [
        PopulationTrial(
            f"t{n}-{k}", f"h{n}", "pass", family=f"p{n}", stratum="passed", inclusion=0.5 if n % 2 else None
        )
        for n, size in enumerate(sizes)
        for k in range(size)
    ]
    even = [replace(trial, trial=f"u{n}", text_hash=f"h{n % 64}", inclusion=0.5 if n % 2 else None)
            for n, trial in enumerate(trials)]  # fmt: skip
    labels = [make_label(f"h{n}") for n in range(1, 64, 2)]
    uneven, plain = corrected_rates(trials, labels, [Draw.of(trials)]), corrected_rates(even, labels, [Draw.of(even)])

    assert uneven.corrected.rate == plain.corrected.rate == 1.0
    assert uneven.corrected.low < plain.corrected.low - 0.04


def test_a_queue_after_the_judges_were_mended_speaks_alone(make_population: Make, make_label: Make) -> None:
    """What was known before speaks for itself; the rest is as the later queue's 40, of which 32 are right."""
    then = queued(make_population)
    first = [make_label(f"h{n}", "wrong" if n < 6 or n >= 90 else "correct") for n in (*range(29), *range(90, 100))]
    later = [make_label(f"h{n}", "wrong" if n % 5 == 0 else "correct") for n in range(40, 80)]
    today = [replace(trial, outcome="fail" if number < 6 else trial.outcome) for number, trial in enumerate(then)]
    drawn = [
        replace(trial, stratum=f"{trial.outcome}ed", inclusion=0.9 if number < 80 or number >= 90 else None)
        for number, trial in enumerate(today)
    ]
    draws = [Draw.of(drawn, {label.text_hash for label in first}), Draw.of(then)]
    found = corrected_rates(today, [*first, *later], draws)

    assert found.corrected.rate == pytest.approx((23 + 61 * 0.8) / 100)
    assert found.corrected.low < 0.72 < found.corrected.high
    assert found.warnings[-1] == (
        "The judges were changed between queues, perhaps by what labels said: 39 labels speak for no other answers, "
        "those of later queues for the rest"
    )


def test_one_label_from_before(make_population: Make, make_label: Make) -> None:
    """It is told in the singular; where the later queue says less, the earlier one is taken by itself."""
    then = [replace(trial, stratum="passed", inclusion=0.5 if number < 1 else None)
            for number, trial in enumerate(make_population(20, 0))]  # fmt: skip
    today = [replace(trial, outcome="fail" if number == 0 else "pass") for number, trial in enumerate(then)]
    drawn = [replace(trial, stratum=f"{trial.outcome}ed", inclusion=0.5 if number < 15 or number == 19 else None)
             for number, trial in enumerate(today)]  # fmt: skip
    draws = [Draw.of(drawn, {"h0"}), Draw.of(then)]
    much = corrected_rates(today, [make_label(f"h{n}") for n in range(10)], draws)
    many = [replace(trial, inclusion=0.9 if number < 18 else None) for number, trial in enumerate(then)]
    draws = [Draw.of(drawn, {f"h{n}" for n in range(18)}), Draw.of(many)]
    little = corrected_rates(today, [make_label(f"h{n}") for n in (*range(17), 19)], draws)

    assert much.warnings[-1] == (
        "The judges were changed between queues, perhaps by what labels said: 1 label speaks for no other answers, "
        "those of later queues for the rest"
    )
    assert little.warnings[-1:] == (
        "The judges were changed between queues, perhaps by what labels said: the corrected rate is from the labels "
        "before that, and 1 later label is not in it",
    )


def test_a_text_with_two_outcomes_is_no_change_of_judges(make_population: Make, make_label: Make) -> None:
    """A queue of failures holds one of them only, which stands for both."""
    passing, failing = make_population(1, 1)
    both = [passing, replace(failing, text_hash=passing.text_hash)]
    whole = Draw.of([replace(both[0], stratum="passed", inclusion=1.0), replace(both[1], stratum="failed")])
    failures = Draw.of([both[0], replace(both[1], stratum="asked_for", inclusion=1.0)])

    assert unchanged(both, [whole, failures]) == 2
    assert unchanged([passing], [whole, failures]) == 1
