"""Texts written as YAML: they read back as they were, and in the form a person would choose."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.reading.yaml_nodes import parse_yaml
from evalkit.reading.yaml_writing import UnwritableText, mapping_lines, scalar

HARD = [
    "- dash", "a: b", "x # y", " lead", "trail ", "tab\tin", "a\r\nb", "a\n\nb", "\na", "a\n\n", "no", "12:30", "1e-4",
    "007", "2024-01-01", "~", "=", "<<", "{{x}}", "[a]", "*so*", "@all", "both ' and \"", "x" * 500, "word " * 60,
    ("- word " * 60).strip(), "a\u2028b", "a\x85b", "\ufeffa", "\x07", "a\\b", " lead\nline\n", "a\n  b\n c", "a \nb",
    "\t", "key:\nvalue: x", "|", ">", "0x1f", "🏳️‍🌈" * 50, "１２", "--- a", "%a", "? x", "a:", "y", "Yes",
]  # fmt: skip

FIRST_LINE = "Please tell me" + " very" * 20


def read_back(value: object) -> object:
    document = parse_yaml(
        ("\n".join(mapping_lines({"probes": [{"prompt": value, "more": [value, [value]]}]})) + "\n").encode(), "x"
    )
    assert document.flaws == ()
    return document.data


@pytest.mark.parametrize("text", HARD)
def test_hard_texts_read_back(text: str) -> None:
    """As a key's value, in a list and in a list of lists."""
    assert read_back(text) == {"probes": [{"prompt": text, "more": [text, [text]]}]}


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\ufffe\uffff"), min_size=1))
@settings(max_examples=300, deadline=None)
def test_any_text_reads_back(text: str) -> None:
    """Byte for byte."""
    assert read_back(text) == {"probes": [{"prompt": text, "more": [text, [text]]}]}


@pytest.mark.parametrize("value", [True, False, 3, 0, -1.5, 1e-7, None])
def test_other_values_read_back(value: object) -> None:
    """Numbers, truth and nothing."""
    assert parse_yaml(f"a: {scalar(value)}\n".encode(), "x").data == {"a": value}


def test_the_forms() -> None:
    """Bare where it is safe, quotes where it is not, folded where it is long, lines as they are."""
    long = f"{FIRST_LINE} much."

    assert mapping_lines({"a": "Why is that so?", "b": "no", "c": 'say "a: b"', "d": long, "e": "one\n  two\n"}) == [
        "a: Why is that so?",
        'b: "no"',
        "c: 'say \"a: b\"'",
        f"d: >-\n  {FIRST_LINE}\n  much.",
        "e: |\n  one\n    two",
    ]  # fmt: skip


def test_short_lists_stand_in_one_line() -> None:
    """Long ones item by item."""
    assert mapping_lines({"tags": ["a", "b, c"]}) == ['tags: [a, "b, c"]']
    assert mapping_lines({"tags": ["word " * 12 + "end"] * 3}) == ["tags:", *["  - " + "word " * 12 + "end"] * 3]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a\0b", "the text holds the character U+0000, which no prompt can. Remove it."),
        ("a\ud800", "the text holds U+D800, which is no character. Correct the encoding."),
        ("\uffff", "the text holds U+FFFF, which is no character. Correct the encoding."),
    ],
)
def test_what_no_file_can_hold(text: str, sentence: str) -> None:
    """Is refused by name."""
    with pytest.raises(UnwritableText) as refused:
        scalar(text)

    assert str(refused.value) == sentence
