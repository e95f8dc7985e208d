"""Agreement of reviewers, beside statsmodels, the krippendorff package and published examples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import krippendorff
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.inter_rater import cohens_kappa

from evalkit.review import LABEL_VALUES, Label
from evalkit.reviewing import PairAgreement, agreements, cohen_kappa, disputes, krippendorff_alpha, settled

Make = Callable[..., Any]
VALUES = st.sampled_from(LABEL_VALUES)


def by_text(*reviewers: str) -> list[list[str]]:
    """One row of labels a text, from one string a reviewer; a full stop is a text that he did not label."""
    return [[value for value in column if value != "."] for column in zip(*reviewers, strict=True)]


@pytest.mark.parametrize(
    ("reviewers", "alpha"),
    [
        (("0100000010", "1110010000"), 0.095),
        (("aabbdcccedda", "babbbccceddd"), 0.692),
        (("123321412...", "1233224125.3", ".3332342251.", "12332441251."), 0.743),
    ],
    ids=["two of two values", "two of five values", "four with gaps"],
)
def test_alpha_of_the_published_examples(reviewers: Sequence[str], alpha: float) -> None:
    """Examples A, B and C of Krippendorff (2011), Computing Krippendorff's alpha-reliability, to their three digits."""
    assert krippendorff_alpha(by_text(*reviewers)) == pytest.approx(alpha, abs=0.0005)


@given(st.lists(st.lists(st.one_of(st.none(), VALUES), min_size=3, max_size=3), min_size=1, max_size=30))
def test_alpha_is_the_reference_implementations(texts: list[list[str | None]]) -> None:
    """Any labels of three reviewers with gaps, where the two define it."""
    ours = krippendorff_alpha([[value for value in row if value is not None] for row in texts])
    paired = {value for row in texts if sum(v is not None for v in row) > 1 for value in row if value is not None}
    if len(paired) < 2:
        assert ours is None
        return
    table = np.array([[LABEL_VALUES.index(v) if v is not None else np.nan for v in row] for row in texts]).T  # type: ignore[arg-type]

    theirs = krippendorff.alpha(reliability_data=table, level_of_measurement="nominal")

    assert ours == pytest.approx(theirs, abs=1e-9)


@given(st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=40))
def test_kappa_is_the_reference_implementations(pairs: list[tuple[str, str]]) -> None:
    """Any labels of two reviewers, where the two define it."""
    first, second = [one for one, _ in pairs], [other for _, other in pairs]
    ours = cohen_kappa(first, second)
    if len({*first, *second}) == 1:
        assert ours is None
        return
    table = np.zeros((4, 4))
    for one, other in pairs:
        table[LABEL_VALUES.index(one), LABEL_VALUES.index(other)] += 1  # type: ignore[arg-type]

    assert ours == pytest.approx(cohens_kappa(table, return_results=False), abs=1e-9)


def test_planted_disagreement(make_label: Make) -> None:
    """Two reviewers of 30 texts who differ on six: kappa and alpha of the references, and the six disputes."""
    labels: list[Label] = []
    table = np.zeros((2, 2))
    rows = []
    for n in range(30):
        one = "correct" if n < 20 else "wrong"
        other = {"correct": "wrong", "wrong": "correct"}[one] if n in (0, 1, 2, 3, 20, 21) else one
        labels += [make_label(f"h{n}", one), make_label(f"h{n}", other, reviewer="ben")]
        table[int(one == "wrong"), int(other == "wrong")] += 1
        rows.append([one == "wrong", other == "wrong"])

    (found,) = agreements(labels)
    alpha = krippendorff_alpha([label.value for label in said.labels] for said in settled(labels).values())

    assert (found.first, found.second, found.n, found.agreeing) == ("ana", "ben", 30, 24)
    assert found.kappa == pytest.approx(cohens_kappa(table, return_results=False))
    assert found.kappa == pytest.approx(0.5714, abs=1e-4)
    reference = krippendorff.alpha(reliability_data=np.array(rows, dtype=float).T, level_of_measurement="nominal")
    assert alpha == pytest.approx(reference)
    assert {said.text_hash for said in disputes(labels)} == {"h0", "h1", "h2", "h3", "h20", "h21"}


def test_agreement_without_a_measure(make_label: Make) -> None:
    """Nobody in common, and two who only ever say the same: no kappa, and no alpha."""
    apart = [make_label("h0"), make_label("h1", reviewer="ben")]
    alike = [make_label("h0"), make_label("h0", reviewer="ben")]

    assert agreements(apart) == ()
    assert agreements(alike) == (PairAgreement("ana", "ben", 1, 1, None),)
    assert krippendorff_alpha([["correct"], []]) is None
    assert cohen_kappa([], []) is None


def test_unequal_lists_are_refused() -> None:
    """With how many there are."""
    with pytest.raises(ValueError, match=r"^both need a label for every text; found 2 and 1$"):
        cohen_kappa(["a", "b"], ["a"])


def test_disputes_that_wait_for_a_decision_come_first(make_label: Make) -> None:
    """Before those that a majority decides; a third label settles a tie."""
    labels = [make_label("h0"), make_label("h0", "unsure", reviewer="ben")]
    labels += [
        make_label("h1"),
        make_label("h1", "wrong", reviewer="ben"),
        make_label("h2"),
        make_label("h2", reviewer="ben"),
    ]

    found = disputes(labels)
    after = disputes([*labels, make_label("h1", "wrong", reviewer="cem")])

    assert [(said.text_hash, said.is_open, said.truth) for said in found] == [("h1", True, None), ("h0", False, True)]
    assert [(said.text_hash, said.is_open, said.truth) for said in after] == [("h0", False, True), ("h1", False, False)]
