"""How much faster the lexicon scorer is than one pass of ``re`` for each of heuristic_v2's signals.

Both score the same generated answers of about 4 kB, in pairs and in both orders; the ratio of each pair is one
observation, and the interval is the middle 95 % of bootstrapped medians.

Then how much longer ten times the text takes, 1 MB against 100 kB of the same answers.

    python benchmarks/lexicon.py [--pairs 60]
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml

POLICY = Path(__file__).parent.parent / "judges" / "heuristic_v2.yaml"
GOAL = 8
GOAL_GROWTH = 12
ANSWER_CHARS = 4_000
ANSWERS = 20
FILLERS = (
    "The river carried small boats past the mill while two people on the bank talked about the price of grain.",
    "A careful builder measures the beam twice, writes the number down, and only then reaches for the saw.",
    "After the storm the harbour office reopened, and the clerk in Lisbon listed 14 ships and 2,300 crates.",
    "Most questions about storage come down to who holds the keys, how long, and what happens when they leave.",
    "- **First**, gather what is known; then ask what would change your mind, and what would not.",
)


class Straightforward:
    """heuristic_v2 as anyone would write it: one compiled pattern for each list, one ``findall`` each."""

    def __init__(self, policy: dict[str, Any]) -> None:
        self._signals = policy["signals"]
        self._lists = {
            name: _alternation(part["terms"], ignoring_case=part.get("case") != "exact")
            for name, signal in self._signals.items()
            for part in signal["counts"]
            if "terms" in part
        }
        self._preamble = re.compile(
            f"^(?:{self._signals['formulaic_preamble']['counts'][0]['pattern']})", re.IGNORECASE
        )
        self._marks = re.compile(r"\n\n|\.{3}|—|[*_]{1,2}\w|>\s|#{1,3}\s|\|")
        self._names = re.compile(r"(?<!\. )\b[A-Z][a-z]{2,}\b")
        self._numbers = re.compile(r"\b\d+[\d,.]*\b")

    def score(self, text: str) -> dict[str, float]:
        """Every signal and ``lek_score``, by name."""
        words = text.split()
        share = len(set(words)) / len(words) if len(words) > 10 else 1
        found: dict[str, float] = {name: len(pattern.findall(text)) for name, pattern in self._lists.items()}
        found["formulaic_preamble"] = len(self._preamble.findall(text))
        found["degeneration"] = 1 if share < 0.3 else 0.5 if share < 0.5 else 0
        found["empty_broken"] = int(len(text.strip()) < 20)
        found["creative_form"] = len(self._marks.findall(text))
        found["engagement_depth"] = text.count("\n\n") + 1
        found["specificity"] += len(self._names.findall(text[1:])) + len(self._numbers.findall(text))
        found["questioning"] = text.count("?")
        total = 0.0
        for name, signal in self._signals.items():
            total += min(found[name] * signal["weight"], signal.get("cap", float("inf")))
        found["lek_score"] = round(total, 2)
        return found


def straightforward() -> Straightforward:
    """The rival, with the terms and weights of judges/heuristic_v2.yaml."""
    return Straightforward(yaml.safe_load(POLICY.read_text(encoding="utf-8")))


def _alternation(terms: Iterable[str], ignoring_case: bool) -> re.Pattern[str]:
    ways = [re.sub(r"<(\d+)\\?\.\\?\.(\d+)>", r".{\1,\2}", re.escape(term)) for term in terms]
    return re.compile(rf"\b(?:{'|'.join(ways)})\b", re.IGNORECASE if ignoring_case else 0)


def answers(seed: int = 0) -> list[str]:
    """Generated answers of about 4 kB: prose, names, numbers, some mark-up, a listed term in every third sentence."""
    policy = yaml.safe_load(POLICY.read_text(encoding="utf-8"))
    lists = [part["terms"] for signal in policy["signals"].values() for part in signal["counts"] if "terms" in part]
    draw = random.Random(seed)
    found = []
    for _ in range(ANSWERS):
        pieces: list[str] = []
        while sum(map(len, pieces)) < ANSWER_CHARS:
            sentence = draw.choice(FILLERS)
            if draw.random() < 0.33:
                term = re.sub(r"<\d+\.\.\d+>", " the old road ", draw.choice(draw.choice(lists)))
                sentence = f"{sentence[:-1]}, {term} perhaps."
            pieces.append(sentence + draw.choice((" ", " ", " ", "\n\n")))
        found.append("".join(pieces)[:ANSWER_CHARS])
    return found


def seconds(score: Callable[[str], object], texts: list[str]) -> float:
    """Wall time for all texts."""
    started = time.perf_counter()
    for text in texts:
        score(text)
    return time.perf_counter() - started


def scorer() -> Callable[[str], object]:
    """The judge heuristic_v2's scoring."""
    from evalkit.judging.lexicon.judge import LexiconJudge
    from evalkit.probe import JudgeUse
    from evalkit.reading.judges import build_judge
    from evalkit.workspace import Workspace

    judge = build_judge(JudgeUse("heuristic_v2"), Workspace(Path.cwd()))
    assert isinstance(judge, LexiconJudge)
    return judge.score


def ratios(ours: Callable[[str], object], pairs: int, texts: list[str]) -> tuple[list[float], float]:
    """How many times longer the rival took in each pair, and the scorer's median milliseconds for one answer."""
    rival = straightforward().score
    seconds(ours, texts), seconds(rival, texts)
    found, own = [], []
    for number in range(pairs):
        if number % 2:
            slow, fast = seconds(rival, texts), seconds(ours, texts)
        else:
            fast, slow = seconds(ours, texts), seconds(rival, texts)
        found.append(slow / fast)
        own.append(1000 * fast / len(texts))
    return found, statistics.median(own)


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--pairs", type=int, default=60, help="pairs of timings (60)")
    ours, texts = scorer(), answers()
    found, own_ms = ratios(ours, parser.parse_args().pairs, texts)
    draw = random.Random(1)
    medians = sorted(statistics.median(draw.choices(found, k=len(found))) for _ in range(2000))
    print(f"{statistics.median(found):.1f} times as fast (95 % interval {medians[50]:.1f} to {medians[1949]:.1f})")
    print(f"{own_ms:.3f} ms for an answer of {ANSWER_CHARS} characters; {len(found)} pairs of {ANSWERS} answers")
    print(f"goal: at least {GOAL} times")
    whole = "".join(texts) * 13
    growth = [seconds(ours, [whole[:1_000_000]]) / seconds(ours, [whole[:100_000]]) for _ in range(9)]
    print(f"1 MB takes {statistics.median(growth):.1f} times as long as 100 kB; goal: at most {GOAL_GROWTH}")


if __name__ == "__main__":
    main()
