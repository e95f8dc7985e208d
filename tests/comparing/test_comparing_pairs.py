"""Which probes are compared with which, and what is left out and told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from evalkit.comparing import Side, compare, paired
from evalkit.measured import Measured

MakePair = Callable[..., tuple[Side, Side]]
MakeTrial = Callable[..., Measured]


def test_a_side_is_one_target(make_trial: MakeTrial) -> None:
    """Two targets in it would be averaged."""
    with pytest.raises(ValueError, match=r"^a side holds the trials of one target; 'X' has a, b$"):
        Side("X", (make_trial("p", target="a"), make_trial("p", target="b")))


def test_samples_are_averaged_before_they_are_paired(make_trial: MakeTrial) -> None:
    """Sample i of one side and of the other are no pair: three probes are three pairs, however often asked."""
    before = Side("X", tuple(make_trial(probe, "pass", sample=i) for probe in "abc" for i in range(4)))
    after = Side(
        "X", tuple(make_trial(probe, "fail" if i == 0 else "pass", sample=i) for probe in "abc" for i in range(4))
    )

    found = compare(before, after, "pass_rate")

    assert (found.pairs, found.clusters, found.worse, found.delta) == (3, 3, 3, -0.25)
    assert found.method == "cluster-robust interval, sign-flip test over clusters"
    assert (found.p, found.mcnemar_p) == (0.25, None)


def test_unscored_samples_are_left_out_of_the_mean(make_trial: MakeTrial) -> None:
    """The probe's rate is over what was scored; other sample counts are told."""
    before = Side("X", (make_trial("a"), make_trial("a", "fail", sample=1), make_trial("b")))
    after = Side(
        "X", (make_trial("a"), make_trial("a", "unscored", sample=1), make_trial("b"), make_trial("b", sample=1))
    )

    found = compare(before, after, "pass_rate")

    assert (found.before, found.after) == (0.75, 1.0)
    assert found.notes == ("1 probe with 1 sample before and 2 after", "1 probe with 2 samples before and 1 after")


def test_a_probe_without_a_scored_sample_is_unpaired_and_counted(make_trial: MakeTrial) -> None:
    """By the side that has none."""
    before = Side("X", (make_trial("a"), make_trial("b", "error"), make_trial("c"), make_trial("d", "unscored")))
    after = Side("X", (make_trial("a"), make_trial("b"), make_trial("c", "unscored"), make_trial("d", "unscored")))

    found = compare(before, after, "pass_rate")

    assert found.pairs == 1
    assert found.notes == (
        "1 probe without a scored answer before and after and left out: d",
        "1 probe without a scored answer before and left out: b",
        "1 probe without a scored answer after and left out: c",
    )


def test_errors_count_where_they_are_counted(make_trial: MakeTrial) -> None:
    """An error has no answer, so only the error rate is over it."""
    before = Side("X", (make_trial("a"), make_trial("b")))
    after = Side("X", (make_trial("a"), make_trial("b", "error", judges={})))

    assert [compare(before, after, metric).pairs for metric in ("error_rate", "unscored_rate", "collapse_rate")] == [
        2,
        1,
        1,
    ]
    assert compare(before, after, "error_rate").delta == 0.5


@pytest.mark.parametrize("former", ["old", "s/old"])
def test_a_renamed_probe_keeps_its_history(former: str, make_trial: MakeTrial) -> None:
    """By ``formerly``, whichever side has the new name."""
    old = Side("X", (make_trial("a"), make_trial("old")))
    new = Side("X", (make_trial("a"), make_trial("new", "fail", formerly=(former,))))

    there, back = compare(old, new, "pass_rate"), compare(new, old, "pass_rate")

    assert (there.pairs, there.worse, back.better) == (2, 1, 1)
    assert there.notes == back.notes == ("1 probe compared under a former id",)


def test_a_probe_moved_to_another_suite_keeps_its_history(make_trial: MakeTrial) -> None:
    """A whole suite under a new name too."""
    old = Side("X", (make_trial("a", suite="one"), make_trial("b", suite="one")))
    new = Side("X", tuple(make_trial(name, suite="two", formerly=(f"one/{name}",)) for name in "ab"))

    found = compare(old, new, "pass_rate")

    assert (found.pairs, found.notes) == (2, ("2 probes compared under a former id",))


