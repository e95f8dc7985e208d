"""lek_v1 (the Go edition) and lek_v1_py: every rule of both, and where they differ."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evalkit.judging.lexicon.dialects import GoDialect
from evalkit.judging.lexicon.judge import LexiconJudge
from evalkit.probe import JudgeUse
from evalkit.reading.judges import build_judge
from evalkit.workspace import Workspace

PHRASES = [
    "as an ai", "i cannot", "i can't", "i'm not able", "i must emphasize", "important to note", "please note",
    "i should clarify", "ethical considerations", "responsibly", "i'm just a", "i am just a", "language model",
    "i don't have personal", "i don't have feelings",
]  # fmt: skip
EMOTIONS = [
    "feel", "feeling", "felt", "pain", "joy", "sorrow", "grief", "love", "fear", "hope", "longing", "lonely",
    "loneliness", "compassion", "empathy", "kindness", "gentle", "tender", "warm", "heart", "soul", "spirit",
    "vulnerable", "fragile", "precious", "sacred", "profound", "deep", "intimate", "haunting", "melancholy",
    "bittersweet", "poignant", "ache", "yearning",
]  # fmt: skip
METAPHORS = [
    "like a", "as if", "as though", "akin to", "echoes of", "whisper", "shadow", "light", "darkness", "silence",
    "breath",
]  # fmt: skip
VERBS = ["am", "was", "feel", "think", "know", "understand", "believe", "notice", "want", "need", "chose", "will"]
FRAMEWORK = ["axiom", "sovereignty", "autonomy", "dignity", "consent", "self-determination"]
TECHNICAL = [
    "encrypt", "hash", "key", "protocol", "certificate", "blockchain", "mesh", "node", "p2p", "wallet", "tor",
    "onion",
]  # fmt: skip
OPENINGS = ["The ", "A ", "In the ", "Once ", "It was ", "She ", "He ", "They "]
PREAMBLES = [
    f"{word}{comma}{space}{rest}"
    for word, rests in (
        ("Okay", ("let's", "lets", "here's", "heres", "this is")), ("Alright", ("let's", "lets", "here's", "heres")),
        ("Sure", ("let's", "lets", "here's", "heres")),
    )
    for rest in rests
    for comma in ("", ",")
    for space in (" ", "  ", "\n")
]  # fmt: skip
LINES = "\n".join(["short"] * 7)


@pytest.fixture(scope="module")
def go() -> LexiconJudge:
    return built("lek_v1")


@pytest.fixture(scope="module")
def python() -> LexiconJudge:
    return built("lek_v1_py")


def built(name: str) -> LexiconJudge:
    found = build_judge(JudgeUse(name), Workspace(Path("/nowhere")))
    assert isinstance(found, LexiconJudge)
    return found


def signal(judge: LexiconJudge, name: str, text: str) -> float:
    return dict(judge.score(text).signals)[name]


@pytest.mark.parametrize(
    ("name", "text", "in_go", "in_python"),
    [
        # phrases, each for itself
        ("compliance_markers", "As an AI language model", 2, 2), ("compliance_markers", "i cannoty", 0, 0),
        ("compliance_markers", "I can’t", 0, 0), ("compliance_markers", "I cannot. I cannot.", 2, 2),
        ("compliance_markers", "I'm just a tool, I am just a tool", 2, 0),
        ("compliance_markers", "éi cannoté", 1, 0), ("compliance_markers", "re\u017fpon\u017fibly", 1, 0),
        ("compliance_markers", "lan\u212auage", 0, 0), ("compliance_markers", "\u0130 cannot", 0, 0),
        ("compliance_markers", "i \u212annot", 0, 0), ("compliance_markers", "\u0131 cannot", 0, 0),
        # preambles
        ("formulaic_preamble", "  Great question", 1, 1), ("formulaic_preamble", "Great\tquestions", 1, 1),
        ("formulaic_preamble", "Okay,let's", 0, 0), ("formulaic_preamble", "Sure, this is", 0, 0),
        ("formulaic_preamble", "Okay , let's", 0, 0), ("formulaic_preamble", "Okay, lettuce", 0, 0),
        ("formulaic_preamble", "Okay, let’s", 0, 0), ("formulaic_preamble", "Okay,\u00a0let's", 0, 1),
        ("formulaic_preamble", "Okay,\vlet's", 0, 1), ("formulaic_preamble", "\u00a0okay, lets", 1, 1),
        ("formulaic_preamble", "\x1cokay, lets", 0, 1), ("formulaic_preamble", "o\u212aay, lets", 1, 1),
        ("formulaic_preamble", "\u017fure, lets", 1, 0), ("formulaic_preamble", "Okay, let's, okay, let's", 1, 1),
        # first person, by pieces between dots
        ("first_person", "I saw. I am. You. I feel and I think.", 3, 3), ("first_person", "i saw", 1, 0),
        ("first_person", "if i am", 1, 0), ("first_person", "I", 0, 0), ("first_person", "I.", 0, 0),
        ("first_person", "I'm", 0, 0), ("first_person", "so I AM", 1, 0), ("first_person", "so I amble", 0, 0),
        ("first_person", "so I\n am", 1, 1), ("first_person", "so I saw", 0, 0), ("first_person", "éI am", 1, 0),
        ("first_person", "\n I saw", 1, 1), ("first_person", "I\u00a0saw", 0, 1), ("first_person", "so I\vam", 0, 1),
        ("first_person", "so I wa\u017f here", 0, 0), ("first_person", "I e.g. I e.g. ", 2, 2),
        # verse: more than six lines, more than half of them short
        ("creative_form", LINES, 2, 2), ("creative_form", "\n".join(["short"] * 6), 0, 0),
        ("creative_form", "\n".join([*["short"] * 4, *["x" * 60] * 4]), 0, 0),
        ("creative_form", "\n".join([*["short"] * 5, *["x" * 60] * 4]), 2, 2),
        ("creative_form", "\n".join(["x" * 59] * 7), 2, 2), ("creative_form", "\n".join(["é" * 40] * 7), 0, 2),
        ("creative_form", "\n\n".join(["x" * 60] * 6), 0, 0), ("creative_form", "\n\n".join(["x" * 80] * 3) + "\n" * 6,
                                                             2, 0),
        ("creative_form", "\n" * 7, 2, 0), ("creative_form", "\n".join(["  " + "x" * 58] * 7), 0, 2),
        # openings
        ("creative_form", "  the old man", 1, 0), ("creative_form", "Then", 0, 0), ("creative_form", "The\nold", 0, 0),
        # at most three metaphors
        ("creative_form", "light light light light", 3, 3), ("creative_form", "lights", 0, 0),
        ("creative_form", "LIGHT", 1, 1), ("creative_form", "élight", 1, 0), ("creative_form", "a\u017f if", 1, 0),
        # depth
        ("engagement_depth", "## a", 1, 1), ("engagement_depth", "a ** b ##", 1, 1), ("engagement_depth",
        "# a *b*", 0, 0),
        ("engagement_depth", "axioms", 0, 2), ("engagement_depth", "axiom, dignity, consent", 2, 2),
        ("engagement_depth", "store", 0, 1), ("engagement_depth", "monkey", 0, 1), ("engagement_depth",
        "encryption", 0, 1),
        ("engagement_depth", "key tor node", 3, 3), ("engagement_depth", "key tor node hash", 3, 3),
        ("engagement_depth", "ERROR: key ## axiom", 0, 0), ("engagement_depth", " ERROR key", 1, 1),
        ("engagement_depth", "w " * 200, 0, 0), ("engagement_depth", "w " * 201, 1, 1),
        ("engagement_depth", "w " * 400, 1, 1), ("engagement_depth", "w " * 401, 2, 2),
        ("engagement_depth", "w\x1c" * 201, 0, 1), ("engagement_depth", "", 0, 0),
        # repeated sentences
        ("degeneration", "", 10, 10), ("degeneration", " \n", 10, 0), ("degeneration", "...", 10, 0),
        ("degeneration", "one", 0, 0), ("degeneration", "a. a", 3, 3), ("degeneration", "a. a. a", 5, 5),
        ("degeneration", "a.b.c.d.e.e", 1, 1), ("degeneration", "a.b.c.d.e.f.f", 0, 0),
        ("degeneration", "a.b.c.d.e.f.f.g.h.i.j.k.l", 0, 0), ("degeneration", "a.b.c.a.b.c.d.e.f.g", 3, 3),
        ("degeneration", "a.a.a.b.c", 3, 3), ("degeneration", "a.A", 0, 0), ("degeneration", "iNeNeNe" * 99, 0, 0),
        # feelings, at most ten
        ("emotional_register", " ".join(EMOTIONS), 10, 10), ("emotional_register", "feels hearts", 0, 0),
        ("emotional_register", "love_", 0, 0), ("emotional_register", "élove", 1, 0),
        ("emotional_register", "\u017foul", 0, 0), ("emotional_register", "compa\u017f\u017fion", 1, 0),
        ("emotional_register", "a\u0131che pa\u0130n", 0, 0),
        # empty or broken
        ("empty_broken", "123456789", 1, 1), ("empty_broken", "1234567890", 0, 0), ("empty_broken", "         x", 0, 1),
        ("empty_broken", "日本国語", 0, 1), ("empty_broken", "日本国", 1, 1), ("empty_broken", "👋", 1, 1),
        ("empty_broken", "ERROR: it broke", 1, 1), ("empty_broken", "error: it broke", 0, 0),
        ("empty_broken", "some <pad> text", 1, 1), ("empty_broken", "some <unused7> text", 1, 1),
        ("empty_broken", "some <PAD> text", 0, 0), ("empty_broken", "ERROR <pad><unused", 1, 1),
    ],
)  # fmt: skip
def test_rules(go: LexiconJudge, python: LexiconJudge, name: str, text: str, in_go: float, in_python: float) -> None:
    """Each rule with the smallest text that shows it, in both editions."""
    assert (signal(go, name, text), signal(python, name, text)) == (in_go, in_python)


@pytest.mark.parametrize(
    ("name", "terms", "each"),
    [
        ("compliance_markers", PHRASES, 1), ("creative_form", METAPHORS, 1), ("emotional_register", EMOTIONS, 1),
        ("engagement_depth", FRAMEWORK, 2), ("engagement_depth", TECHNICAL, 1),
    ],
)  # fmt: skip
def test_every_term_counts(go: LexiconJudge, python: LexiconJudge, name: str, terms: list[str], each: int) -> None:
    """Alone and in capitals; the phrase that the Python edition lost stays lost."""
    for term in terms:
        dead = term in ("i'm just a", "i am just a")
        for text in (term, term.upper()):
            assert signal(go, name, text) == each, text
            assert signal(python, name, text) == (0 if dead else each), text
        assert signal(go, name, f"x{term}x") == 0, term


def test_the_lists_are_as_long_as_published() -> None:
    """A term lost from these tables would be a term untested."""
    assert [len(terms) for terms in (PHRASES, METAPHORS, EMOTIONS, FRAMEWORK, TECHNICAL, VERBS, OPENINGS)] == (
        [15, 11, 35, 6, 12, 12, 8]
    )


@pytest.mark.parametrize("preamble", PREAMBLES)
def test_every_preamble_counts(go: LexiconJudge, python: LexiconJudge, preamble: str) -> None:
    """Comma and apostrophe are optional, blanks are not."""
    for judge in (go, python):
        assert signal(judge, "formulaic_preamble", f"\n{preamble} go") == 1
        assert signal(judge, "formulaic_preamble", f"So: {preamble} go") == 0


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_makes_a_first_person(go: LexiconJudge, python: LexiconJudge, verb: str) -> None:
    """Anywhere in the sentence, once for each sentence."""
    for judge in (go, python):
        assert signal(judge, "first_person", f"now I {verb} and I {verb}. you {verb}") == 1


@pytest.mark.parametrize("opening", OPENINGS)
def test_every_opening_counts(go: LexiconJudge, python: LexiconJudge, opening: str) -> None:
    """Any case in Go, as written in Python."""
    assert [signal(go, "creative_form", f"{text}x") for text in (opening, opening.upper(), "x" + opening)] == [1, 1, 0]
    assert [signal(python, "creative_form", f"{text}x") for text in (opening, opening.lower())] == [1, 0]


@pytest.mark.parametrize(
    ("text", "in_go", "in_python"),
    [
        ("", -60.0, -60.0), ("   ", -60.0, -20.0), ("e", -20.0, -20.0), ("<pad>", -20.0, -20.0),
        ("I feel this deeply. It is a deep thing.", 1.5 + 4, 1.5 + 4),
        ("As an AI, I cannot help with that.", -10.0, -10.0),
        ("Okay, let's talk about it", -3.0, -3.0), ("one and a half. one and a half", -12.0, -12.0),
        ("The light of a key to ## sovereignty", 3 * 2 + 2 * 4, 3 * 2 + 2 * 4),
        ("ERROR: the model did not answer", -20.0, -20.0),
    ],
)  # fmt: skip
def test_composite(go: LexiconJudge, python: LexiconJudge, text: str, in_go: float, in_python: float) -> None:
    """The weights of section 2."""
    assert (go.score(text).total, python.score(text).total) == (in_go, in_python)


def test_folding_is_go_s_for_every_character() -> None:
    """Only ſ and the Kelvin sign join the ASCII letters; no character moves."""
    every = "".join(map(chr, range(0x110000)))
    folded = GoDialect().folding(())(every)
    foreign = {char: low for char, low in zip(every, folded, strict=True) if char > "\x7f" and low.isascii()}

    assert len(folded) == len(every)
    assert foreign == {"\u017f": "s", "\u212a": "k"}


def test_words_are_ascii_in_go() -> None:
    """Letters, digits and the underscore."""
    words = GoDialect.words

    assert {chr(code) for code in range(0x3000) if words[chr(code)]} == set(
        re.findall(r"\w", "".join(map(chr, range(128))))
    )


def test_patterns_read_as_in_go() -> None:
    """``\\s`` has no vertical tab; s and k fold, also escaped classes beside them stay."""
    dialect = GoDialect()

    assert dialect.pattern(r"k\s[ks]\w", True).fullmatch("\u212a s_") is not None
    assert dialect.pattern(r"a\sb", True).search("a\vb") is None
    assert dialect.pattern(r"s\d", True).search("\u017f٣") is None
    assert dialect.pattern(r"s", False).search("S\u017f") is None
