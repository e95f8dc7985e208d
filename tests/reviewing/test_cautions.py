"""What is said beside corrected rates, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from evalkit.reviewing import corrected_rates

Make = Callable[..., Any]


def test_labels_that_decide_nothing(make_population: Make, make_label: Make) -> None:
    """Borderline and unsure count as unread, a tie waits for one more reviewer, and seen verdicts are told."""
    labels = [make_label(f"h{n}", stratum="passed") for n in range(17)]
    labels += [make_label(f"h{n}", "wrong", stratum="failed", blind=False) for n in (18, 19)]
    labels += [make_label("h17", "borderline"), make_label("h16", "wrong", reviewer="ben")]

    found = corrected_rates(make_population(18, 2), labels)

    assert found.reviewed_n == 18
    assert found.warnings == (
        "1 text labelled borderline or unsure counts as an unread one. "
        "Have somebody else decide: evalkit review RUN --again",
        "1 text has as many labels for as against; one more reviewer has to decide: evalkit review disputes RUN --open",
        "2 of 21 labels were given with the verdict in sight. Have somebody judge blind: evalkit review RUN --again",
    )


def test_warnings_of_one_and_of_several(make_population: Make, make_label: Make) -> None:
    """Each sentence in its other number."""
    labels = [
        make_label("h0", blind=False, stratum="passed"),
        make_label("h1", "unsure"),
        make_label("h2", "borderline"),
    ]
    for text in ("h3", "h4"):
        labels += [make_label(text), make_label(text, "wrong", reviewer="ben")]

    found = corrected_rates(make_population(5, 0, 1), labels)

    assert found.warnings == (
        "1 unscored trial was not reviewed and is in no rate. Have some read: evalkit review RUN --budget N",
        "2 texts labelled borderline or unsure count as unread ones. "
        "Have somebody else decide: evalkit review RUN --again",
        "2 texts have as many labels for as against; one more reviewer has to decide: "
        "evalkit review disputes RUN --open",
        "1 of 7 labels was given with the verdict in sight. Have somebody judge blind: evalkit review RUN --again",
    )


def test_labels_that_do_not_say_whether_they_were_blind(make_population: Make, make_label: Make) -> None:
    """Are counted and told, beside those that say they were not."""
    labels = [make_label(f"h{n}", stratum="passed", blind=None if n < 3 else n > 3) for n in range(6)]
    one = make_label("h0", stratum="passed", blind=None)
    ask = "Have somebody judge blind: evalkit review r9 --again"

    assert corrected_rates(make_population(6, 0), labels, run="r9").warnings == (
        f"1 of 6 labels was given with the verdict in sight. {ask}",
        f"3 of 6 labels do not say whether the verdict was in sight. {ask}",
    )
    assert corrected_rates(make_population(1, 0), [one], run="r9").warnings == (
        f"1 of 1 labels does not say whether the verdict was in sight. {ask}",
    )


def test_a_tie_in_a_queue_is_not_asked_for_again(make_population: Make, make_label: Make) -> None:
    """It has its labels: what it waits for is a decision, and others speak for it until then."""
    trials = [replace(trial, stratum="passed", inclusion=0.5) for trial in make_population(4, 0)]
    labels = [make_label(f"h{n}", stratum="passed") for n in range(4)]
    tie = make_label("h0", "wrong", reviewer="ben")

    assert corrected_rates(trials, [*labels, tie]).warnings == (
        "1 of 4 texts in the queue has no label that decides; the others are taken to speak for them",
        "1 text has as many labels for as against; one more reviewer has to decide: evalkit review disputes RUN --open",
    )
