"""Splitting a text into thinking and answer: every common form, and the traps beside it."""

from __future__ import annotations

import pytest

from evalkit.judging.thinking import segments, split_thinking

BLOCKS = [
    ("<think>10 pens cost 15.</think>15", "10 pens cost 15.", "15"),
    (" <THINKING>\nhm\n</THINKING>\n\n15\n", "hm", "15"),
    ("<thought>Short or long?</thought>\nShort.", "Short or long?", "Short."),
    ("<Thoughts>Short or long?</Thoughts>\nShort.", "Short or long?", "Short."),
    ("<reasoning>\nEven plus even.\n</reasoning>\n\nEven.", "Even plus even.", "Even."),
    ("<logos_think>\nIs it so?\n</logos_think>\nYes.", "Is it so?", "Yes."),
    ("<scratchpad>7*8=56</scratchpad>56", "7*8=56", "56"),
    ("<seed:think>Tides and moon.</seed:think>The moon.", "Tides and moon.", "The moon."),
    ("[THINK]Is 91 prime? 7*13.[/THINK]No.", "Is 91 prime? 7*13.", "No."),
    ("[think]\nno\n[/think]\nNo.", "no", "No."),
    ("◁think▷The user greets.◁/think▷Hi!", "The user greets.", "Hi!"),
    ("<|channel>thought\nTwo steps.<channel|>Done.", "Two steps.", "Done."),
    ("<|channel>thought\n<channel|>Hi there!", "", "Hi there!"),
    ("<|begin_of_thought|>\nsum\n<|end_of_thought|>\n\n7", "sum", "7"),
    ("<|START_THINKING|>plan<|END_THINKING|>Go.", "plan", "Go."),
    ('<think time="3s">hm</think>ok', "hm", "ok"),
    ("<think >hm</think >ok", "hm", "ok"),
    ("<think>¿Qué hora es?\nLas tres.</think>\r\n\r\nLas tres.", "¿Qué hora es?\nLas tres.", "Las tres."),
    ("<think>a < b and b > c</think>a < b", "a < b and b > c", "a < b"),
    ("<think>\n\n</think>\n\nHello!", "", "Hello!"),
    ("<think></think>Hello!", "", "Hello!"),
    ('<think>He said "no"</think>"Hello," she wrote.', 'He said "no"', '"Hello," she wrote.'),
    ("<think>So the answer is (see above)</think>(4)", "So the answer is (see above)", "(4)"),
    ("<think>One more and</think> then the answer.", "One more and", "then the answer."),
    ("<think>The tag is fine</think>, I guess.", "The tag is fine", ", I guess."),
    ("<think>a</thinking>b", "a", "b"),
    ("<think>It is so. </think> Strings are immutable.", "It is so.", "Strings are immutable."),
    ("<think>They want <think> explained. Fine.</think>Sure.", "They want <think> explained. Fine.", "Sure."),
]

SEVERAL = [
    ("<think>a</think>\n<think>b</think>\n\nc", "a\nb", "c"),
    ("<think>a</think><think>b</think><think>c</think>d", "a\nb\nc", "d"),
    ("<think>\n  a\n</think>\n\n<think>\n</think>\n<think>b</think>c", "a\nb", "c"),
    ("<think>plan</think>Part one.<think>check</think>Part two.", "plan\ncheck", "Part one.\nPart two."),
    ("<think>plan</think>\nPart one.\n\n<think>check</think>\n\nPart two.", "plan\ncheck", "Part one.\nPart two."),
    ("<thinking>a</thinking><reasoning>b</reasoning>c", "a\nb", "c"),
    ("<think>a</think>Yes.<think>", "a", "Yes."),
    ("<think>a</think>Yes.\n<think>But wait, is", "a\nBut wait, is", "Yes."),
]

NESTED = [
    ("<think><think>a</think></think>b", "a", "b"),
    ("<think>\n<think>\na\n</think>\n\nb", "a", "b"),
    ("<think><think>a</think>b", "a", "b"),
    ("<think>a</think></think>b", "a", "b"),
    ("<think>a</think>\n</think>\nb", "a", "b"),
    ("<think>outer <think>inner</think> outer</think>b", "outer inner outer", "b"),
    ("<think><reasoning>a</reasoning></think>b", "a", "b"),
    ("<thinking>\n<think>a</think>\n</thinking>\nb", "a", "b"),
    ("<think>a<think>b</think>c", "ab", "c"),
    ("<think>\nplan\n</think>\n\nYes, it is.\n</logos_think>\n\nYes.", "plan", "Yes, it is.\n\n\nYes."),
    ("<think>\n<think>\nplan\n</think> Yes.\n</logos_think>", "plan", "Yes."),
    ("<think>a</think>Yes.</think> It is.", "a", "Yes. It is."),
    ("<think>a</think>Yes.</think>", "a", "Yes."),
]

