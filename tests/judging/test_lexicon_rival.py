"""The lexicon scorer counts what a pass of ``re`` for each signal counts, on thousands of texts, in linear time."""

from __future__ import annotations

import importlib.util
import json
import random
import sys
import tracemalloc
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.judging.lexicon import terms
from evalkit.judging.lexicon.judge import LexiconJudge
from evalkit.probe import JudgeUse
from evalkit.reading.judges import build_judge
from evalkit.workspace import Workspace, builtin_root

ROOT = builtin_root()
ROWS = ROOT.parent / "shared" / "data" / "lek_published_scores.jsonl"
NAMES = ("heuristic_v2", "heuristic_v2_robust", "lek_v1", "lek_v1_py")
FOLDING = "ſKİıKkSsIiéÉßẞςσΣµ"
JOINTS = (
    " ", "  ", "\n", "\n\n", "\r\n", ". ", ".  ", ", ", "! ", "? ", ": ", "_", "*", "**", "-", "'", "’", "—", "...",
    "....", "| ", "# ", "#### ", "> ", "(", ")", "\t", "\u00a0", "\u2028", "\x1c", "", "", "x", "9", "1,2.3", "10MB",
    "٣", "é", "\ud800", "\u0307", "日本", "Z", "Abc", "aBC", "and", " and", "also", " perspective", "where", " as",
)  # fmt: skip


def benchmark() -> ModuleType:
    """benchmarks/lexicon.py, which keeps the straightforward version."""
    path = ROOT / "benchmarks" / "lexicon.py"
    if not path.is_file():
        pytest.skip("benchmarks/ is not here")
    if "benchmark_lexicon" not in sys.modules:
        spec = importlib.util.spec_from_file_location("benchmark_lexicon", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["benchmark_lexicon"] = module
        spec.loader.exec_module(module)
    return sys.modules["benchmark_lexicon"]


@cache
def judge(name: str) -> LexiconJudge:
    found = build_judge(JudgeUse(name), Workspace(Path("/nowhere")))
    assert isinstance(found, LexiconJudge)
    return found


def seeds(rival: ModuleType) -> list[str]:
    """Answers to mutate: generated ones, and the stored ones where they are there."""
    texts = rival.answers()
    if ROWS.is_file():
        texts += [json.loads(line)["response"] for line in ROWS.read_text(encoding="utf-8").splitlines()]
    return texts


def pieces(rival: ModuleType) -> list[str]:
    """Every listed term, cut at its gaps and in several cases, and what may stand between."""
    lists = [part["terms"] for signal in rival.straightforward()._signals.values() for part in signal["counts"]
             if "terms" in part]  # fmt: skip
    parts = [piece for terms in lists for term in terms for piece in rival.re.split(r"<\d+\.\.\d+>", term) if piece]
    preambles = rival.straightforward()._signals["formulaic_preamble"]["counts"][0]["pattern"].split("|")
    return [*parts, *map(str.upper, parts), *map(str.title, parts), *JOINTS * 8, *preambles * 4]


def mutated(draw: random.Random, text: str, parts: list[str]) -> str:
    """The text with some pieces put in, some taken out, and some letters replaced by ones that fold alike."""
    start = draw.randrange(max(1, len(text)))
    text = text[start : start + draw.choice((40, 200, 800))]
    for _ in range(draw.randrange(1, 12)):
        at = draw.randrange(len(text) + 1)
        text = text[:at] + draw.choice(parts) + text[at + draw.choice((0, 0, 1, 3)) :]
    if draw.random() < 0.4:
        alike = {"s": "ſ", "k": "K", "i": "ı", "I": "İ"}
        text = "".join(alike[char] if char in alike and draw.random() < 0.3 else char for char in text)
    return text


def synthetic(draw: random.Random, parts: list[str]) -> str:
    """Terms and joints in any order."""
    joints = (*JOINTS, *FOLDING, " ", " ", " ")
    return "".join(draw.choice(parts) + draw.choice(joints) for _ in range(draw.randrange(1, 30)))


def assert_equal_on(count: int, seed: int) -> None:
    rival = benchmark()
    score, expected = judge("heuristic_v2").score, rival.straightforward().score
    draw, texts, parts = random.Random(seed), seeds(rival), pieces(rival)
    seen: set[str] = set()
    for number in range(count):
        text = mutated(draw, draw.choice(texts), parts) if number % 2 else synthetic(draw, parts)
        found = score(text)
        assert {**dict(found.signals), "lek_score": found.total} == expected(text), repr(text)
        seen.update(name for name, value in found.signals if value)
    assert len(seen) == 14, "a signal that never fired was not compared"


def test_a_thousand_texts_score_as_with_re() -> None:
    """Generated and mutated texts get the same number in every field."""
    assert_equal_on(1_000, seed=1)


@pytest.mark.slow
def test_ten_thousand_texts_score_as_with_re() -> None:
    """The same on ten times as many others."""
    assert_equal_on(10_000, seed=2)


HARD = {
    "prose": "The community might, however, imagine a right to consent. I think of my own as such.\n\n",
    "pronouns": "I me my ",
    "heads": "both while from think of consider right to ",
    "gaps": "both aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa an",
    "digits": "1",
    "dots": "1.,",
    "marks": "*_#>|.—",
    "capitals": "Aaaa",
    "spaces": " ",
    "newlines": "\n",
    "tokens": "<|im_end|>",
    "ticks": "`a",
    "hashes": "#",
    "folding": "ıſKİ",
    "surrogates": "\ud800 me ",
}


def test_where_a_text_is_cut_for_the_scan_makes_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts are scanned in segments, so that memory stays bounded; any size gives the same counts."""
    texts = benchmark().answers()
    whole = [judge("heuristic_v2").score(text) for text in texts]
    for size in (1, 7, 100):
        monkeypatch.setattr(terms, "_SEGMENT", size)
        assert [judge("heuristic_v2").score(text) for text in texts] == whole


@given(st.text(st.characters(), max_size=300))
def test_no_text_breaks_a_scorer(text: str) -> None:
    """Every text gets a finite score, surrogates and controls included."""
    for name in NAMES:
        assert abs(judge(name).score(text).total) < 10_000


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("unit", HARD.values(), ids=HARD.keys())
def test_time_is_linear_and_memory_bounded(growth: Callable[..., float], name: str, unit: str) -> None:
    """Ten times the text takes at most twenty times as long, and 100 MiB hold a megabyte.

    benchmarks/lexicon.py measures the goal of twelve; here other work on the machine may not break the test.
    """
    score = judge(name).score
    short, long = ((unit * (size // len(unit)))[:-1] + "x" for size in (100_000, 1_000_000))
    score(short)
    times = growth(score, short, long)
    tracemalloc.start()
    score(long)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert times <= 20
    assert peak < 100 * 2**20