def test_an_id_of_today_goes_before_a_former_one(make_trial: MakeTrial) -> None:
    """A new probe may take an old name, and two may claim one; nobody is paired twice."""
    old = Side("X", (make_trial("a"), make_trial("b")))
    new = Side("X", (make_trial("a"), make_trial("c", formerly=("a", "b")), make_trial("d", formerly=("b",))))

    found = paired(old, new)

    assert [(pair.before.key[1], pair.after.key[1]) for pair in found.pairs] == [("a", "a"), ("b", "c")]
    assert found.only_after == (("s", "d"),)


def test_an_edited_probe_is_left_out_alone(make_pair: MakePair) -> None:
    """And named; the others are compared as ever."""
    before, after = make_pair(12, 1, 300)
    edited = tuple(
        replace(trial, probe_hash="other") if trial.probe in ("p000", "p299") else trial for trial in after.trials
    )

    found = compare(before, Side("X", edited), "pass_rate")

    assert (found.verdict, found.pairs, found.worse) == ("REGRESSED", 298, 11)
    assert found.notes == ("2 probes edited since and left out: p000, p299",)


def test_records_of_an_older_evalkit_are_paired_with_one_note(make_pair: MakePair) -> None:
    """Whether their probes were edited, nobody knows."""
    before, after = make_pair(1, 1, 300)
    older = Side("X", tuple(replace(trial, probe_hash="") for trial in before.trials))

    found = compare(older, after, "pass_rate")

    assert (found.verdict, found.pairs) == ("HELD", 300)
    assert found.notes == ("300 probes stored by an older evalkit on a side: whether they were edited is not known",)


def test_a_few_missing_probes_are_told(make_pair: MakePair) -> None:
    """At 90 % of the union and more the rest decides."""
    before, after = make_pair(0, 0, 200)

    found = compare(before, Side("X", after.trials[:180]), "pass_rate")

    assert (found.verdict, found.pairs) == ("HELD", 180)
    assert found.notes == ("20 probes only before and left out: p180, p181, p182, p183, p184 and 15 more",)


def test_a_suite_of_one_side_is_left_out(make_trial: MakeTrial) -> None:
    """It is no missing probe of the suites that both have."""
    before = Side("X", tuple(make_trial(f"p{i}", suite=suite) for suite in ("one", "two") for i in range(9)))
    after = Side("X", tuple(make_trial(f"p{i}", suite="one") for i in range(9)))

    found = compare(before, after, "pass_rate")

    assert (found.pairs, found.notes) == (9, ("suite two (9 probes) is only before and left out",))


def test_the_same_stored_answers_are_told(make_trial: MakeTrial) -> None:
    """The same request to the same weights: nothing could have changed but a judge."""
    side = Side("X", tuple(make_trial(name, generations=(f"answer {name}",)) for name in "abc"))

    assert compare(side, side, "pass_rate").notes == ("3 of 3 probes have the very same stored answers on both sides",)


def test_where_nothing_can_have_changed_it_held(make_trial: MakeTrial) -> None:
    """Three probes settle nothing about a new model; about the very same answers there is nothing to settle."""
    same = Side("X", tuple(make_trial(name, generations=(f"answer {name}",)) for name in "abc"))
    other = Side("X", tuple(make_trial(name, generations=(f"new {name}",)) for name in "abc"))

    found = compare(same, same, "pass_rate")

    assert found.verdict == "HELD"
    assert found.sentence == (
        "HELD: pass rate of X stayed at 100.0 %, 0.0 points [−56.1, 56.1], 0 probes worse, 0 better of 3, p 1.00; "
        "margin 3 points; every answer is the very same"
    )
    assert compare(same, other, "pass_rate").verdict == "UNDERPOWERED"


def test_clusters_decide_together(make_pair: MakePair) -> None:
    """75 families of 4: the sign-flip test over families, and McNemar only beside it."""
    families = {f"p{number:03}": f"c{number // 4}" for number in range(300)}
    before, after = (
        Side("X", tuple(replace(trial, cluster=families[trial.probe]) for trial in side.trials))
        for side in make_pair(12, 0, 300)
    )

    found = compare(before, after, "pass_rate")

    assert (found.verdict, found.clusters, found.p) == ("UNDERPOWERED", 75, 0.25)
    assert found.mcnemar_p == pytest.approx(2 / 2**12)
    assert compare(*make_pair(12, 0, 300), "pass_rate").verdict == "REGRESSED"


def test_a_cluster_may_span_suites(make_trial: MakeTrial) -> None:
    """A rephrasing in a suite of its own is no second family; where a name is shared by accident, that is cautious."""
    side = Side("X", tuple(make_trial("p", suite=suite, cluster="rent") for suite in ("one", "two")))

    assert compare(side, side, "pass_rate").clusters == 1
