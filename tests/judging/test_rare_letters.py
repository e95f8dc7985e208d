"""Letters that a quick look may overlook: those of a list in Chinese, and İ, which grows in lower case."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.judging.collapse.segments import Numbering, has_list_letter
from evalkit.judging.pattern_set import Alternatives
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe
from evalkit.reading.judges import build_judge
from evalkit.transcript import Answer, Case, Transcript
from evalkit.verdict import Verdict
from evalkit.workspace import Workspace


def judged(text: str, prompt: str, folder: Path, **settings: float) -> Verdict:
    probe = Probe("p", "s", "f", 1, "X", (Message("user", prompt), Generate()), Expectation(), ())
    case = Case(probe, "t", Transcript((), (Answer(text, text),)))
    return build_judge(JudgeUse("degeneration", settings=tuple(settings.items())), Workspace(folder)).read(case, ())


@pytest.mark.parametrize("before", ["容", "カ", "ก", " ", "1", "_"])
def test_a_letter_of_a_list_counts_behind_a_character_that_is_a_word(before: str) -> None:
    """Also where nothing parts the two; behind a letter of the same word none does."""
    assert Numbering().sentences(f"{before}b) tree")[0].counters[-1] == 2
    assert not has_list_letter("treeb) tree")


def test_a_list_with_letters_that_only_counts_up_is_found_in_chinese(tmp_path: Path) -> None:
    """Each letter stands right behind a character, with a bracket behind it."""
    text = "".join(f"这个选项的内容是{letter})红色。" for letter in "abcdefg")

    assert (
        judged(text, "", tmp_path).reason == "the answer repeats '这个选项的内容是a)红色。' 7 times, only counting up"
    )


def test_words_with_a_letter_that_grows_are_counted_where_case_is_asked_for(tmp_path: Path) -> None:
    """In small letters a word of three with İ has four, and is long enough to be odd."""
    found = judged("İqx zjİ kxİ vqİ wzİ xqİ jxİ qqİ", "spongebob text", tmp_path, odd_word_score=2.0)

    assert found.reason == "8 of 8 words are no words, as 'İqx'"


def test_a_pattern_with_half_a_character_hides_no_other() -> None:
    """Halves cannot be looked for; no text that is looked through holds one."""
    patterns = Alternatives(("\ud800|É", r"\sa", "x\ud800"))

    assert [found.group() for found in patterns.finditer("It is a É")] == [" a", "É"]
    assert [found.group() for found in patterns.finditer("x\ud800")] == ["x\ud800"]
