"""What the degeneration judge costs on long and hostile texts: time linear in the text, memory bounded."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Callable

import pytest

from evalkit.judging.base import Judge
from evalkit.judging.thinking import split_thinking
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe
from evalkit.reading.judges import build_judge
from evalkit.transcript import Answer, Case, Transcript
from evalkit.workspace import Workspace

SMALL, LARGE = 100_000, 1_000_000
MEBIBYTE = 1 << 20
WORDS = ["".join(random.Random(seed).choices("abcdefghijklmnoprstuvw", k=2 + seed % 8)) for seed in range(4000)]


def filled(unit: str) -> Callable[[int], str]:
    return lambda size: (unit * (size // len(unit) + 1))[:size]


def random_words(size: int) -> str:
    return " ".join(random.Random(1).choices(WORDS, k=size // 5))[:size]


def nearly_periodic(size: int) -> str:
    source = random.Random(2)
    copies = (
        f"The boats that went out at {source.choice(WORDS)} come home with catch number {number} at first light. "
        for number in range(size // 60)
    )
    return "".join(copies)[:size]


TEXTS: dict[str, Callable[[int], str]] = {
    "one letter": filled("a"), "blanks": lambda size: "x" + " " * size + "x", "angle brackets": filled("<"),
    "line ends": lambda size: "x" + "\n" * size + "x", "user lines": filled("User: hello you\n"),
    "random words": random_words, "nearly periodic": nearly_periodic, "quotation marks": filled('"'),
    "half markers": filled("</start_of_"), "short paragraphs": filled("Hm ok.\n\n"), "alphabets": filled("aжaж "),
    "fences": filled("```\n"), "brackets": filled("\\["), "addresses": filled("https://"),
    "word salad": filled("the of and which is for by the. "), "one slot": filled("Walking helps the heart and more.\n"),
    "subwords": filled("Ġa"), "a document": lambda size: "[" + '{"a b c d e": 0},' * (size // 17) + "0]",
    "one sentence": filled("3 is a number and 3+1 is 4, "), "code lines": filled("assert f(x)[0] is y\n"),
    "a line of calls": filled("f(x).g("), "capitals": filled("aNd ThE cAsE "), "loose words": filled("the cat of a "),
    "unclosed thinking": lambda size: "<think>" + nearly_periodic(size),
}  # fmt: skip


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    return build_judge(JudgeUse("degeneration"), Workspace(tmp_path_factory.mktemp("workspace")))


def case_of(text: str) -> Case:
    thinking, answer, start = split_thinking(text)
    turns = (Message("user", "Tell me about the old harbour."), Generate())
    probe = Probe("p", "s", "f", 1, "X", turns, Expectation(), ())
    return Case(probe, "t", Transcript((), (Answer(text, answer, thinking, start),)))


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("name", TEXTS)
def test_time_is_linear_in_the_text(judge: Judge, growth: Callable[..., float], name: str) -> None:
    """Ten times the text takes at most fifteen times as long."""
    small, large = case_of(TEXTS[name](SMALL)), case_of(TEXTS[name](LARGE))

    found = growth(lambda case: judge.read(case, ()), small, large, at_most=15)

    print(f"{name}: {found:.1f} times")
    assert found <= 15


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("name", TEXTS)
def test_memory_is_bounded(judge: Judge, name: str) -> None:
    """A text of 1 MB needs at most 100 MiB beside itself."""
    case = case_of(TEXTS[name](LARGE))
    tracemalloc.start()
    judge.read(case, ())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    print(f"{name}: {peak / MEBIBYTE:.0f} MiB")
    assert peak <= 100 * MEBIBYTE
