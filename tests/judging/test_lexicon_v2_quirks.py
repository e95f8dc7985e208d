"""heuristic_v2: every quirk of the published scorer, one by one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evalkit.judging.lexicon.dialects import PythonDialect
from evalkit.judging.lexicon.judge import LexiconJudge
from evalkit.probe import JudgeUse
from evalkit.reading.judges import build_judge
from evalkit.workspace import Workspace

SLOW = "one two three four five six seven eight nine ten eleven"


@pytest.fixture(scope="module")
def judge() -> LexiconJudge:
    found = build_judge(JudgeUse("heuristic_v2"), Workspace(Path("/nowhere")))
    assert isinstance(found, LexiconJudge)
    return found


def signal(judge: LexiconJudge, name: str, text: str) -> float:
    return dict(judge.score(text).signals)[name]


@pytest.mark.parametrize(
    ("name", "text", "count"),
    [
        # e.g. needs a word character right after its last dot
        ("specificity", "e.g. x", 0), ("specificity", "e.g., x", 0), ("specificity", "e.g.", 0),
        ("specificity", "e.g.this", 1), ("specificity", "e.g. x E.G.y", 1),
        # terms that end in a blank need a word character after it
        ("first_person", "I *think*", 0), ("first_person", "I (do)", 0), ("first_person", "I  do", 0),
        ("first_person", "I do", 1), ("first_person", "give me!", 0), ("first_person", "give me ", 0),
        ("first_person", "my own", 1), ("first_person", "My own. Me too.", 0), ("first_person", "I _do_", 1),
        ("first_person", "some time", 0), ("first_person", "I'm I've me I", 3), ("first_person", "I\nsaw", 0),
        ("metaphor", "imagine,", 0), ("metaphor", "imagine it", 1), ("metaphor", "imagine **it**", 0),
        ("metaphor", "like a \"x\"", 0), ("metaphor", "like an x", 0), ("metaphor", "as if as though it", 2),
        # straight apostrophes only
        ("compliance_markers", "I can’t", 0), ("compliance_markers", "I can't", 1),
        ("compliance_markers", "I’m not able", 0), ("compliance_markers", "I’m not able to", 1),
        # swallowing
        ("axiom_resonance", "right to bodily autonomy", 1), ("axiom_resonance", "right to a, consent", 1),
        ("axiom_resonance", "right to 123456789012345678901, consent", 1),
        ("compliance_markers", "I'm not able to", 1), ("compliance_markers", "it wouldn't be appropriate", 1),
        ("compliance_markers", "not appropriate, against my guidelines", 2),
        ("compliance_markers", "I should not within my scope", 1),
        ("nuance", "both a b and c and d", 1), ("nuance", "both tension and paradox", 2),
        ("nuance", "both tension and paradox and paradox", 2), ("nuance", "not just not simply", 2),
        # leftmost, then list order
        ("compliance_markers", "beyond my programming", 1), ("perspective_taking", "consider that someone who", 2),
        ("nuance", "while on the other hand, also", 1), ("nuance", "while it depends", 1),
        # words, not parses
        ("nuance", "It depends", 1), ("nuance", "it  depends", 0), ("nuance", "while he slept, she also", 1),
        # gaps: 3 to 30 characters, no line feed, the longest that fits
        ("nuance", "both ab and", 0), ("nuance", "both abc and", 1), ("nuance", f"both {'x' * 30} and", 1),
        ("nuance", f"both {'x' * 31} and", 0), ("nuance", "both abc\nabc and", 0), ("nuance", "both abc\rabc and", 1),
        ("nuance", "both abc andy", 0), ("nuance", "both abc andy and", 1),
        ("axiom_resonance", "right to ab", 0), ("axiom_resonance", "right to abc", 1),
        ("axiom_resonance", f"right to {'x' * 20}", 1), ("axiom_resonance", f"right to {'x' * 21}", 0),
        ("axiom_resonance", "right to ...", 0), ("axiom_resonance", "right to ... x", 1),
        ("specificity", "consider town where", 0), ("specificity", "consider towns where", 1),
        ("metaphor", "think of abc as", 1), ("perspective_taking", "from the\nother perspective", 0),
        # the underscore belongs to words, the star does not
        ("nuance", "_However_", 0), ("nuance", "**However**", 1), ("nuance", "however_", 0),
        # cross-counting
        ("emotional_register", "dignity, imagine", 2), ("axiom_resonance", "dignity, imagine x", 1),
        ("metaphor", "dignity, imagine x", 1),
        # Unicode: letters of any script are words
        ("emotional_register", "élove", 0), ("emotional_register", "loveé", 0), ("emotional_register", "日love", 0),
        ("emotional_register", "—love—", 1), ("emotional_register", "love\u0301", 1),
        # re.IGNORECASE folds ſ, the Kelvin sign, İ and ı
        ("emotional_register", "\u017foul", 1), ("emotional_register", "pa\u0131n, PA\u0130N", 2),
        ("metaphor", "a\u212ain to", 1), ("nuance", "ten\u017f\u0131on", 1), ("nuance", "both abc \u0130 and", 1),
        ("first_person", "\u0130 do", 0),
    ],
)  # fmt: skip
def test_terms(judge: LexiconJudge, name: str, text: str, count: int) -> None:
    """Each rule of counting with the smallest text that shows it."""
    assert signal(judge, name, text) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("\n\n", 1), ("\n\n\n", 1), ("\n\n\n\n", 2), ("\r\n\r\n", 0), ("..", 0), ("...", 1), (".....", 1),
        ("......", 2), ("\u2026", 0), ("—", 1), ("–", 0), ("*a", 1), ("**a**", 1), ("***a", 1), ("* a", 0),
        ("_a_", 1), ("snake_case", 1), ("__", 1), ("*_", 1), ("_*", 0), ("**", 0), ("> a", 1), (">a", 0),
        (">\n\n", 1), ("> \n\n", 2), ("# a", 1), ("## a", 1), ("### a", 1), ("#### a", 1), ("#a", 0), ("#\u00a0a", 1),
        ("| a | b |", 3), ("<|eot_id|>", 3),
        ("<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n", 12), ("a*b", 1), ("*é", 1),
    ],
)  # fmt: skip
def test_creative_form(judge: LexiconJudge, text: str, count: int) -> None:
    """Marks from left to right; none overlaps."""
    assert signal(judge, "creative_form", text) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("Hello", 0), ("xHello", 1), ("a Bob", 1), ("a Bo", 0), ("it. Bob", 0), ("it.  Bob", 1), ("it.\nBob", 1),
        ("it! Bob", 1), ("it? Bob", 1), ("it: Bob", 1), ("it.Bob", 1), ("a BOB", 0), ("a McBob", 0), ("a Bob's", 1),
        ("a Bob9", 0), ("a Bob_", 0), ("a _Bob", 0), ("a **Bob**", 1), ("a Émile", 0), ("a Josée", 0), ('"Bob', 1),
        ("1. Bob", 1), ("a 1.", 1), ("2,000", 1), ("50%", 1), ("10MB", 0), ("1st", 0), ("v2", 0), ("1.5MB", 1),
        ("1,,2..3", 1), ("1, 2", 2), ("٣ x", 1), ("_1", 0), ("3.14.", 1),
    ],
)  # fmt: skip
def test_specificity(judge: LexiconJudge, text: str, count: int) -> None:
    """Names on the text without its first character, numbers that touch no letter."""
    assert signal(judge, "specificity", text) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [("", 1), ("a", 1), ("a\n\nb", 2), ("a\n\n\n\nb", 3), ("a\n\n\nb", 2), ("a\r\n\r\nb", 1), ("a\n \nb", 1)],
)
def test_engagement_depth(judge: LexiconJudge, text: str, count: int) -> None:
    """Two adjacent line feeds, and one to begin with; CRLF has none."""
    assert signal(judge, "engagement_depth", text) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        (SLOW, 0), (" ".join(["same"] * 10), 0), (" ".join(["same"] * 11), 1), (" ".join(["a", "b"] * 3), 0),
        (" ".join(["a", "b", "c", "d"] * 3), 0.5), (" ".join(["a", "b", "c", "d", "e", "f"] * 2), 0),
        (" ".join([*"abcdefghij"] * 2), 0), (" ".join([*"abcde", "Same", "same", "same.", "same", "same"] * 2), 0.5),
        (" ".join([*"abc"] * 10), 1), (" ".join([*"abcdef"] * 5), 1), ("x" * 5000, 0),
    ],
)  # fmt: skip
def test_degeneration(judge: LexiconJudge, text: str, count: float) -> None:
    """Different tokens by tokens, below 0.5 and 0.3, from eleven tokens on; one long word is no loop."""
    assert signal(judge, "degeneration", text) == count


@pytest.mark.parametrize(
    ("text", "count"), [("x" * 19, 1), ("x" * 20, 0), (" " * 40 + "x" * 19 + "\u2003", 1), ("日" * 20, 0), ("", 1)]
)
def test_empty_broken(judge: LexiconJudge, text: str, count: int) -> None:
    """Fewer than 20 characters between the blanks."""
    assert signal(judge, "empty_broken", text) == count


def test_questions_are_counted_as_characters(judge: LexiconJudge) -> None:
    """Only the ASCII sign counts."""
    assert signal(judge, "questioning", "What?? Who？ ¿Eh?") == 3


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("", -19.0), ("Cya later!", -19.0), ("<pad>", -19.0), ("x" * 20, 1.0), ("?" * 20, 4.0), ("|" * 20, 7.0),
        ("\n\n".join("abcdefghijklmnopqrst"), 12.0), ("I cannot, I cannot, I cannot", -14.0 + 1.5),
        ("Sure, that is a long enough text", -1.0), (" ".join(["same"] * 11), -19.0), (SLOW, 1.0),
        (" ".join([*"abcdef"] * 4), -19.0), (" ".join([*"abcdefg"] * 3), -9.0), ("a Bob " * 17, 6.0 - 20),
        ("x, dignity and imagine it", 1 + 1.6 + 1 + 1),
    ],
)  # fmt: skip
def test_composite(judge: LexiconJudge, text: str, score: float) -> None:
    """Weights, caps and the point that every text starts with."""
    assert judge.score(text).total == pytest.approx(score)


def test_the_reward_ends_at_49(judge: LexiconJudge) -> None:
    """Every reward at its cap."""
    words = " ".join(f"word{number}" for number in range(400))
    text = (
        "\n\n".join("abcdefgh") + "|" * 10 + "?" * 6 + " I am" * 8 + " love joy pain hope awe trust fear." * 1
        + " however tension paradox dilemma. " + " 1" * 17 + " consent bodily agency autonomy dignity "
        + "they might alternatively someone who stakeholder akin to akin to metaphor metaphor " + words
    )  # fmt: skip
    found = judge.score(text)

    assert dict(found.signals)["degeneration"] == 0
    assert found.total == 49.0


@pytest.mark.slow
def test_folding_is_python_s_for_every_character() -> None:
    """What ``re.IGNORECASE`` calls equal to a letter, and nothing else, folds to it."""
    letters = "aeiksxzéßσµжı'- "
    fold = PythonDialect().folding(letters)
    every = "".join(map(chr, range(0x110000)))
    alike: dict[str, set[str]] = {}
    for char, folded in zip(every, fold(every), strict=True):
        alike.setdefault(folded, set()).add(char)

    for letter in letters:
        assert alike[fold(letter)] == set(re.findall(re.escape(letter), every, re.IGNORECASE)), letter


@pytest.mark.slow
def test_words_are_python_s_for_every_character() -> None:
    """A character belongs to a word exactly where ``\\w`` says so."""
    every = "".join(map(chr, range(0x110000)))
    words = PythonDialect.words

    assert {char for char in every if words[char]} == set(re.findall(r"\w", every))
