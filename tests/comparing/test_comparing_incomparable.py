"""What cannot be compared as a whole says why, and what can still be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from evalkit.comparing import Side, compare
from evalkit.measured import Measured

MakePair = Callable[..., tuple[Side, Side]]
MakeTrial = Callable[..., Measured]


def test_no_suite_in_common(make_trial: MakeTrial) -> None:
    """Both are named."""
    found = compare(Side("A", (make_trial("p", suite="one"),)), Side("B", (make_trial("p", suite="two"),)), "pass_rate")

    assert found.sentence == "INCOMPARABLE: no suite in common: one before, two after"
    assert (found.verdict, found.still, found.pairs, found.delta) == ("INCOMPARABLE", None, 0, None)


def test_no_probe_in_common(make_trial: MakeTrial) -> None:
    """Every id was changed, and no probe says what it was."""
    found = compare(Side("A", (make_trial("p"),)), Side("B", (make_trial("q"),)), "pass_rate")

    assert found.sentence == "INCOMPARABLE: no probe of suite s is on both sides"


def test_no_trials(make_trial: MakeTrial) -> None:
    """An empty side."""
    found = compare(Side("A", ()), Side("B", (make_trial("q"),)), "pass_rate")

    assert found.sentence == "INCOMPARABLE: A has no trials"


def test_too_few_probes_in_common(make_pair: MakePair) -> None:
    """Under 90 % of the union; the shared ones are still compared."""
    before, after = make_pair(12, 1, 300)

    found = compare(before, Side("X", after.trials[:269]), "pass_rate")

    assert found.sentence == "INCOMPARABLE: only 269 of 300 probes are on both sides: 31 only before, 0 only after"
    assert found.still is not None
    assert (found.still.verdict, found.still.pairs) == ("REGRESSED", 269)
    assert found.shown is found.still


def test_a_changed_judge(make_pair: MakePair) -> None:
    """Its short hashes are told; where it judged everything, all pairs are shown with a warning."""
    before, after = make_pair(12, 1, 300)
    other = Side("X", tuple(replace(trial, judges={"text": "k" * 64}) for trial in after.trials))

    found = compare(before, other, "pass_rate")

    assert found.sentence == "INCOMPARABLE: judge text is another (jjjjjjjj before, kkkkkkkk after)"
    assert found.notes == ("no pair had the same judges on both sides: what is shown may be the judges' doing",)
    assert found.still is not None
    assert (found.still.verdict, found.still.pairs) == ("REGRESSED", 300)


def test_a_judge_that_changed_on_some_probes(make_pair: MakePair) -> None:
    """What the unchanged judges decided is still compared."""
    before, after = make_pair(12, 1, 300)
    other = tuple(
        replace(trial, judges={"text": "j" * 64, "semantic": "m" * 64}) if trial.probe < "p100" else trial
        for trial in after.trials
    )

    found = compare(before, Side("X", other), "pass_rate")

    assert found.sentence == "INCOMPARABLE: judge semantic decided only after, on 100 of 300 probes"
    assert found.still is not None
    assert (found.still.verdict, found.still.pairs) == ("HELD", 200)


def test_a_judge_without_a_hash_is_taken_as_the_same(make_pair: MakePair) -> None:
    """What is not known is no difference."""
    before, after = make_pair(1, 1, 300)
    unknown = Side("X", tuple(replace(trial, judges={"text": ""}) for trial in after.trials))

    assert compare(before, unknown, "pass_rate").verdict == "HELD"


def test_a_changed_judge_does_not_matter_to_errors(make_pair: MakePair) -> None:
    """No judge makes an error."""
    before, after = make_pair(0, 0, 300)
    other = Side("X", tuple(replace(trial, judges={"text": "k" * 64}) for trial in after.trials))

    assert compare(before, other, "error_rate").verdict == "HELD"


def test_every_probe_edited(make_pair: MakePair) -> None:
    """One edited probe is incomparable alone; all of them are the whole."""
    before, after = make_pair(0, 0, 7)
    edited = Side("X", tuple(replace(trial, probe_hash="other") for trial in after.trials))

    found = compare(before, edited, "pass_rate")

    assert found.sentence == "INCOMPARABLE: every probe that both have was edited (7)"
    assert found.still is None


def test_scores_against_none(make_trial: MakeTrial) -> None:
    """A mean score is no pass rate."""
    scored = Side("A", (make_trial("p", scores={"text": 4.0}),))
    bare = Side("B", (make_trial("p"),))

    assert compare(scored, bare, "mean_score").sentence == "INCOMPARABLE: after has no scores"
    assert compare(bare, scored, "mean_score", judge="text").sentence == "INCOMPARABLE: before has no scores by text"
    assert compare(bare, bare, "mean_score").sentence == "INCOMPARABLE: neither side has scores"


def test_scores_of_other_judges(make_trial: MakeTrial) -> None:
    """Each judge has a scale of its own."""
    one = Side("A", (make_trial("p", judges={"lek": "1"}, scores={"lek": 4.0}),))
    other = Side("B", (make_trial("p", judges={"rubric": "2"}, scores={"rubric": 9.0}),))

    found = compare(one, other, "mean_score")

    assert found.sentence == (
        "INCOMPARABLE: the scores are of other judges: lek before, rubric after; judge lek decided only before; "
        "judge rubric decided only after"
    )


def test_several_reasons_are_all_told(make_pair: MakePair) -> None:
    """So that one run mends them all."""
    before, after = make_pair(0, 0, 10)
    other = Side("X", tuple(replace(trial, judges={"text": "k" * 64}) for trial in after.trials[:5]))

    assert compare(before, other, "pass_rate").sentence == (
        "INCOMPARABLE: only 5 of 10 probes are on both sides: 5 only before, 0 only after; "
        "judge text is another (jjjjjjjj before, kkkkkkkk after)"
    )
