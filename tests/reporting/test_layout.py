"""Lines are measured by how wide they look."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.reporting.layout import Column, cut, display_width, folded, padded, squeezed, table
from evalkit.reporting.safe_text import for_terminal

CALM = settings(deadline=None)  # a busy machine is no failure
TEXT = st.text(max_size=80).map(for_terminal)


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("中文", 4), ("e\u0301", 1), ("ｗ", 2), ("…", 1), ("", 0)])
def test_width_is_counted_in_terminal_cells(text: str, width: int) -> None:
    """Wide characters are two, combining marks none."""
    assert display_width(text) == width


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [("abcdef", 6, "abcdef"), ("abcdef", 5, "abcd…"), ("中文字", 5, "中文…"), ("中文字", 4, "中…")],
)
def test_cut_keeps_the_beginning(text: str, width: int, shown: str) -> None:
    """A wide character that would stick out is left away whole."""
    assert cut(text, width) == shown


@pytest.mark.parametrize(
    ("text", "width", "shown"), [("abcdefgh", 8, "abcdefgh"), ("abcdefgh", 6, "abc…gh"), ("中文字中文", 7, "中…文")]
)
def test_squeezed_keeps_both_ends(text: str, width: int, shown: str) -> None:
    """Labels differ at their ends."""
    assert squeezed(text, width) == shown


@given(TEXT, st.integers(2, 40))
@CALM
def test_nothing_is_wider_than_asked(text: str, width: int) -> None:
    """cut, squeezed and folded keep to the width, for any text."""
    assert display_width(cut(text, width)) <= width
    assert display_width(squeezed(text, width)) <= width
    assert all(display_width(line) <= width for line in folded(text, width))


@given(TEXT, st.integers(4, 40))
@CALM
def test_folding_loses_nothing_but_blanks(text: str, width: int) -> None:
    """All other characters come through in order."""
    assert "".join("".join(folded(text, width)).split()) == "".join(text.split())


def test_folded_breaks_words_that_are_too_long() -> None:
    """A path longer than the line goes on in the next."""
    assert folded("see abcdefghij k", 6) == ["see", "abcdef", "ghij k"]


def test_padded_fills_to_the_width() -> None:
    """By width, not by length."""
    assert padded("中", 4) == "中  "


def test_a_table_is_aligned_whatever_the_script() -> None:
    """Figures stand under each other though labels differ in characters."""
    lines = table(
        "category", ["CONTROL", "中文字", "all"], [Column("n", ("1", "20", "21")), Column("rate", ("-",) * 3)], 40
    )

    assert lines == [
        "category   n  rate",
        "--------  --  ----",
        "CONTROL    1     -",
        "中文字    20     -",
        "all       21     -",
    ]


def test_labels_of_a_table_give_way() -> None:
    """The figures stay whole."""
    lines = table("category", ["a-very-long-category-name"], [Column("n", ("12345",))], 20)

    assert lines == ["category           n", "-------------  -----", "a-very…y-name  12345"]
