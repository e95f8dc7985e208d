"""Words in another order, as the imitated training function moves them."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.perturbing.protection import protected_in
from evalkit.perturbing.word_shuffle import word_shuffle

SENTENCE = "a calm river bends twice before it meets the grey northern sea"
RATIOS = st.floats(min_value=0, max_value=1)
SEEDS = st.integers(min_value=0, max_value=2**64 - 1)


def imitated(text: str, ratio: float, chance: Random) -> str:
    """The five steps of the published function as its description gives them."""
    words = text.split(" ")
    if len(words) <= 3:
        return text
    places = chance.sample(range(len(words)), int(len(words) * ratio))
    taken = [words[place] for place in places]
    chance.shuffle(taken)
    for place, word in zip(places, taken, strict=True):
        words[place] = word
    return " ".join(words)


@pytest.mark.parametrize(
    ("seed", "ratio", "text"),
    [
        (0, 0.5, "meets calm river a bends before sea twice the grey northern it"),
        (1, 0.7, "a northern calm grey twice it before meets the bends river sea"),
        (3407, 1.0, "meets bends the grey it a sea twice before river calm northern"),
    ],
)
def test_the_draw_of_a_seed_is_fixed(seed: int, ratio: float, text: str) -> None:
    """A change of these texts means that stored answers no longer belong to their probes."""
    assert word_shuffle(SENTENCE, ratio, Random(seed)).text == text


@given(st.text(alphabet="ab \t\n", max_size=60), RATIOS, SEEDS)
def test_it_is_the_imitated_function(text: str, ratio: float, seed: int) -> None:
    """Both make the same text of any text, with the same two draws in the same order."""
    assert word_shuffle(text, ratio, Random(seed)).text == imitated(text, ratio, Random(seed))


@given(st.text(max_size=80), RATIOS, SEEDS)
def test_words_and_length_stay(text: str, ratio: float, seed: int) -> None:
    """The same words, the same number of characters; all that was not drawn stays in its place."""
    noised = word_shuffle(text, ratio, Random(seed))
    before, after = text.split(" "), noised.text.split(" ")

    assert sorted(before) == sorted(after)
    assert len(noised.text) == len(text)
    assert sum(one != other for one, other in zip(before, after, strict=True)) == noised.changed <= noised.drawn


@pytest.mark.parametrize(
    ("words", "ratio", "drawn"),
    [(90, 0.7, 62), (170, 0.7, 118), (180, 0.7, 125), (330, 0.7, 230), (340, 0.7, 237), (100, 0.7, 70), (10, 0.5, 5)],
)
def test_the_share_is_a_float_product_cut_off(words: int, ratio: float, drawn: int) -> None:
    """90 words at 0.7 give 62 and not 63, as the float formula has it."""
    assert word_shuffle(" ".join(map(str, range(words))), ratio, Random(1)).drawn == drawn


@pytest.mark.parametrize("text", ["", "one", "one two three", "a\tb\nc d e"])
def test_three_words_or_fewer_stay(text: str) -> None:
    """What stands between single blanks is a word, tabs and line breaks included."""
    assert word_shuffle(text, 1.0, Random(1)).text == text
    assert word_shuffle(text, 1.0, Random(1)).drawn == 0


def test_two_blanks_in_a_row_hold_an_empty_word() -> None:
    """Four words of which one is empty may be shuffled."""
    texts = {word_shuffle("a  b c", 1.0, Random(seed)).text for seed in range(200)}

    assert " a b c" in texts
    assert all(sorted(text.split(" ")) == ["", "a", "b", "c"] for text in texts)


def test_one_drawn_word_has_nowhere_to_go() -> None:
    """Four words at 0.49 draw one, which stays where it is."""
    noised = word_shuffle("a b c d", 0.49, Random(5))

    assert (noised.text, noised.drawn, noised.changed) == ("a b c d", 1, 0)


def test_two_of_four_words_stay_about_every_other_time() -> None:
    """Four words at 0.7 draw two, which come back to their places with probability one half."""
    same = sum(word_shuffle("a b c d", 0.7, Random(seed)).text == "a b c d" for seed in range(2000))

    assert 900 < same < 1100


@given(RATIOS, SEEDS)
def test_protected_words_stay(ratio: float, seed: int) -> None:
    """Numbers, options and fenced code are where they were."""
    text = (
        "How many of 12 red apples and 30 green pears are left \nB) some of them \nC) none of them \n```\na b c d\n```"
    )
    protected = protected_in(text, ("numbers", "options", "code_fences"))

    noised = word_shuffle(text, ratio, Random(seed), protected).text

    assert noised.split(" ")[3] == "12"
    assert noised.endswith("\nB) some of them \nC) none of them \n```\na b c d\n```")
