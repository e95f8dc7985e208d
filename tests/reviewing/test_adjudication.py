"""Labels given to decide between others, and how many answers a label speaks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from evalkit.reviewing import agreements, corrected_rates, disputes, settled
from evalkit.reviewing.weights import shares_read

Make = Callable[..., Any]


def test_an_adjudication_decides_against_the_majority(make_label: Make) -> None:
    """However many say otherwise, and whenever they said it."""
    labels = [
        make_label("h0", "wrong", reviewer="ana", at=9.0), make_label("h0", "wrong", reviewer="ben", at=9.0),
        make_label("h0", "correct", reviewer="cid", at=1.0, adjudicates=True),
    ]  # fmt: skip
    said = settled(labels)["h0"]

    assert (said.truth, said.is_disputed, said.is_adjudicated, said.is_open) == (True, True, True, False)
    assert disputes(labels) == (said,)


def test_the_last_adjudication_counts(make_label: Make) -> None:
    """Of two people who adjudicated; one that says unsure leaves the text unread, and it is no longer open."""
    first = make_label("h0", "wrong", reviewer="cid", at=1.0, adjudicates=True)
    second = make_label("h0", "unsure", reviewer="dan", at=2.0, adjudicates=True)
    said = settled([second, first, make_label("h0", "correct")])["h0"]

    assert (said.truth, said.is_open) == (None, False)


def test_an_ordinary_label_takes_no_adjudication_back(make_label: Make) -> None:
    """The same person's earlier or later label stands behind it."""
    decided = make_label("h0", "correct", at=5.0, adjudicates=True)

    for at in (1.0, 9.0):
        assert settled([decided, make_label("h0", "wrong", at=at)])["h0"].labels == (decided,)


def test_agreement_is_of_independent_labels(make_label: Make) -> None:
    """Who leaves adjudications out has the reviewers' own labels left, unless the same person gave both."""
    labels = [make_label("h0", "wrong", reviewer="ana"), make_label("h0", "correct", reviewer="ben")]
    decided = make_label("h0", "correct", reviewer="ana", at=2.0, adjudicates=True)

    (pair,) = agreements(label for label in [*labels, decided] if not label.adjudicates)
    assert (pair.n, pair.agreeing) == (1, 0)


def test_shares_add_up_to_the_run(make_population: Make, make_label: Make) -> None:
    """Each label weighs 1 / share: the weights of passes are all passes, of fails all fails."""
    trials = make_population(20, 10)
    drawn = [make_label(f"h{n}", stratum="passed") for n in range(4)]
    drawn += [make_label(f"h{n}", "wrong", stratum="failed") for n in range(20, 25)]
    drawn += [make_label("h29", "wrong", stratum="gate"), make_label("h10", "unsure", stratum="passed")]
    shares = shares_read(trials, drawn)

    assert {text: round(1 / share, 6) for text, share in shares.items()} == {
        **{f"h{n}": 5.0 for n in range(4)}, **{f"h{n}": 1.8 for n in range(20, 25)}, "h29": 1.0,
    }  # fmt: skip
    assert sum(1 / share for share in shares.values()) == pytest.approx(30)
    assert corrected_rates(trials, drawn).corrected.rate == pytest.approx(20 / 30)
