"""Reading the final number and the final choice of an answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.judging.final_choice import final_letter, final_word
from evalkit.judging.final_number import final_number


@pytest.mark.parametrize(
    ("text", "language", "written", "values"),
    [
        ("The total is 42.", None, "42", (42.0,)),
        ("1,234", None, "1,234", (1234.0,)),
        ("1,234", "es", "1,234", (1.234, 1234.0)),
        ("1.234", "de-AT", "1.234", (1234.0, 1.234)),
        ("3,14", None, "3,14", (3.14,)),
        ("0.125", "es", "0.125", (0.125,)),
        ("1.234.567,89", None, "1.234.567,89", (1234567.89,)),
        ("$1,000.50 in all", None, "$1,000.50", (1000.5,)),
        ("12 345 items", None, "12 345", (12345.0,)),
        ("12\u202f345,5", None, "12\u202f345,5", (12345.5,)),
        ("It fell to -5 degrees", None, "-5", (-5.0,)),
        ("x=\u22123", None, "\u22123", (-3.0,)),
        ("-$5", None, "-$5", (-5.0,)),
        ("a range of 3-5", None, "5", (5.0,)),
        ("about 25 %.", None, "25 %", (25.0, 0.25)),
        ("6.02 × 10^23", None, "6.02 × 10^23", (6.02e23,)),
        ("1e5", None, "1e5", (1e5,)),
        ("1,2,3,4", None, "4", (4.0,)),
        ("at 10:30", None, "30", (30.0,)),
        (".5", None, ".5", (0.5,)),
        ("20km", None, "20", (20.0,)),
        (r"\boxed{42}", None, "42", (42.0,)),
        (r"\boxed{-4}", None, "-4", (-4.0,)),
        ("It prints `-4`.", None, "-4", (-4.0,)),
        ("GPT-4 found 7 cats", None, "7", (7.0,)),
    ],
)
def test_final_number(text: str, language: str | None, written: str, values: tuple[float, ...]) -> None:
    """The last number is read as people write it."""
    found = final_number(text, language)

    assert found is not None
    assert (found.written, found.values, text[found.start : found.end].strip()) == (written, values, written)


@pytest.mark.parametrize("text", ["", "none", "H2O", "the 3rd", "GPT-4"])
def test_no_number(text: str) -> None:
    """Digits inside a name or an ordinal are no number."""
    assert final_number(text) is None


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("B", ("B",)),
        ("(b)", ("B",)),
        ("**B**", ("B",)),
        ("The correct letter is B.", ("B",)),
        ("Letter: **B**", ("B",)),
        ("B) because copper conducts", ("B",)),
        ("B. The copper conducts.", ("B",)),
        ("Answer: B", ("B",)),
        ("The answer is b.", ("B",)),
        ("The right option is (B) since copper conducts.", ("B",)),
        ("A) Lima B) Cusco. Answer: A", ("A",)),
        ("Final answer: A. My first answer was B.", ("A",)),
        ("I'd go with B.", ("B",)),
        (r"\boxed{D}", ("D",)),
        ("La respuesta correcta es C", ("C",)),
        ("Copper conducts.\n\nB", ("B",)),
        ("The answer is A and B.", ("A", "B")),
        ("A or B", ("A", "B")),
        ("The answer is A. No, the answer is B.", ("A", "B")),
        ("A) x\nB) y", ("A", "B")),
    ],
)
def test_final_letter(text: str, options: tuple[str, ...]) -> None:
    """The clearest statement decides; several different ones are all named."""
    found = final_letter(text)

    assert found is not None
    assert found.options == options


@pytest.mark.parametrize("text", ["", "0o0", "A dog is nice", "The answer is a dog", "The answer is not A", "Hello"])
def test_no_letter(text: str) -> None:
    """An article or a denied option is no choice."""
    assert final_letter(text) is None


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("Left.", ("left",)),
        ("The answer is left", ("left",)),
        ("Let me think.\nleft", ("left",)),
        ("left or right", ("left", "right")),
        ("Right", None),
        ("leftover", None),
        ("The answer is right, not left", None),
    ],
)
def test_final_word(text: str, options: tuple[str, ...] | None) -> None:
    """A worded option counts where the answer states it, starts or ends with it."""
    found = final_word(text, "left")

    assert (None if found is None else found.options) == options


@given(st.text())
def test_reading_never_raises(text: str) -> None:
    """No text breaks the readers, and what they find lies inside it."""
    for found in (final_number(text), final_letter(text), final_word(text, "yes")):
        assert found is None or 0 <= found.start <= found.end <= len(text)
