"""Noise of letters, words and blanks."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.perturbing.noises import NOISES, other_blanks, other_case, typing_errors
from evalkit.perturbing.protection import protected_in

SENTENCE = "Please tell me when the 7 ferries leave Ålesund for Bergen"
TEXTS = st.text(max_size=80)
RATIOS = st.floats(min_value=0, max_value=1)
SEEDS = st.integers(min_value=0, max_value=2**64 - 1)


@pytest.mark.parametrize(
    ("kind", "ratio", "text"),
    [
        ("case", 0.3, "PlEASe TelL me wHen the 7 fErrIeS leave ÅLeSunD for bErgen"),
        ("typo", 0.5, "Please teell me whne the 7 ferires leave Ålesund for Bergen"),
        ("whitespace", 0.5, "Please  tell me \nwhen the 7  ferries\tleave Ålesund for \nBergen"),
    ],
)
def test_the_draw_of_a_seed_is_fixed(kind: str, ratio: float, text: str) -> None:
    """A change of these texts means that stored answers no longer belong to their probes."""
    assert NOISES[kind](SENTENCE, ratio, Random(7), protected_in(SENTENCE, ())).text == text


@given(TEXTS, RATIOS, SEEDS)
def test_case_changes_nothing_else(text: str, ratio: float, seed: int) -> None:
    """The same letters but for their case, as many as were drawn."""
    noised = other_case(text, ratio, Random(seed))

    assert noised.text.casefold() == text.casefold()
    assert sum(one != other for one, other in zip(text, noised.text, strict=True)) == noised.changed
    assert noised.changed == int(noised.units * ratio)


@given(TEXTS)
def test_all_letters_change_their_case_at_one(text: str) -> None:
    """Twice at full strength is the text itself."""
    assert other_case(other_case(text, 1.0, Random(1)).text, 1.0, Random(2)).text == text


@given(TEXTS, RATIOS, SEEDS)
def test_typing_errors_keep_what_is_between_words(text: str, ratio: float, seed: int) -> None:
    """Each error is inside one word: as many words as before, each with its first letter."""
    noised = typing_errors(text, ratio, Random(seed))
    before, after = text.split(), noised.text.split()

    assert [word[0] for word in before] == [word[0] for word in after]
    assert sum(one != other for one, other in zip(before, after, strict=True)) <= noised.drawn
    assert abs(len(noised.text) - len(text)) <= noised.drawn


@given(st.integers(0, 10**9), SEEDS)
def test_numbers_get_no_typing_errors(number: int, seed: int) -> None:
    """An error in a number would make another task."""
    text = f"{number:06d} and {number}km"

    assert typing_errors(text, 1.0, Random(seed)).text == text


@given(TEXTS, RATIOS, SEEDS)
def test_blanks_keep_the_words(text: str, ratio: float, seed: int) -> None:
    """No word is cut and none are joined."""
    noised = other_blanks(text, ratio, Random(seed))

    assert noised.text.split() == text.split()
    assert (noised.text != text) == (noised.drawn > 0)


@given(TEXTS, SEEDS)
@pytest.mark.parametrize("kind", sorted(NOISES))
def test_no_strength_no_noise(kind: str, text: str, seed: int) -> None:
    """At 0 every text stays as it is."""
    assert NOISES[kind](text, 0.0, Random(seed), protected_in(text, ())).text == text


@pytest.mark.parametrize("kind", sorted(NOISES))
def test_what_is_protected_stays(kind: str) -> None:
    """Fenced code is the same after every noise."""
    code = "```python\nfor word in words:\n    print(word)\n```"
    text = f"Please say what this short program prints\n{code}\nand why it does that"
    protected = protected_in(text, ("code_fences",))

    for seed in range(50):
        assert code in NOISES[kind](text, 1.0, Random(seed), protected).text
