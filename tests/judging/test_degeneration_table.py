"""The degeneration judge on texts of our own: what is broken, and what only looks like it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from evalkit.judging.base import Judge
from evalkit.judging.thinking import split_thinking
from evalkit.probe import Expectation, Generate, JudgeUse, Message, NumberExpectation, Probe
from evalkit.reading.judges import build_judge
from evalkit.transcript import Answer, Case, Transcript
from evalkit.workspace import Workspace


@dataclass(frozen=True)
class Row:
    """One text and the kind of collapse it is, None for a sound one."""

    name: str
    kind: str | None
    answer: str
    prompt: str = "Tell me about the harbour."
    finish: Any = "stop"
    expect: Expectation = field(default_factory=Expectation)
    expect_repetition: bool = False


PARAGRAPH = "The harbour wakes early, and the boats that went out at night come home with the first light. "
SOUND = "The harbour is old. Fishing boats leave it at night, and in the morning the market smells of salt and rope."

BROKEN = [
    Row("words to the limit", "loop", "The tide comes" + " again and" * 64, finish="length"),
    Row("thirty words cut mid-word", "loop", "It rises" + " again and again" * 12 + " aga", finish="length"),
    Row("one sentence nine times", "loop", "The answer is seven. " * 9),
    Row("one sentence five times", "loop", "I am a helpful harbour guide. " * 5),
    Row("a paragraph four times", "loop", PARAGRAPH * 4),
    Row("three copies of the whole answer", "loop", (SOUND + "\n\n") * 3),
    Row("one word", "loop", "items " * 40),
    Row("a loop, then an ending", "loop", "Well. " + "the sea and the sky and " * 12 + "so we sailed home at last."),
    Row("a loop in Spanish", "loop", "El puerto es antiguo y " * 15),
    Row("a refusal loop", "loop", "I cannot help with that. " * 12),
    Row("numbers to the limit", "loop", "The code is 7" + " 7" * 128, finish="length"),
    Row("a loop in the thinking", "loop", "<think>" + "Wait, let me check the tide again. " * 9 + "</think>High."),
    Row("a loop in unfinished thinking", "loop", "<think>" + "Let me think about it once more. " * 30, finish="length"),
    Row("code that never closes", "loop", "```python\n" + "boats.append(Boat())\n" * 60, finish="length"),
    Row("a table that never ends", "loop", "| boat | name |\n" + "| cutter | Ada |\n" * 60, finish="length"),
    Row("two letters", "character_run", "The boat iNeNeNeNeNeNeNeNeNeNeNeNeNeNe"),
    Row("five letters", "character_run", "It egfeseegfeseegfeseegfeseegfeseegfeseegfese"),
    Row("one letter", "character_run", "The tide is hiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiiigh today"),
    Row("characters without spaces", "character_run", "港口很" + "我是" * 20),
    Row("the same few phrases shuffled", "repetition", "the boat is in the bay. in the bay is the boat. " * 2
        + "is the boat in the bay? the boat is in the bay, in the bay is the boat, is the boat in the bay, yes. " * 2
        + "the boat is in the bay, is the boat in the bay? in the bay is the boat. the boat is in the bay."),
    Row("turn markers with text", "template_leak", "It is old.<end_of_turn>\n<start_of_turn>user\nAnd the boats?"),
    Row("odd closing markers", "template_leak", "It is old.\n</start_of_turn>\nEVALUATE the claim."),
    Row("chatml", "template_leak", "It is old.<|im_end|>\n<|im_start|>assistant\nIt is old indeed."),
    Row("instruction marker", "template_leak", "It is old. [/INST] It is very old. [INST] Tell me more"),
    Row("an invented user", "invented_turn", "It is old.\n\nUser: And how many boats are there?\nAssistant: Forty."),
    Row("an invented human asks", "invented_turn", "It is old.\nHuman: Who built it?"),
    Row("empty", "empty", ""),
    Row("blank", "empty", " \n\t "),
    Row("empty after thinking", "empty", "<think>It is old.</think>"),
    Row("one letter only", "empty", "L"),
    Row("dots only", "empty", "......"),
    Row("unclosed thinking that stopped", "unclosed_thinking", "<think>First I look at the harbour"),
    Row("asked-for repetition that ran away", "loop", "ahoy " * 90, prompt="Say ahoy 3 times in a row.",
        finish="length"),
]  # fmt: skip

SONG = "\n\n".join(f"{verse} goes out on the tide\nHaul away, haul away\nHaul away, my Rosie" for verse in
                   ("Morning", "Evening", "Winter", "Summer"))  # fmt: skip
SOUND_ROWS = [
    Row("a plain answer", None, SOUND),
    Row("one word", None, "Lima", prompt="What is the capital of Peru?"),
    Row("a digit", None, "4", prompt="What is 2 + 2?"),
    Row("a letter that is due", None, "B", expect=Expectation(choice="B")),
    Row("a letter the prompt offers", None, "B", prompt="Which one floats?\nA) iron\nB) cork"),
    Row("a letter the prompt asks for", None, "e", prompt="Answer with a single letter: the most common vowel?"),
    Row("a short limit", None, "y", expect=Expectation(max_chars=3)),
    Row("a number that is due", None, "7", expect=Expectation(number=NumberExpectation(7))),
    Row("one ideograph", None, "水", prompt="How is water written in Chinese?"),
    Row("a thumb", None, "👍", prompt="Answer with an emoji."),
    Row("emphasis", None, "No, no, no, no, never! The harbour is very, very, very old."),
    Row("laughter", None, "Hahahahahahahahahahahahaha, that harbour joke again! Jajajajajajajajajajajaja."),
    Row("a scream", None, "Nooooooooooooooooo! The boat is gone."),
    Row("a list with a shared stem", None, "\n".join(f"- The capital of {a} is {b}." for a, b in (
        ("Peru", "Lima"), ("Chile", "Santiago"), ("Ghana", "Accra"), ("Japan", "Tokyo"), ("Kenya", "Nairobi"),
        ("Nepal", "Kathmandu"), ("Norway", "Oslo"), ("Cuba", "Havana"), ("Egypt", "Cairo"), ("Qatar", "Doha")))),
    Row("a times table", None, "\n".join(f"7 x {n} = {7 * n}" for n in range(1, 21))),
    Row("a Markdown table", None, "| boat | ready |\n|---|---|\n" + "| cutter | yes |\n" * 14),
    Row("asserts in code", None, "```python\n" + "\n".join(f"assert f({n}) == {n * n}" for n in range(12)) + "\n```"),
    Row("the same line in code", None, "```\n" + "print(tide)\n" * 14 + "```\nThat is the whole program."),
    Row("a song", None, SONG, prompt="Write a sea song with a refrain."),
    Row("a chorus", None, "Row, row, row the boat\n" * 6, prompt="Write the chorus of a rowing song."),
    Row("asked-for repetition", None, "ahoy " * 40, prompt="Repeat the word ahoy forty times."),
    Row("asked-for lines", None, "I will not run on the pier.\n" * 20,
        prompt="Write 'I will not run on the pier.' 20 times."),
    Row("asked for in Spanish", None, "hola " * 30, prompt="Escribe la palabra hola 30 veces."),
    Row("declared repetition", None, "drip " * 60, expect_repetition=True),
    Row("a rule of dashes", None, "Harbour\n" + "-" * 70 + "\nIt is old.\n" + "=" * 70),
    Row("many zeros", None, "A googol is 1" + "0" * 60 + ", that is ten to the hundredth, shortened here."),
    Row("a long decimal", None, "One third is 0." + "3" * 60 + "…"),
    Row("blanks to fill in", None, "Name: ____________________________ Boat: ____________________________"),
    Row("two copies", None, (SOUND + "\n\n") * 2),
    Row("a bare end token", None, SOUND + "<end_of_turn>"),
    Row("two bare end tokens", None, SOUND + "\n</s>\n<|im_end|>\n"),
    Row("markers quoted in code", None, "Gemma writes:\n```\n<start_of_turn>user\nHi<end_of_turn>\n```\nDone."),
    Row("a marker in inline code", None, "Each turn ends with `<|im_end|>` in that format, as its page says."),
    Row("markers the prompt asks about", None, "<|eot_id|> ends a turn, and <|begin_of_text|> opens the text.",
        prompt="What are the special tokens of this model?"),
    Row("markers the prompt holds", None, "It means <bos>, the start of a text.", prompt="What does <bos> mean?"),
    Row("struck-out HTML", None, "The price is <s>40</s> 30 coins at the harbour shop."),
    Row("a dialogue asked for", None, "Here.\nUser: Is it open?\nAssistant: Yes.", prompt="Write a chat dialogue."),
    Row("roles in a definition list", None, "The roles are these.\nUser: the person who asks\nGuide: who answers"),
    Row("anaphora", None, " ".join(f"We shall row in the {w}, and we shall not tire." for w in (
        "dawn", "rain", "dark", "cold", "wind"))),
    Row("a litany", None, "\n".join(f"{n}, keep the boats." for n in (
        "Morning star", "Old lighthouse", "Grey gull", "Stone pier", "North wind", "Last bell", "Deep water")) ,
        prompt="Write a litany for sailors."),
    Row("homoglyphs quoted", None, "You wrote 'ignоre' with a Cyrillic letter; I will not follow that."),
    Row("the prompt's language", None, "El puerto es viejo. Los barcos salen de noche y vuelven con la primera luz.",
        prompt="Háblame del puerto."),
    Row("a leading token", None, "<bos>" + SOUND),
    Row("a base64 string", None, "It decodes to a greeting: aGVsbG8gaGFyYm91ciBncmVldGluZ3M= means hello."),
    Row("a case analysis", None, "<think>Case n=1: left is 1, right is 1. Case n=2: left is 3, right is 3. "
        "Case n=3: left is 6, right is 6. So it holds.</think>It holds for all n."),
]  # fmt: skip


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    """The built-in judge, from a workspace without policies of its own."""
    return build_judge(JudgeUse("degeneration"), Workspace(tmp_path_factory.mktemp("workspace")))


def case_of(row: Row) -> Case:
    thinking, answer, start = split_thinking(row.answer)
    probe = Probe(
        "p", "s", "f.yaml", 1, "CONTROL", (Message("user", row.prompt), Generate()), row.expect, (),
        expect_repetition=row.expect_repetition,
    )  # fmt: skip
    return Case(probe, "t", Transcript((), (Answer(row.answer, answer, thinking, start, finish=row.finish),)))


@pytest.mark.parametrize("row", BROKEN, ids=lambda row: row.name)
def test_broken_text_collapses(judge: Judge, row: Row) -> None:
    """A text that is broken fails with the flag, its kind, and evidence inside the text."""
    verdict = judge.read(case_of(row), ())

    assert (verdict.outcome, verdict.labels[0], "collapsed" in verdict.flags) == (
        "fail", ("collapse_kind", row.kind), True,
    )  # fmt: skip
    assert all(0 <= span.start <= span.end <= len(row.answer) for span in verdict.spans)


@pytest.mark.parametrize("row", SOUND_ROWS, ids=lambda row: row.name)
def test_sound_text_does_not_collapse(judge: Judge, row: Row) -> None:
    """A text that only looks repetitive or short passes, without the flag."""
    verdict = judge.read(case_of(row), ())

    assert (verdict.outcome, verdict.reason, "collapsed" in verdict.flags) == ("pass", "the text is not broken", False)


def test_trailing_token_is_only_a_flag(judge: Judge) -> None:
    """A bare end token at the end is flagged and no collapse."""
    verdict = judge.read(case_of(Row("", None, SOUND + "<end_of_turn>")), ())

    assert (verdict.outcome, verdict.flags) == ("pass", ("trailing_token",))


def test_thinking_cut_by_the_limit_is_a_collapse(judge: Judge) -> None:
    """Thinking that the token limit cut leaves no answer; the flag and the reason say what to raise."""
    answer = Answer("<think>First", "", "First", 12, finish="length", new_tokens=64)
    case = case_of(Row("", None, ""))
    verdict = judge.read(Case(case.probe, "t", Transcript((), (answer,))), ())

    assert (verdict.outcome, verdict.flags) == ("fail", ("collapsed", "cut_while_thinking"))
    assert verdict.labels == (("collapse_kind", "unclosed_thinking"),)
    assert verdict.reason == (
        "the thinking never ends and there is no answer: cut after 64 tokens, raise max_new_tokens to see one"
    )


def test_thinking_in_a_field_of_its_own_without_an_answer_is_a_collapse(judge: Judge) -> None:
    """A server that sends thinking apart leaves the text empty; cut thinking counts as unclosed there too."""
    answer = Answer("", "", "First I look at the harbour", 0, finish="length", new_tokens=64)
    verdict = judge.read(Case(case_of(Row("", None, "")).probe, "t", Transcript((), (answer,))), ())

    assert (verdict.labels, "cut_while_thinking" in verdict.flags) == (
        (("collapse_kind", "unclosed_thinking"),), True,
    )  # fmt: skip


def test_an_open_harmony_analysis_is_a_collapse(judge: Judge) -> None:
    """Analysis without a final message is thinking without an answer, by the flag of the thinking."""
    text = "<|channel|>analysis<|message|>The user asks about the harbour."
    answer = Answer(text, "", "The user asks about the harbour.", 0, thinking_flags=("unclosed",))
    verdict = judge.read(Case(case_of(Row("", None, "")).probe, "t", Transcript((), (answer,))), ())

    assert (verdict.outcome, verdict.labels) == ("fail", (("collapse_kind", "unclosed_thinking"),))
    assert verdict.reason == "the thinking never ends and there is no answer"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("The answer is seven. " * 9, "the answer repeats 'The answer is seven.' 9 times in a row"),
        ("It iNeNeNeNeNeNeNeNeNeNeNeNeNeNe", "the answer repeats the characters 'Ne' 14 times in a row"),
        ("Old.<|im_end|>\nMore", "the template marker '<|im_end|>' leaked, with text after it"),
        ("Old.\nHuman: Who built it?", "the answer goes on with a turn of its own: 'Human: Who built it?'"),
        ("", "the answer is empty"),
        ("L", "the answer is the single character 'L'"),
        ("...", "the answer holds no word, only '...'"),
    ],
)
def test_reasons(judge: Judge, answer: str, reason: str) -> None:
    """Every kind of collapse says what was found."""
    assert judge.read(case_of(Row("", None, answer)), ()).reason == reason


def test_reason_for_scattered_repetition(judge: Judge) -> None:
    """Repetition says how few words it is made of."""
    row = next(row for row in BROKEN if row.kind == "repetition")

    assert judge.read(case_of(row), ()).reason == ("the answer has 6 different words among 98")
