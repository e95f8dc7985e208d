"""What a judge or a server quotes at length does not flood a terminal, and costs no time to lay out."""

from __future__ import annotations

import time

import pytest

from evalkit.errors import JudgeError, Problem, UnreadableFile
from evalkit.report_text import error_text, reason_text
from evalkit.reporting.layout import display_width, folded
from evalkit.reporting.safe_text import for_terminal, shortened


def test_a_long_text_says_how_long_it_is() -> None:
    """A short one stays as it is."""
    assert shortened("short", 5) == "short"
    assert shortened("x" * 12_000, 3) == "xxx… (12,000 characters)"
    assert reason_text("y" * 1_001) == f"{'y' * 1_000}… (1,001 characters)"


def test_an_error_is_one_line_whatever_was_thrown() -> None:
    """Lines of a model's own would look like pytest's, or command a build server."""
    error = JudgeError("Judge 'parrot' broke: RuntimeError: \x1b[31mred\n::error::hit\n" + "z" * 5_000)

    said = error_text(error)
    assert said.startswith("Judge 'parrot' broke: RuntimeError: red⏎: :error::hit⏎zzz")
    assert said.endswith("… (5,054 characters)")
    assert "\n" not in said


def test_the_problems_of_a_file_stand_below_one_another() -> None:
    """They are the user's own, and every one is told."""
    error = UnreadableFile([Problem("a.yaml", "wrong\x07", 3), Problem("a.yaml", "worse", 4)])

    assert error_text(error) == "a.yaml:3: wrong\na.yaml:4: worse"


@pytest.mark.slow
@pytest.mark.parametrize("word", ["x", "漢", "x \x1b", "e\u0301"])
def test_a_megabyte_is_folded_in_one_pass(word: str) -> None:
    """Before, each line of it looked at all that was left: minutes for one reason."""
    before = time.process_time()
    lines = folded(for_terminal(word * (600_000 // len(word))), 110, 2)

    assert time.process_time() - before < 20  # about 1 s
    assert max(map(display_width, lines)) <= 110
    assert len(lines) > 1_000


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two three", 7, ["one two", "  three"]),
        ("onetwothree", 4, ["onet", "  wo", "  th", "  re", "  e"]),
        ("a onetwothree b", 6, ["a", "  onet", "  woth", "  ree", "  b"]),
        ("漢字漢字", 5, ["漢字", "  漢", "  字"]),
        ("", 10, []),
        ("  \n ", 10, []),
    ],
)
def test_folding_breaks_where_it_must(text: str, width: int, lines: list[str]) -> None:
    """Between words, and inside those that are longer than a line; all but the first line are indented."""
    assert folded(text, width, 2) == lines
