"""The parts of a text that noise leaves alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.perturbing.protection import Protection, protected_in


@pytest.mark.parametrize(
    ("kind", "text", "kept"),
    [
        ("numbers", "take 12 of 3.5kg or two", ["12", "3.5kg"]),
        (
            "options",
            "Which?\nA) red ink\n(b) blue ink\n3. no ink\nAnd why?",
            ["A) red ink", "(b) blue ink", "3. no ink"],
        ),
        ("options", "A cat sat.", []),
        ("code_fences", "do\n```py\nx = 1\n```\nnow", ["```py\nx = 1\n```"]),
        ("code_fences", "never closed\n```\nx", ["```\nx"]),
        ("code_fences", "inline ``` is none", []),
    ],
)
def test_what_is_protected(kind: Protection, text: str, kept: list[str]) -> None:
    """Each kind finds its own parts and no others."""
    found = protected_in(text, (kind,))

    assert [text[start:end] for start, end in zip(found.starts, found.ends, strict=True)] == kept


@given(st.text(alphabet="a1 \n`B)", max_size=60), st.integers(0, 60), st.integers(0, 60))
def test_touching_is_sharing_a_character(text: str, start: int, end: int) -> None:
    """Found by bisection, and the same as by looking at every character."""
    found = protected_in(text, ("numbers", "options", "code_fences"))
    inside = {place for first, last in zip(found.starts, found.ends, strict=True) for place in range(first, last)}

    assert found.touches(start, end) == bool(inside & set(range(start, end)))
