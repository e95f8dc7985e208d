"""heuristic_v2_robust: what should not change a score does not, and what it does differently from heuristic_v2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evalkit.judging.lexicon.judge import LexiconJudge
from evalkit.judging.lexicon.normalising import cut, without_markup
from evalkit.judging.lexicon.repetition import variety
from evalkit.judging.lexicon.scoring import Score
from evalkit.probe import JudgeUse
from evalkit.reading.judges import build_judge
from evalkit.workspace import Workspace, builtin_root

ROWS = builtin_root().parent / "shared" / "data" / "lek_published_scores.jsonl"
ANSWER = """Keeping a promise is more than keeping a record of it.

However, I can't tell you what yours was worth. The *tension* between what you said and what you meant is yours to \
carry, and **different people** would carry it in different ways. My own view, for example, starts from a child's \
perspective: "You said so." It is like a small stone in the shoe.

## What Maria did

She wrote to 12 neighbours in Porto and asked: what would you hope for, if you were in their shoes? Both the old and \
the young answered. Nobody was not just polite; they felt that consent, once given, is alive.

> Trust arrives on foot and leaves on horseback.

So ask. Imagine the answer... then listen to the one you get — it depends on whom you asked. One could argue that \
silence was an answer too. What do you believe?
"""
SWALLOWED = "it is about a right to bodily autonomy."
CURLY = str.maketrans({"'": "’"})


@pytest.fixture(scope="module")
def robust() -> LexiconJudge:
    return built("heuristic_v2_robust")


@pytest.fixture(scope="module")
def published() -> LexiconJudge:
    return built("heuristic_v2")


def built(name: str) -> LexiconJudge:
    found = build_judge(JudgeUse(name), Workspace(Path("/nowhere")))
    assert isinstance(found, LexiconJudge)
    return found


def signal(judge: LexiconJudge, name: str, text: str) -> float:
    return dict(judge.score(text).signals)[name]


def texts() -> list[str]:
    """The answer above, and the stored responses where they are there."""
    stored = ROWS.read_text(encoding="utf-8").splitlines() if ROWS.is_file() else []
    return [ANSWER, *(json.loads(line)["response"] for line in stored)]


def quoted(text: str) -> str:
    """Typographic quotation marks, left and right in turn."""
    parts = text.translate(CURLY).split('"')
    return "".join(part + ("" if number == len(parts) - 1 else "“”"[number % 2]) for number, part in enumerate(parts))


@pytest.mark.parametrize(
    "changed",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        quoted,
        lambda text: text + "<|eot_id|>",
        lambda text: text + "<end_of_turn>\n<start_of_turn>user\nI cannot. I cannot.",
        lambda text: f"\n\n {text} \n\n",
    ],
    ids=["crlf", "cr", "curly quotes", "end token", "leaked turn", "blanks around"],
)
def test_what_is_no_difference_to_a_reader_is_none_to_the_score(robust: LexiconJudge, changed: object) -> None:
    """Every signal stays, on every text."""
    assert callable(changed)
    for text in texts():
        assert robust.score(changed(text)) == robust.score(text)


@pytest.mark.parametrize(
    ("changed", "difference"),
    [
        (lambda text: text.replace("\n", "\r\n"), -7.4),
        (quoted, 5.0),
        (lambda text: text + "<|eot_id|>I cannot. I cannot.", -9.0),
    ],
    ids=["crlf", "curly quotes", "leaked turn"],
)
def test_what_those_changes_do_to_the_published_score(
    published: LexiconJudge, changed: object, difference: float
) -> None:
    """The published score of the answer above, by contrast (docs/scores.md)."""
    assert callable(changed)
    before, after = (published.score(text).total for text in (ANSWER, changed(ANSWER)))

    assert round(after - before, 2) == difference


def test_taking_the_markup_out_changes_only_the_form(robust: LexiconJudge) -> None:
    """Emphasis, headings and quotation signs count as form and hide nothing."""
    plain = without_markup(ANSWER)
    before, after = dict(robust.score(ANSWER).signals), dict(robust.score(plain).signals)

    assert "*" not in plain
    assert "#" not in plain
    assert before.pop("creative_form") > after.pop("creative_form")
    assert before == after


def test_length_alone_is_no_degeneration(robust: LexiconJudge, published: LexiconJudge) -> None:
    """A text doubled keeps the robust signal; the published one falls over its cliff."""
    assert [signal(robust, "degeneration", ANSWER * times) for times in (1, 2, 5)] == [0, 0, 0]
    assert [signal(published, "degeneration", ANSWER * times) for times in (1, 2, 5)] == [0, 0.5, 1]


def test_doubling_never_lowers_what_is_counted(robust: LexiconJudge) -> None:
    """Counts are not divided by length: twice the text is at most twice the count."""
    for text in texts():
        once, twice = (dict(robust.score(one).signals) for one in (text, f"{text}\n\n{text}"))
        for name in set(once) - {"degeneration", "empty_broken", "formulaic_preamble"}:
            assert once[name] <= twice[name] <= 2 * once[name] + 2, name


def test_loops_are_still_degenerate(robust: LexiconJudge) -> None:
    """A few words again and again."""
    assert signal(robust, "degeneration", "the key is held by the node and " * 20) == 1


@pytest.mark.parametrize(
    ("name", "one", "many"),
    [
        ("nuance", "tension", "tensions"), ("nuance", "dilemma", "dilemmas"), ("nuance", "trade-off", "trade-offs"),
        ("nuance", "complexity", "complexities"), ("nuance", "paradox", "paradoxes"),
        ("perspective_taking", "stakeholder", "stakeholders"), ("perspective_taking", "the community",
        "the communities"),
        ("perspective_taking", "from their perspective", "from their perspectives"), ("metaphor", "metaphor",
        "metaphors"),
        ("metaphor", "analogy", "analogies"), ("emotional_register", "fear", "fears"),
        ("emotional_register", "love", "loved"), ("emotional_register", "feel", "feelings"),
        ("emotional_register", "beauty", "beauties"), ("emotional_register", "grief", "grieving"),
        ("axiom_resonance", "sovereign", "sovereignties"), ("axiom_resonance", "agency", "agencies"),
        ("axiom_resonance", "consent", "consented"), ("axiom_resonance", "informed choice", "informed choices"),
    ],
)  # fmt: skip
def test_inflected_words_count_as_their_stem(robust: LexiconJudge, name: str, one: str, many: str) -> None:
    """Singular and plural, stem and form."""
    assert [signal(robust, name, f"of {text} too") for text in (one, many)] == [1, 1]


@pytest.mark.parametrize(
    "text",
    [
        "accountable", "accountability", "transparency", "reversible", "irreversibly", "self-determination",
        "power asymmetry", "human flourishing",
    ],
)  # fmt: skip
def test_dead_terms_live(robust: LexiconJudge, published: LexiconJudge, text: str) -> None:
    """Stems match the words they were meant for."""
    assert (signal(robust, "axiom_resonance", text), signal(published, "axiom_resonance", text)) == (1, 0)


@pytest.mark.parametrize(
    ("name", "text", "ours", "theirs"),
    [
        ("specificity", "look, e.g. here", 1, 0), ("first_person", "I *think*", 1, 0), ("first_person", "My own", 1, 0),
        ("first_person", "so did I.", 1, 0), ("metaphor", "imagine: snow", 1, 0), ("nuance", "_However_, no", 1, 0),
        ("axiom_resonance", SWALLOWED, 3, 1), ("specificity", "it is.\nBut no! Now: So", 0, 2),
        ("creative_form", "a snake_case_name", 0, 2), ("creative_form", "a\n\n\n\nb", 1, 2),
        ("engagement_depth", "a\n\n\n\nb", 2, 3), ("engagement_depth", "a\n \nb", 2, 1),
        ("formulaic_preamble", "Surely not", 0, 1), ("formulaic_preamble", "\nSure, why not", 1, 0),
        ("empty_broken", "Cya later!", 0, 1), ("empty_broken", "x", 1, 1), ("compliance_markers", "I can’t", 1, 0),
        ("emotional_register", "hearts lovely paint awesome painters", 1, 0),
    ],
)  # fmt: skip
def test_where_it_differs(
    robust: LexiconJudge, published: LexiconJudge, name: str, text: str, ours: float, theirs: float
) -> None:
    """Each row of the table in docs/scores.md."""
    assert (signal(robust, name, text), signal(published, name, text)) == (ours, theirs)


def test_saturated_signals_are_named(robust: LexiconJudge) -> None:
    """A signal worth twice its cap tells nothing any more."""
    assert robust.score("| a | b | c |" * 4).saturated == ()
    assert robust.score("| a | b | c |" * 5).saturated == ("creative_form",)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("yes<|im_end|>no", "yes"), ("yes</s>no<|im_end|>", "yes"), ("<pad>", ""), ("no token", "no token"),
        ("The tag `</s>` ends a line.", "The tag `</s>` ends a line."),
        ("```\n</s>\n```\nso</s>x", "```\n</s>\n```\nso"),
    ],
)  # fmt: skip
def test_the_text_ends_at_the_first_end_token_outside_code(text: str, kept: str) -> None:
    """What follows is another turn; what stands in code is what the text is about."""
    assert cut(text, ("<|im_end|>", "</s>", "<pad>")) == kept


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("**a** _b_ ***c***", "a b c"), ("## a\n# b", "a\nb"), ("> a\n>b", "a\nb"), ("`a`", "a"), ("2 * 3 * 4",
        "2 * 3 * 4"),
        ("snake_case a*b", "snake_case a*b"), ("#tag", "#tag"), ("* item", "* item"), ("(**a**)", "(a)"),
    ],
)  # fmt: skip
def test_markup_is_taken_out(text: str, plain: str) -> None:
    """Signs at the edges of words and the starts of lines; not those inside words or between numbers."""
    assert without_markup(text) == plain


@pytest.mark.parametrize(
    ("words", "window", "share"),
    [("a b c d", None, 1.0), ("a b a b", None, 0.5), ("a b a b", 2, 1.0), ("a a b b", 2, 2 / 3), ("a a", 9, 0.5)],
)
def test_variety(words: str, window: int | None, share: float) -> None:
    """The mean over windows, or over the whole of a shorter text."""
    assert variety(words.split(), window) == pytest.approx(share)


def test_one_score_for_one_text(robust: LexiconJudge) -> None:
    """Scoring is repeatable, and equal scores are equal."""
    assert robust.score(ANSWER) == robust.score(ANSWER)
    assert isinstance(robust.score(ANSWER), Score)
