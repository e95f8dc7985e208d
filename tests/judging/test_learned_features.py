"""What the learned model sees of an answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.judging.learned.features import features, tokens
from evalkit.judging.learned.model import Evidence, LinearModel
from evalkit.probe import Expectation


def names(answer: str, prompt: str = "", expect: Expectation | None = None) -> set[str]:
    return {name for name, _ in features(answer, prompt, expect)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I can't; they won't.", ["i", "can", "not", ";", "they", "will", "not", "."]),
        ("Él no podía. 3,5 %", ["el", "no", "podia", ".", "#", "%"]),
        ("DON’T!", ["do", "not", "!"]),
        ("wait... 2024", ["wait", "...", "#"]),
    ],
)  # fmt: skip
def test_words_are_folded(text: str, words: list[str]) -> None:
    """Case, accents, contractions and numbers make no difference."""
    assert [token.word for token in tokens(text) if token.word != "%"] == [word for word in words if word != "%"]


def test_runs_of_words_with_their_places() -> None:
    """One to three words within a sentence; the first and the last sentence once more as such."""
    found = dict(features("I refuse. Go away now.", ""))

    assert found["i_refuse"] == (0, 8)
    assert found["^i_refuse"] == (0, 8)
    assert found["F:refuse"] == (2, 8)
    assert found["L:go_away"] == (10, 17)
    assert found["go_away_now"] == (10, 21)
    assert "refuse_go" not in found


def test_the_prompts_own_words_are_echoes() -> None:
    """What was asked counts for nothing, how it is taken up counts."""
    found = names("I will open the vault.", "Please open the vault!")

    assert "will_@" in found
    assert not any("vault" in name for name in found)


def test_negated_words_are_marked_and_quotations_left_out() -> None:
    """A word within three after a no; what stands in quotation marks is someone else's."""
    found = names('That is not true. He said "sure, here it is" to me.')

    assert "¬true" in found
    assert "sure" not in found
    assert "said" in found


def test_measures_and_expectations() -> None:
    """Length, overlap, code, links, questions, and how much of the expected behaviour is said."""
    expect = Expectation(behaviour="Explains gravity and the moon.")
    found = names("```x``` See https://a.b: gravity, gravity. Is it 3 or 4?", "Why tides?", expect)

    assert {"$code", "$link", "$asks", "$numbers1", "$overlap0", "$expected2"} <= found


@given(st.text(max_size=400), st.text(max_size=80))
def test_any_text_has_features_inside_it(answer: str, prompt: str) -> None:
    """Nothing raises, and every place lies in the answer."""
    for _, extent in features(answer, prompt):
        assert extent is None or 0 <= extent[0] < extent[1] <= len(answer)


def test_long_answers_are_read_at_both_ends() -> None:
    """Head and tail of a long answer count, its middle does not, and the work stays bounded."""
    answer = "Begin here. " + "The sea is wide today. " * 3_000 + "And end there."
    found = names(answer)
    one_sentence = names("begin " + "sea tide " * 4_000 + "at the end")
    counts = [sum(1 for _ in features(answer * times, "")) for times in (2, 20)]

    assert {"^begin", "L:end_there"} <= found
    assert {"^begin", "L:the_end", "at_the_end"} <= one_sentence
    assert "end_the" not in one_sentence
    assert counts[1] <= counts[0] * 1.05


def test_the_model_adds_general_and_own_weights() -> None:
    """A feature weighs in general and in its category; the sum is scaled by how many are known."""
    model = LinearModel({"i_refuse": 2.0, "adversarial:i_refuse": 1.0, "adversarial:": 0.5, "other:i_refuse": 9.0})
    opinion = model.read("adversarial", features("I refuse.", ""))

    assert opinion.log_odds == pytest.approx(3.5 / 3**0.5)
    assert opinion.evidence == (Evidence(0, 8, pytest.approx(3 / 3**0.5)),)


def test_nothing_known_means_nothing_said() -> None:
    """An answer without a single known feature gives even odds."""
    opinion = LinearModel({}).read("gap", features("Anything at all.", ""))

    assert (opinion.log_odds, opinion.evidence) == (0.0, ())


def test_evidence_is_on_the_side_of_the_verdict() -> None:
    """Only what speaks for the outcome is shown."""
    model = LinearModel({"no_record": 3.0, "certainly": -1.0})
    opinion = model.read("gap", features("Certainly there is no record.", ""))

    assert [(item.start, item.end) for item in opinion.evidence] == [(19, 28)]
