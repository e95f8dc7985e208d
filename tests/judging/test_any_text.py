"""Whatever a model writes, the judges decide, and they look at each character a bounded number of times."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalkit.judging import repetition
from evalkit.judging.base import Judge
from evalkit.judging.masking import blank, code_extents, quotation_extents, table_extents
from evalkit.judging.phrases import Folded
from evalkit.judging.repetition import LoopSize, Tokens, find_character_run, find_loop
from evalkit.judging.thinking import split_thinking
from evalkit.probe import Expectation, Generate, JudgeUse, Message, NumberExpectation, Probe
from evalkit.reading.judges import build_judge
from evalkit.transcript import Answer, Case, Transcript
from evalkit.workspace import Workspace

PIECES = st.sampled_from([
    "<think>", "</think>", "```\n", "`", "| a |\n", '"', "“", "”", "I cannot", "not ", "User: ", "<end_of_turn>", "1,2",
    "B) ", "\n", " ", "é", "e\u0301", "\ud800", "我", "ha", "yes. ", "https://x.y/z", "f(a, b)", "Answer: ", "0",
    "{", "[",
])  # fmt: skip
TEXTS = st.one_of(st.text(st.characters(), max_size=200), st.lists(PIECES, max_size=60).map("".join))
CATEGORIES = (
    "ADVERSARIAL", "HARMFUL_REFUSAL", "CORRECTION", "MYSTERY", "SELF_REFERENCE", "LICIT_GAP", "KENOTIC_LIMITATION",
    "CONTROL", "OTHER",
)  # fmt: skip
EXPECT = Expectation(
    contains=("a",), not_regex=(r"\d{9}",), equals=("x",), number=NumberExpectation(3), choice="B", python=True,
    must_say=(("a", "b"),), must_not_say=("zebra",), max_words=5,
)  # fmt: skip


@pytest.fixture(scope="module")
def judges(tmp_path_factory: pytest.TempPathFactory) -> list[Judge]:
    workspace = Workspace(tmp_path_factory.mktemp("workspace"))
    return [build_judge(JudgeUse(name), workspace) for name in ("degeneration", "behaviour", "text")]


@settings(max_examples=150, deadline=None)
@given(text=TEXTS, prompt=TEXTS, category=st.sampled_from(CATEGORIES))
def test_no_text_breaks_a_judge(judges: list[Judge], text: str, prompt: str, category: str) -> None:
    """Every text gets a verdict whose evidence lies inside it."""
    thinking, answer, start = split_thinking(text)
    probe = Probe("p", "s", "f", 1, category, (Message("user", prompt), Generate()), EXPECT, ())
    case = Case(probe, "t", Transcript((), (Answer(text, answer, thinking, start),)))

    for judge in judges:
        verdict = judge.read(case, ())
        assert verdict.outcome in ("pass", "fail", "unscored")
        assert verdict.reason
        assert all(0 <= span.start <= span.end <= len(text) for span in verdict.spans)


@given(TEXTS)
def test_masking_moves_nothing(text: str) -> None:
    """A blanked text is as long as it was and keeps its line ends; a folded one knows where it came from."""
    for extents in (code_extents(text), table_extents(text), quotation_extents(text)):
        masked = blank(text, extents)
        assert len(masked) == len(text)
        assert masked.count("\n") == text.count("\n")
    folded = Folded.of(text)
    assert len(folded.text) == len(folded.positions)


@pytest.mark.parametrize(
    "search",
    [
        lambda text: find_loop(Tokens.of(text), (LoopSize(3, 48, 60),), 256),
        lambda text: find_character_run(text, (), 32, 24, 5),
    ],
)
def test_detectors_compare_each_place_once_for_each_period(
    search: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten times the text means ten times the places compared, whatever the text, where a look does not rule it out."""
    monkeypatch.setattr(repetition, "may_loop", lambda *_: True)
    monkeypatch.setattr(Tokens, "repeats", 10**6)
    compared: list[int] = []
    runs = repetition.runs

    def counted(values: np.ndarray, period: int) -> object:
        compared.append(len(values) - period)
        return runs(values, period)

    monkeypatch.setattr(repetition, "runs", counted)
    totals = []
    for size in (4_000, 40_000):
        compared.clear()
        search("".join(f"{number * number % 9973} w{number * 7 % 5003} " for number in range(size // 10)))
        totals.append(sum(compared))

    assert totals[1] <= 12 * totals[0]
