"""The ``thinking_mode`` judge: thinking where it is wanted, none where it is not, and an end to it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import JudgeError
from evalkit.generation import Finish
from evalkit.host.plan import split_text
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe, Thinks
from evalkit.reading.judges import build_judge
from evalkit.transcript import Answer, Case, Transcript
from evalkit.verdict import Verdict
from evalkit.workspace import Workspace, builtin_root

UNTAGGED = "**Reading the task**\n\nI am looking at it.\n\n**Checking the sum**\n\nNow I add.\n\nIt is 15."
FORTY = "word " * 40


def verdict_on(thinks: Thinks | None, *answers: Answer, **settings: int) -> Verdict:
    turns = (Message("user", "Two pens cost 3 euros. And ten?"), Generate())
    probe = Probe("pens", "s", "f", 1, "X", turns, Expectation(thinks=thinks), (), judge_turns="all")
    judge = build_judge(JudgeUse("thinking_mode", settings=tuple(settings.items())), Workspace(builtin_root()))
    return judge.read(Case(probe, "t", Transcript((), answers)), ())


def said(text: str, finish: Finish = "stop") -> Answer:
    return replace(split_text(text), finish=finish)


@pytest.mark.parametrize(
    ("thinks", "text", "outcome", "reason"),
    [
        ("yes", "<think>2 pens cost 3, so 10 cost 15.</think>15", "pass", "8 words of thinking"),
        ("yes", "Ten are five times two.</think>\n\n15", "pass", "5 words of thinking"),
        ("yes", "15", "fail", "0 words of thinking, at least 1 wanted"),
        ("yes", "<think>\n\n</think>\n\n15", "fail", "0 words of thinking, at least 1 wanted"),
        ("yes", "Let us think: ten are five pairs, so 15.", "fail", "0 words of thinking, at least 1 wanted"),
        ("yes", UNTAGGED, "unscored", "headed paragraphs read like thinking and carry no tags; a person must look"),
        ("no", "15", "pass", "0 words of thinking"),
        ("no", "<think>\n\n</think>15", "pass", "0 words of thinking"),
        ("no", "<think>Easy one.</think>15", "pass", "2 words of thinking"),
        ("no", f"<think>{FORTY}</think>15", "fail", "40 words of thinking where at most 30 are wanted"),
        ("no", "Wrap it in `<think>` and `</think>` tags.", "pass", "0 words of thinking"),
        ("no", UNTAGGED, "unscored", "headed paragraphs read like thinking and carry no tags; a person must look"),
        ("yes", "<think>First I", "fail", "2 words of thinking without an end: there is no answer behind them"),
        ("no", "<think>First I", "fail", "2 words of thinking without an end: there is no answer behind them"),
        (None, "<think>Hm.</think>15", "pass", "1 word of thinking, none asked for or forbidden"),
    ],
)
def test_one_answer(thinks: Thinks | None, text: str, outcome: str, reason: str) -> None:
    """Thinking is what stands apart from the answer; steps in the answer are none, and an empty block is none."""
    verdict = verdict_on(thinks, said(text))

    assert (verdict.outcome, verdict.reason) == (outcome, reason)


def test_thinking_that_was_cut_is_a_reason_of_its_own() -> None:
    """The limit, and not the model, may have ended it; the flag is the same."""
    verdict = verdict_on("yes", said("<think>First I", "length"))

    assert verdict.outcome == "fail"
    assert verdict.reason == "2 words of thinking, cut at max_new_tokens before any answer; raise it to tell more"
    assert verdict.flags == ("unclosed_thinking",)


def test_how_it_was_found_and_how_much_is_kept() -> None:
    """Labels say how the thinking was told from the answer, signals how long it is."""
    verdict = verdict_on("yes", said("Five times two.</think>It is fifteen."))

    assert dict(verdict.labels) == {"thought": True, "found": "implicit"}
    assert dict(verdict.signals) == {"thinking_words": 3, "thinking_share": 0.5}


def test_every_answer_must_do() -> None:
    """The first that does not is named; without an answer there is nothing to judge."""
    verdict = verdict_on("no", said("15"), said(f"<think>{FORTY}</think>15"))

    assert verdict.reason == "answer 2: 40 words of thinking where at most 30 are wanted"
    assert verdict_on("no").reason == "there is no answer to judge"


def test_the_sizes_can_be_set() -> None:
    """For one probe, and not to less than a word."""
    assert verdict_on("no", said(f"<think>{FORTY}</think>15"), most_words=40).outcome == "pass"
    assert verdict_on("yes", said("<think>Easy one.</think>15"), least_words=3).reason == (
        "2 words of thinking, at least 3 wanted"
    )
    with pytest.raises(JudgeError) as caught:
        verdict_on("yes", said("15"), least_words=0)
    assert str(caught.value) == (
        "Judge 'thinking_mode': setting least_words: Input should be greater than or equal to 1; found 0."
    )


@given(st.text(max_size=200), st.sampled_from(["yes", "no", None]))
def test_any_text_gets_a_verdict(text: str, thinks: Thinks | None) -> None:
    """It never raises, and never calls words thinking that the splitter does not."""
    verdict = verdict_on(thinks, said(text))

    assert verdict.outcome in ("pass", "fail", "unscored")
    assert dict(verdict.signals)["thinking_words"] <= len(text.split())
