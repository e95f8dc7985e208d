"""Judges that ask a model of their own, through whole runs."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parents[2] / "docs" / "judges.md"
ARBITER = "two:fp32:naked:greedy"


@pytest.fixture
def asking(bench: Bench) -> Bench:
    """The documented judge, with a second target as its arbiter."""
    blocks = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    bench.write("judges/second_opinion.py", next(block for block in blocks if "second_opinion" in block))
    targets = (bench.root / "fixtures/targets.yaml").read_text()
    named = "targets:\n  arbiter: {model: two, quantisation: fp32, engine: stored}\n"
    bench.write("fixtures/targets.yaml", targets + named)
    bench.write(
        "suites/small/kind.yaml",
        "defaults: {judges: [{use: second_opinion, model: arbiter}]}\nprobes:\n"
        "  - {id: warm, prompt: Greet me warmly.}\n  - {id: cold, prompt: Greet me coldly.}\n"
        "  - {id: odd, prompt: Greet me oddly.}\n  - {id: lost, prompt: Greet me not at all.}\n",
    )
    for prompt, answer, opinion in (
        ("Greet me warmly.", "Welcome, dear friend of the house!", "Yes, very."),
        ("Greet me coldly.", "You again. What is it this time?", "No."),
        ("Greet me oddly.", "Seven ducks to you and your hat.", "Who can say?"),
        ("Greet me not at all.", "I shall look out of the window.", None),
    ):
        bench.record(prompt, answer)
        if opinion is not None:
            bench.record(f"Is this kind? Say yes or no. <<<{answer}>>>", opinion, ARBITER)
    return bench


def test_a_judge_asks_its_own_model(asking: Bench, workers: list[str]) -> None:
    """Its reply decides; a question that failed leaves the trial unscored, not wrong."""
    result = asking.run("suites/small", "--eval-max-unscored", "0.5", *workers)

    result.assert_outcomes(passed=1, failed=1, skipped=2)
    reasons = {str(line["probe"]): str(line["reason"]) for line in asking.results()}
    assert reasons["warm"] == "second_opinion: the arbiter said 'yes, very.'"
    assert reasons["cold"] == "second_opinion: the arbiter said 'no.'"
    assert reasons["odd"] == "second_opinion: the arbiter said 'who can say?'"
    assert reasons["lost"].startswith("second_opinion: ")


def test_questions_are_stored_like_answers(asking: Bench) -> None:
    """Two answers and two opinions are in the store after one run, and no more after a second."""
    counts = []
    for _ in range(2):
        asking.run("suites/small", "-k", "warm or cold").assert_outcomes(passed=1, failed=1, deselected=2)
        with closing(sqlite3.connect(asking.root / ".evalkit/store.sqlite3")) as connection:
            counts.append(connection.execute("SELECT target, count(*) FROM generations GROUP BY target").fetchall())

    assert counts == [[("one:fp32:naked:greedy", 2), (ARBITER, 2)]] * 2


def test_a_judge_with_an_unknown_model_is_an_error_of_its_probes(bench: Bench, workers: list[str]) -> None:
    """The sentence names the model; other files run."""
    bench.suite("What does the kettle cost?")
    bench.write("judges/second_opinion.py", "class judge:\n    def __init__(self, target): ...\n")
    bench.write(
        "suites/small/kind.yaml",
        "probes: [{id: q, prompt: Hm?, judges: [{use: second_opinion, model: nobody}]}]\n",
    )

    result = bench.run("suites/small", *workers)

    assert result.parseoutcomes()["errors"] >= 1
    assert result.ret == 1
    assert "nobody" in result.stdout.str()
