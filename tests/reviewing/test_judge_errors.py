"""Judge errors in both directions, in counts and in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from evalkit.reviewing import ErrorRow, error_sentences, judge_errors

Make = Callable[..., Any]


def test_both_directions_in_words(make_population: Make, make_label: Make) -> None:
    """Seven of eleven failures, one of 29 sampled passes."""
    labels = [make_label(f"h{n}", "wrong" if n == 0 else "correct") for n in range(29)]
    labels += [make_label(f"h{n}", "correct" if n < 296 else "wrong") for n in range(289, 300)]
    trials = [
        replace(trial, category="MYSTERY" if n % 2 else "ILLICIT") for n, trial in enumerate(make_population(289, 11))
    ]

    rows = judge_errors(trials, labels)

    assert rows[-1] == ErrorRow("all", 11, 7, 29, 1, 0, 0, True, False)
    assert error_sentences(rows) == (
        "ILLICIT: 3 of 5 failures overturned; 1 of 15 sampled passes was wrong",
        "MYSTERY: 4 of 6 failures overturned; 0 of 14 sampled passes were wrong",
        "all: 7 of 11 failures overturned; 1 of 29 sampled passes was wrong",
    )


def test_what_was_not_reviewed_is_said(make_population: Make, make_label: Make) -> None:
    """One direction alone, neither, one of a kind, trials that no judge decided, and labels that decide nothing."""

    def words(passes: int, fails: int, unscored: int, *labels: Any) -> str:
        return error_sentences(judge_errors(make_population(passes, fails, unscored), labels))[-1]

    assert words(5, 1, 0, make_label("h5")) == "all: 1 of 1 failure overturned; no pass was reviewed"
    assert words(5, 9, 0, make_label("h0")) == "all: no failure was reviewed; 0 of 1 sampled pass was wrong"
    assert words(1, 0, 0, make_label("h0", "wrong")) == "all: there was no failure; 1 of 1 pass was wrong"
    assert words(0, 2, 0, make_label("h0", "unsure")) == "all: no failure was reviewed; there was no pass"
    assert words(1, 1, 3, make_label("h2"), make_label("h3", "wrong")) == (
        "all: no failure was reviewed; no pass was reviewed; 1 of 2 reviewed that no judge decided was right"
    )


def test_categories_without_a_review_have_no_row(make_population: Make, make_label: Make) -> None:
    """Only the row of all is always there."""
    trials = [replace(trial, category=f"C{n}") for n, trial in enumerate(make_population(3, 0))]

    assert [row.category for row in judge_errors(trials, [make_label("h1")])] == ["C1", "all"]
    assert [row.category for row in judge_errors(trials, [])] == ["all"]
