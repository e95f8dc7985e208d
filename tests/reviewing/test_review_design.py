"""Which queues a corrected rate is reckoned from, and what is said of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

import pytest

from evalkit.review import Label
from evalkit.reviewing import PopulationTrial, corrected_rates
from evalkit.reviewing.design import design_of
from evalkit.reviewing.draws import UNQUEUED, Draw, Place, placed, placed_alone
from evalkit.reviewing.population import settled
from evalkit.reviewing.weights import shares_read

Make = Callable[..., Any]


def draw(of: Sequence[int], chosen: Collection[int], stratum: str = "passed") -> Draw:
    return Draw({f"h{n}": Place(stratum, n in chosen) for n in of}, {})


def labels(make: Make, read: Collection[int], wrong: Collection[int] = ()) -> list[Label]:
    return [make(f"h{n}", "wrong" if n in wrong else "correct", blind=True) for n in sorted(read)]


def test_strata_that_two_queues_share(make_population: Make, make_label: Make) -> None:
    """By hand: 40 in both queues, of which 10 were read, 60 in the second alone, of which 5 were."""
    trials = make_population(100, 0)
    draws = [draw(range(100), range(30, 50)), draw(range(40), range(10))]
    found = corrected_rates(trials, labels(make_label, [*range(10), *range(45, 50)], wrong=(0, 1, 45)), draws)

    assert found.corrected.rate == pytest.approx((40 * 8 / 10 + 60 * 4 / 5) / 100)
    assert found.warnings == (
        "15 of 30 texts in the queues have no label that decides; the others are taken to speak for them. "
        "Have the rest read: evalkit review RUN --budget N",
        "Labels come from 2 queues that were drawn apart: what all of them treated alike speaks for its own kind, "
        "and the interval is the wider for it. One queue over the whole run: evalkit review RUN --budget N",
    )


def test_one_queue_that_says_more_than_all_together(make_population: Make, make_label: Make) -> None:
    """Small ones divide the run into kinds of which nobody read any: the one that was read in whole stands alone."""
    trials = make_population(100, 0)
    small = [draw(range(7 * n, 7 * n + 30), (7 * n,)) for n in range(10)]
    few = labels(make_label, [7 * n for n in range(10)])
    pieces = corrected_rates(trials, few, small)
    read = [*range(0, 100, 2)]
    whole = [draw(range(100), read), *small]
    both = labels(make_label, {*read, *(7 * n for n in range(10))}, wrong=(2, 7))
    found = corrected_rates(trials, both, whole, "r1")

    assert pieces.corrected.rate is None
    assert pieces.why_not == "7 of 100 trials were in no queue that labels come from and 53 are in strata of which " \
        "nobody read any"  # fmt: skip
    assert found.corrected.rate == pytest.approx(49 / 50)
    assert found.warnings == (
        "The corrected rate is from one queue, all of which was read; 5 labels of other queues are not in it",
    )
    assert shares_read(trials, both, whole) == {f"h{n}": 0.5 for n in read}


def test_a_queue_of_which_others_read_a_part_does_not_stand_alone(make_population: Make, make_label: Make) -> None:
    """Its 30 of which 10 were read for another queue are no draw of a hundred: nothing speaks for the other ninety."""
    trials = make_population(100, 0)
    draws = [draw(range(100), range(30)), draw(range(10), range(10))]
    found = corrected_rates(trials, labels(make_label, range(10), wrong=range(10)), draws)

    assert found.corrected.rate is None
    assert found.why_not == "90 of 100 trials are in strata of which nobody read any"
    assert (found.corrected.low, found.corrected.high) == pytest.approx((0.0, 0.9370), abs=1e-4)


def test_choosing_does_not_look_at_what_labels_say(make_population: Make, make_label: Make) -> None:
    """The same texts read give the same cells, whatever was said of them."""
    trials = make_population(90, 10)
    draws = [draw(range(100), range(0, 100, 3)), draw(range(50), range(0, 50, 2)), draw(range(40, 100), range(60, 99))]
    read = {*range(0, 100, 3), *range(0, 50, 2), *range(60, 80)}

    def cells(wrong: Collection[int]) -> list[tuple[str, str, int]]:
        known = settled(labels(make_label, read, wrong))
        return [(cell.outcome, cell.name, len(cell.truths)) for cell in design_of(trials, draws, known).cells]

    assert cells(()) == cells(read) == cells(range(0, 100, 6))


def test_places_of_texts_with_two_outcomes() -> None:
    """Each outcome has its own; another one that is asked for later takes what there is."""
    queued = [
        PopulationTrial("a", "h", "pass", stratum="passed"),
        PopulationTrial("b", "h", "fail", stratum="failed", inclusion=0.5),
        PopulationTrial("c", "i", "pass", stratum="passed", inclusion=0.1), PopulationTrial("d", "j", "pass"),
    ]  # fmt: skip
    found = Draw.of(queued)
    later = [PopulationTrial("e", "i", "fail"), PopulationTrial("f", "k", "pass")]

    assert [found.place(trial) for trial in (*queued, *later)] == [
        Place("passed", False, outcome="pass"), Place("failed", True, outcome="fail"),
        Place("passed", True, outcome="pass"), None, Place("passed", True, outcome="pass"), None,
    ]  # fmt: skip
    assert [trial.stratum for trial in placed(queued, [found, Draw({}, {})])] == [
        "passed+-", "failed+-", "passed+-", UNQUEUED,
    ]  # fmt: skip


def test_placing_changes_nothing_else() -> None:
    """Every other field of a trial stays."""
    trial = PopulationTrial("a", "h", "fail", "dates", "f", "s", "m", "gate", 0.25)
    (moved,) = placed([trial], [Draw({"h": Place("failed", True)}, {})])
    (alone,) = placed_alone([trial], Draw({"h": Place("failed", True, was_known=True)}, {}))
    (known,) = placed([trial], [Draw({"h": Place("failed", True, was_known=True)}, {})])

    assert moved == alone == replace(trial, stratum="failed")
    assert known == replace(trial, stratum="failed", inclusion=None)
