"""Short cuts for plain texts find what the long way finds."""

from __future__ import annotations

import numpy as np
import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from evalkit.judging import repetition
from evalkit.judging.collapse import languages
from evalkit.judging.collapse.languages import Languages, scripts_of
from evalkit.judging.repetition import LoopSize, Tokens, find_character_run, find_loop
from evalkit.judging.wording import _occurrences

ASCII = st.text(alphabet=st.characters(max_codepoint=127), max_size=60)
SIZES = (LoopSize(3, 6, 8), LoopSize(4, 4, 6))
LISTS = [("en", ("the", "of", "a")), ("de", ("der", "a", "und"))]


@given(wording=ASCII.filter(bool), answer=ASCII, sensitive=st.booleans())
def test_plain_wordings_are_found_where_a_pattern_finds_them(wording: str, answer: str, sensitive: bool) -> None:
    """At most five places, not overlapping, with and without regard to case."""
    answer = answer + wording.swapcase() + answer + wording
    pattern = regex.compile(regex.escape(wording), 0 if sensitive else regex.IGNORECASE)

    found = _occurrences(wording, answer, sensitive)

    assert found == tuple(match.span() for match in pattern.finditer(answer))[:5]


@given(words=st.lists(st.sampled_from(["a", "be", "see", "7", ","]), max_size=40))
def test_no_loop_is_missed_for_being_ruled_out(words: list[str]) -> None:
    """What cannot loop is left out; everything else is looked at as before."""
    tokens = Tokens.of(" ".join(words))

    quick = find_loop(tokens, SIZES, 8)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(repetition, "may_loop", lambda *_: True)
        slow = find_loop(tokens, SIZES, 8)

    assert quick == slow


@given(text=st.text(alphabet="ab \n\t\u00a0\u3000", max_size=60))
def test_a_run_of_characters_needs_a_stretch_without_blanks(text: str) -> None:
    """Whatever counts as a blank: a text whose stretches are too short has no run, and others are looked through."""
    found = find_character_run(text, (), 4, 6, 3)

    longest = max((len(part) for part in regex.split(r"[\t-\r \xa0\u3000]", text)), default=0)
    assert found is None or found.end - found.start <= longest


@given(text=ASCII)
def test_plain_letters_are_latin(text: str) -> None:
    """The script and the language of an ASCII text are those that its characters, looked up one by one, have."""
    known = Languages(LISTS)
    counts = np.bincount(languages.script_numbers(text), minlength=len(languages.SCRIPTS))
    latin = int(counts[languages.SCRIPTS.index("Latin")])

    assert scripts_of(text) == (frozenset({"Latin"}) if latin >= 2 else frozenset())
    assert known.of(text) == known.of(text + "\u2014")
