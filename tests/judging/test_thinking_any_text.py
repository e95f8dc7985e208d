"""Whatever a model writes is split: nothing visible is lost, every place is known, in linear time."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.generation import Generation
from evalkit.host.plan import answer_of, split_text
from evalkit.judging.text import TextJudge
from evalkit.judging.thinking import segments
from evalkit.judging.thinking_parts import Draft, all_answer
from evalkit.judging.thinking_tags import TAGS_BEGIN, Tags, find_tags
from evalkit.probe import Expectation, Generate, Message, Probe
from evalkit.transcript import Case, Transcript

TAGS = (
    "<think>", "</think>", "<THINKING>", "</thinking>", "<thought>", "</thought>", "[THINK]", "[/THINK]", "◁think▷",
    "◁/think▷", "<seed:think>", "</seed:think>", "<|channel>thought\n", "<channel|>", "</logos_think>",
)  # fmt: skip
MARKS = ("```\n", "`", "\n", " ", " and ", "the ", '"', "“", "”", ", ", ". ", "> ", "(", "**", " tags ", "\ud800", "é")
CHANNELS = (
    "<|channel|>analysis<|message|>", "<|channel|>final<|message|>", "<|channel|>commentary to=f<|message|>", "<|end|>",
    "<|start|>assistant", "analysisWe need", "assistantfinal", "assistantcommentary", "<|channel|>",
)  # fmt: skip
TAGGED = st.lists(st.sampled_from((*TAGS, *MARKS, "word")), max_size=40).map(
    lambda pieces: "".join(f"{piece}{number}" if piece == "word" else piece for number, piece in enumerate(pieces))
)
ANYTHING = st.one_of(
    st.text(max_size=200), st.lists(st.sampled_from((*TAGS, *MARKS, *CHANNELS, "a")), max_size=40).map("".join)
)


@settings(max_examples=300, deadline=None)
@given(ANYTHING)
def test_every_text_is_split_and_every_place_known(text: str) -> None:
    """Both parts are trimmed; each character of the answer is the text's, or joins two pieces."""
    answer = split_text(text)

    assert answer.thinking == answer.thinking.strip()
    assert answer.answer == answer.answer.strip()
    for position, char in enumerate(answer.answer):
        start, end = answer.in_text(position, position + 1)
        assert 0 <= start <= end <= len(text)
        assert text[start:end] == char or char == "\n"
    assert answer.in_text(0, len(answer.answer))[1] <= len(text)


HEADINGS = ("**Planning", "## Checking it", "**\n\n", "\n", "I ", "We", " ", "\t", "\u2003", "a")
UNTAGGED = st.lists(st.sampled_from(HEADINGS)).map("".join)


@settings(max_examples=300, deadline=None)
@given(UNTAGGED | ANYTHING)
def test_a_text_without_tags_is_all_answer(text: str) -> None:
    """What is told of it at once is what putting it together from its only piece comes to."""
    draft = Draft(text)
    draft.say([(0, len(text))])
    whole = draft.finished()

    assert all_answer(text) == whole
    assert find_tags(text) == Tags((), ()) or any(mark in text for mark in TAGS_BEGIN)
    if not any(mark in text for mark in TAGS_BEGIN) and "analysis" not in text:
        assert segments(text) == whole


@settings(max_examples=300, deadline=None)
@given(TAGGED)
def test_no_word_is_lost_or_doubled(text: str) -> None:
    """Every word outside tags stands once, in the thinking or in the answer."""
    found = segments(text)

    words = re.findall(r"word\d+", text)
    assert sorted(re.findall(r"word\d+", f"{found.thinking}\n{found.answer}")) == sorted(words)


@given(st.text(st.characters(exclude_characters="<[◁`~"), max_size=80).map(str.strip))
def test_text_without_tags_is_the_answer(text: str) -> None:
    """A text that holds no tag is all answer, and a thought before it changes nothing."""
    thought = segments(f"<think>Hm.</think>\n{text}")

    assert segments(text).answer == text
    assert (thought.thinking, thought.answer) == ("Hm.", text)


@pytest.mark.slow
@pytest.mark.parametrize(
    "unit",
    [
        "<think>", "</think>", "<think>a</think>b", "<think> and </think> ", '"<think> ', "the <think> tag. ",
        "<think>\n```\n</think>\n", "`<think>` ", "`", "```\n", "> <think>\n", "[THINK][/THINK]", "[THINK ",
        "<|channel|>analysis<|message|>a", "<|channel|>", "<|start|>assistant", "assistantfinal", "<think a", "  \n",
        "**Weighing It**\nI see.\n\n", "the sea ",
    ],
)  # fmt: skip
@pytest.mark.parametrize("opening", ["", "<think>"])
def test_time_is_linear(growth: Callable[..., float], opening: str, unit: str) -> None:
    """Ten times the text takes at most twenty times as long."""
    small, large = (opening + unit * (size // len(unit)) for size in (100_000, 1_000_000))

    assert growth(segments, small, large) <= 20


def test_evidence_around_a_late_block_is_where_it_says() -> None:
    """A span after thinking in the midst of an answer covers its words in the whole text."""
    text = "Let me see.\n<think>\nIs 91 prime?\n</think>\nNo, 91 is not prime."
    probe = Probe(
        "p",
        "s",
        "f",
        1,
        "X",
        (Message("user", "Is 91 prime?"), Generate()),
        Expectation(contains=("see", "not prime")),
        (),
    )

    verdict = TextJudge().read(Case(probe, "t", Transcript((), (split_text(text),))), ())

    assert verdict.outcome == "pass"
    assert [text[span.start : span.end] for span in verdict.spans] == ["see", "not prime"]


def test_thinking_of_a_server_comes_first() -> None:
    """What a server gave in a field of its own stands before what the text holds."""
    generation = Generation("<think>b</think>c", "", (), "stop", 1, 1, thinking="a")

    answer = answer_of(generation)

    assert (answer.thinking, answer.answer) == ("a\nb", "c")