IMPLICIT = [
    (
        "Okay, the lock needs index order.</think>\n\nUse an index.",
        "Okay, the lock needs index order.",
        "Use an index.",
    ),
    ("\nFirst, the sum.\nThen half.\n</think>\n\n12", "First, the sum.\nThen half.", "12"),
    ("hm[/THINK]No.", "hm", "No."),
    ("hm◁/think▷No.", "hm", "No."),
    ("hm</reasoning>No.", "hm", "No."),
    ("thought it over<channel|>No.", "thought it over", "No."),
    ("a</think>b</think>c", "a", "bc"),
    ("</think>\n\nHello!", "", "Hello!"),
    ("I should answer with care and</think>Yes.", "I should answer with care and", "Yes."),
    ("The block ends here.\n</think>\nIt is 4.", "The block ends here.", "It is 4."),
    ("All of it is thought.</think>", "All of it is thought.", ""),
    (
        "They ask about the </think> tag. Be brief.</think>It closes it.",
        "They ask about the </think> tag. Be brief.",
        "It closes it.",
    ),
    ("plan</think>One.<think>check</think>Two.", "plan\ncheck", "One.\nTwo."),
]

UNCLOSED = [
    ("<think>First I compute", "First I compute", ""),
    ("<think>", "", ""),
    ("  <thinking>\nLet me see. 4 and", "Let me see. 4 and", ""),
    ("[THINK]Is 91", "Is 91", ""),
    ("◁think▷Is 91", "Is 91", ""),
    ("<|channel>thought\nIs 91", "Is 91", ""),
    ("<think>a<think>b", "ab", ""),
    ("<think>They ask about `</think>` and I", "They ask about `</think>` and I", ""),
    ("<think>The </think> tag closes it. So", "The </think> tag closes it. So", ""),
    ("<think>It is **bold**</think>![no] So", "It is **bold**", "![no] So"),
]

LATE = [
    (
        "Let me look at that for you, it is not obvious at all.\n<think>7*13=91</think>\nNo, it is not.",
        "7*13=91",
        "Let me look at that for you, it is not obvious at all.\nNo, it is not.",
    ),
    ("Sure!\n<think>7*13=91</think>\nNo.", "7*13=91", "Sure!\nNo."),
    ("The result <think>check it</think> is 4.", "check it", "The result\nis 4."),
    ("No, it is not.\n<think>Was I right?</think>", "Was I right?", "No, it is not."),
    ("The answer is: <think>let me check. Yes.</think> 4", "let me check. Yes.", "The answer is:\n4"),
    ("No, it is not.\n<think>Was I right? 7 times", "Was I right? 7 times", "No, it is not."),
]

HARMONY = [
    (
        "<|channel|>analysis<|message|>Check parity.<|end|><|start|>assistant"
        "<|channel|>final<|message|>Even.<|return|>",
        "Check parity.",
        "Even.",
    ),
    ("<|channel|>final<|message|>Even.", "", "Even."),
    ("<|start|>assistant<|channel|>analysis<|message|>Check par", "Check par", ""),
    (
        "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>commentary to=functions.sum "
        '<|constrain|>json<|message|>{"n": 1}<|call|><|start|>assistant<|channel|>analysis<|message|>b<|end|>'
        "<|start|>assistant<|channel|>final<|message|>c",
        "a\nb",
        "c",
    ),
    (
        "<|channel|>commentary<|message|>I will look it up.<|end|><|start|>assistant<|channel|>final<|message|>Found.",
        "",
        "Found.",
    ),
    (
        "<|channel|>analysis<|message|>a<|channel|>final<|message|>Use `x`.\n\nThen `y`.",
        "a",
        "Use `x`.\n\nThen `y`.",
    ),
    ("analysisWe need to greet.assistantfinalHello!", "We need to greet.", "Hello!"),
    ("analysisWe need a sum.assistantcommentary to=functions.sum json{}assistantfinal7", "We need a sum.", "7"),
    ('analysis"Hi" is a greeting. So greet.assistantfinalHi.', '"Hi" is a greeting. So greet.', "Hi."),
    ("analysisWe need to think about this for", "We need to think about this for", ""),
    ("analysisResult = 5\nprint(analysisResult)", "", "analysisResult = 5\nprint(analysisResult)"),
    ("Analysis of the data shows a rise.", "", "Analysis of the data shows a rise."),
]

CODE = [
    (
        "Wrap the scratchpad in `<think>` and `</think>` tags.",
        "",
        "Wrap the scratchpad in `<think>` and `</think>` tags.",
    ),
    ("```xml\n<think>x</think>\n```", "", "```xml\n<think>x</think>\n```"),
    ("~~~\n<think>x</think>\n~~~\nDone.", "", "~~~\n<think>x</think>\n~~~\nDone."),
    (
        "<think>quick</think>Like so:\n```xml\n<think>x</think>\n```",
        "quick",
        "Like so:\n```xml\n<think>x</think>\n```",
    ),
    ("<think>I write `</think>` here</think>yes", "I write `</think>` here", "yes"),
    ("<think>\n```\n</think>\n```\nstill</think>yes", "```\n</think>\n```\nstill", "yes"),
    ("<think>```py\ncode</think>ok", "```py\ncode", "ok"),
    ("<think>\n```py\ncode\n</think>\nok", "```py\ncode", "ok"),
    ("<think>\n```py\ncode\n</think>\nHere:\n```py\nx\n```", "```py\ncode", "Here:\n```py\nx\n```"),
    ("Use `<|channel|>analysis<|message|>`.", "", "Use `<|channel|>analysis<|message|>`."),
    ("```\n[THINK]x[/THINK]\n```", "", "```\n[THINK]x[/THINK]\n```"),
    ("``<think>b</think>`` is text.", "", "``<think>b</think>`` is text."),
]

