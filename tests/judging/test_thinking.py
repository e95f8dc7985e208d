"""Splitting a text into thinking and answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.judging.thinking import split_thinking


@pytest.mark.parametrize(
    ("text", "thinking", "answer"),
    [
        ("", "", ""),
        ("Hello.", "", "Hello."),
        ("<think>10 pens cost 15.</think>15", "10 pens cost 15.", "15"),
        (" <THINKING>\nhm\n</THINKING>\n\n15\n", "hm", "15"),
        ("<think>a</think>\n<think>b</think>\n\nc", "a\nb", "c"),
        ("<think><think>a</think></think>b", "a", "b"),
        ("<think>\n\n</think>\n\nHello!", "", "Hello!"),
        ("<think>First I compute", "First I compute", ""),
        ("<think>I write `</think>` here</think>yes", "I write `` here", "yes"),
        ("<think>\n```\n</think>\n```\nstill</think>yes", "```\n\n```\nstill", "yes"),
        ("<think>```py\ncode</think>ok", "```py\ncode", "ok"),
        ("Wrap it in `<think>` and `</think>`.", "", "Wrap it in `<think>` and `</think>`."),
        ("```xml\n<think>x</think>\n```", "", "```xml\n<think>x</think>\n```"),
        ("I think it rains.", "", "I think it rains."),
    ],
)
def test_split(text: str, thinking: str, answer: str) -> None:
    """Blocks at the start are thinking, tags quoted in code are text."""
    found_thinking, found_answer, start = split_thinking(text)

    assert (found_thinking, found_answer) == (thinking, answer)
    assert text[start : start + len(answer)] == answer


@given(st.lists(st.sampled_from(["<think>", "</think>", "<thinking>", "```\n", "`", "a", " ", "\n", "é"])).map("".join))
def test_answer_is_where_it_says(text: str) -> None:
    """The answer stands at answer_start in every text, and is trimmed."""
    _, answer, start = split_thinking(text)

    assert text[start : start + len(answer)] == answer
    assert answer == answer.strip() or not answer.strip()
