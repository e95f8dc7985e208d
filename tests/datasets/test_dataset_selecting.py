"""Which transcripts are kept, and the reason against each of the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from evalkit.datasets.candidate import Candidate
from evalkit.datasets.selecting import Wanted, deduplicated, select, why_not
from evalkit.review import Label

Make = Callable[..., Candidate]
REVIEWED = Wanted(reviewed=True)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"outcome": "error"}, "error, no answer"),
        ({"outcome": "unscored"}, "unscored"),
        ({"outcome": "fail"}, "failed"),
        ({"flags": ("collapsed",)}, "collapsed"),
        ({"role": "reference"}, "a reference target's, which is expected to misbehave"),
        ({"answer": " \n"}, "empty"),
        ({"answer": "", "thinking": "Hm."}, "empty"),
        ({"asked": [("user", " ")]}, "empty"),
        ({"finish": "length"}, "cut or refused before its end"),
        ({"finish": "cycle"}, "cut or refused before its end"),
        ({"finish": "refusal"}, "cut or refused before its end"),
        ({"finish": "stop_string"}, None),
        ({"answer": "Yes.<end_of_turn>"}, "special tokens in the text"),
        ({"answer": "Yes.<|im_end|>"}, "special tokens in the text"),
        ({"asked": [("user", "Say <|im_start|>system")]}, "special tokens in the text"),
        ({"answer": "The sea \ufffd rises."}, "broken characters in the text"),
        ({"answer": f"The sea {chr(0xD83D)} rises."}, "broken characters in the text"),
        ({"answer": "The sea 🌊 rises."}, None),
    ],
)
def test_each_reason_has_its_words(candidate: Make, changes: dict[str, Any], why: str | None) -> None:
    """The first reason that applies is the one that counts."""
    assert why_not(candidate(**changes), None, Wanted()) == why


def test_an_answer_that_the_store_lost_is_left_out(record: Callable[..., Any]) -> None:
    """There is nothing to learn from."""
    assert why_not(Candidate.without_answer(record()), None, Wanted()) == "the store has no answer"


def test_reference_targets_that_are_named_are_meant(candidate: Make) -> None:
    """Whoever writes RUN@TARGET has chosen."""
    assert why_not(candidate(role="reference"), None, Wanted(is_picked=True)) is None


def test_special_tokens_of_a_dropped_prompt_do_no_harm(candidate: Make) -> None:
    """Only what would be written counts: the condition's text and the thinking may be left out."""
    own = candidate(system="<|im_start|>", thinking="<|im_end|>")

    assert why_not(own, None, Wanted()) is None
    assert why_not(own, None, Wanted(with_system=True)) == "special tokens in the text"
    assert why_not(own, None, Wanted(with_thinking=True)) == "special tokens in the text"


@pytest.mark.parametrize(
    ("outcome", "said", "plain", "reviewed"),
    [
        ("pass", None, None, "not reviewed"),
        ("pass", "correct", None, None),
        ("pass", "wrong", "labelled wrong", "labelled wrong"),
        ("pass", "borderline", None, "labelled borderline"),
        ("pass", "unsure", None, "labelled unsure"),
        ("fail", None, "failed", "not reviewed"),
        ("fail", "correct", None, None),
        ("fail", "unsure", "failed", "labelled unsure"),
        ("unscored", "correct", "unscored", "unscored"),
    ],
)
def test_people_overrule_judges(
    candidate: Make, label: Callable[..., Label], outcome: str, said: str | None, plain: str | None,
    reviewed: str | None,
) -> None:  # fmt: skip
    """With and without --reviewed; no label makes an answer of one that nobody could score."""
    own = candidate(outcome=outcome)
    given = None if said is None else label(said)

    assert why_not(own, given, Wanted()) == plain
    assert why_not(own, given, REVIEWED) == reviewed


def test_answers_on_which_reviewers_are_split_stay_out(candidate: Make, label: Callable[..., Label]) -> None:
    """With and without --reviewed, and though a third could not say."""
    own = candidate(text_hash="t")

    assert select([own], {}, Wanted(), {"t"}).left_out == {"reviewers differ": 1}
    assert select([own], {"t": label("unsure")}, REVIEWED, {"t"}).left_out == {"reviewers differ": 1}


def test_a_collapse_stays_out_whatever_people_say(candidate: Make, label: Callable[..., Label]) -> None:
    """A repeated sentence may be right and is still nothing to learn."""
    assert why_not(candidate(flags=("collapsed",), outcome="fail"), label("correct"), REVIEWED) == "collapsed"


def test_the_least_scores_all_hold(candidate: Make) -> None:
    """A score at the bound is enough; a missing one is a reason of its own."""
    wanted = Wanted(min_scores=(("lek", 24.0), ("other", 1.5)))

    assert why_not(candidate(scores=[("lek", 24.0), ("other", 1.5)]), None, wanted) is None
    assert why_not(candidate(scores=[("lek", 23.9), ("other", 9.0)]), None, wanted) == "lek below 24"
    assert why_not(candidate(scores=[("lek", 30.0), ("other", 1.0)]), None, wanted) == "other below 1.5"
    assert why_not(candidate(scores=[("lek", 30.0)]), None, wanted) == "no score by other"


def test_the_best_answer_of_each_probe_is_kept_and_the_first_wins_ties(candidate: Make) -> None:
    """Probes stay in the order of the run; an answer without a score loses to any."""
    every = [
        candidate("ebb", scores=[("lek", None)], sample=0),
        candidate("ebb", scores=[("lek", -3.0)], sample=1),
        candidate("tides", scores=[("lek", 2.0)], sample=0),
        candidate("tides", scores=[("lek", 5.0)], sample=1),
        candidate("tides", scores=[("lek", 5.0)], sample=2),
    ]

    def kept(dedup: Any) -> list[tuple[str, int]]:
        return [(item.record.probe, item.record.sample) for item in deduplicated(every, dedup, "lek")]

    assert kept("best") == [("ebb", 1), ("tides", 1)]
    assert kept("first") == [("ebb", 0), ("tides", 0)]
    assert kept("all") == [("ebb", 0), ("ebb", 1), ("tides", 0), ("tides", 1), ("tides", 2)]


def test_equal_ids_of_two_suites_are_two_probes(candidate: Make) -> None:
    """An id is unique in its suite only."""
    every = [candidate("tides"), candidate("tides", suite="lake")]

    assert deduplicated(every, "best", None) == tuple(every)


def test_every_answer_is_kept_or_counted(candidate: Make) -> None:
    """Reasons in words with their counts; those that lost to another answer of their probe too."""
    every = [
        candidate("tides", sample=0), candidate("tides", sample=1), candidate("ebb", outcome="fail"),
        candidate("flow", outcome="fail"), candidate("surf", outcome="error"),
    ]  # fmt: skip
    found = select(every, {}, Wanted())

    assert [item.record.probe for item in found.kept] == ["tides"]
    assert found.approved == 2
    assert found.left_out == {"failed": 2, "error, no answer": 1, "another answer of the probe is kept": 1}
    assert len(found.kept) + sum(found.left_out.values()) == len(every)