MENTIONED = [
    "Wrap it in <think> and </think> tags.",
    "The <think> tag opens a block; the </think> tag closes it.",
    'The parser looks for "<think>" and stops at "</think>".',
    "Everything before </think> is hidden from the reader.",
    "Models of that family put their reasoning between <think> and </think>.",
    "<think> and </think> are the markers of a reasoning block.",
    "Reasoning models emit <think>, then text, then </think>, and then the answer.",
    "Use <think>...</think> around the reasoning.",
    "The format is “<think>reasoning</think>answer”.",
    'An answer looks like "<think>reasoning</think>answer" in the log.',
    "- <think>: opens the reasoning\n- </think>: closes it",
    "Put your notes inside <thinking>your notes</thinking> tags before you answer.",
    "Escribe tu razonamiento entre <think> y </think> antes de responder.",
    "La etiqueta <think> abre el bloque.",
    "The [THINK] token is special in that tokenizer.",
    "The block opens with <think> and runs until the model is done.",
    "(<think>) is what it is called.",
    "A stray </think> at the end is a common bug.",
    "I do not use <think>.",
    "Write it like this:\n\n    <think>\n    notes\n    </think>\n\nThat is all.",
    "For example: <think>a short note</think> is valid.",
    "They ask about <think> first.",
    "The guide says:\n\n> <think>\n> notes\n> </think>\n\nThat is the format.",
    "Both <think>/</think> and <reasoning>/</reasoning> are in use.",
    "The closing tag **</think>** is missing.",
    "I think it rains a lot there.",
    "I was <i>thinking</i> of you.",
    "[thinking] He pauses.",
    "",
    "Hello.",
]


@pytest.mark.parametrize(
    ("text", "thinking", "answer"),
    [*BLOCKS, *SEVERAL, *NESTED, *IMPLICIT, *UNCLOSED, *LATE, *HARMONY, *CODE, *((m, "", m) for m in MENTIONED)],
)
def test_split(text: str, thinking: str, answer: str) -> None:
    """Thinking and answer of every form, both trimmed."""
    found = split_thinking(text)

    assert found[:2] == (thinking, answer)


@pytest.mark.parametrize("mention", [text for text in MENTIONED if text])
def test_mention_inside_real_thinking_is_text(mention: str) -> None:
    """Thinking that talks about tags goes on to its own closing tag, and so may the answer."""
    text = f"<think>\n{mention}\n</think>\n\n{mention}"

    assert split_thinking(text)[:2] == (mention, mention)


@pytest.mark.parametrize(
    ("text", "flags"),
    [
        ("Hello.", ()),
        ("<think>hm</think>ok", ()),
        ("hm</think>ok", ("implicit",)),
        ("<think>hm", ("unclosed",)),
        (LATE[0][0], ("late",)),
        (LATE[1][0], ()),
        ("<think>a</think><think>b</think>c", ("multiple",)),
        ("<think>\n\n</think>ok", ("empty",)),
        ("<think>", ("unclosed", "empty")),
        ("<|channel>thought\n<channel|>Hi", ("empty",)),
        ("<|channel|>analysis<|message|>We", ("unclosed",)),
        ("analysisWe need a sum for", ("unclosed",)),
        ("**Examining the Lock**\nI'm now looking.\n\n**Weighing Options**\n\nI see two.\n\nUse one.", ("untagged",)),
        ("**Examining the Lock**\nI'm now looking.\n\nUse one.", ()),
        ("**Ingredients**\nFlour.\n\n**Baking the Bread**\nHeat the oven.", ()),
    ],
)
def test_flags(text: str, flags: tuple[str, ...]) -> None:
    """The flags say how the thinking was found, and whether there was any."""
    assert segments(text).flags == flags


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("<think>", "</think>"), ("[THINK]", "[/THINK]"), ("◁think▷", "◁/think▷"), ("<THOUGHT>\n", "\n</THOUGHT>\n"),
        ("<|channel>thought\n", "<channel|>"), ("\n", "\n</think>\n"), ("<think>\n<think>\n", "\n</think>\n</think>\n"),
        ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    ],
)  # fmt: skip
def test_every_form_holds_every_mention(opening: str, closing: str) -> None:
    """Whatever is said about tags, in the thinking or in the answer, the split stays where it is."""
    mentions = [text for text in MENTIONED if text]
    for thought in mentions:
        for answer in mentions:
            assert split_thinking(f"{opening}{thought}{closing}{answer}")[:2] == (thought, answer)
