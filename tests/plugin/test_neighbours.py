"""evalkit beside other plugins, other people's options, and runs that have nothing to do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.slow


def test_it_lives_beside_a_conftest_with_its_own_options(bench: Bench, workers: list[str]) -> None:
    """--model --target --limit --seed --baseline belong to the user."""
    bench.suite("What does the kettle cost?")
    bench.write(
        "conftest.py",
        "def pytest_addoption(parser):\n    for name in ('model', 'target', 'limit', 'seed', 'baseline'):\n"
        "        parser.addoption(f'--{name}', default='theirs')\n",
    )

    bench.run("suites/small", "--model", "x", "--seed", "3", "--limit", "9", *workers).assert_outcomes(passed=1)


def test_random_order_changes_no_result(bench: Bench, workers: list[str]) -> None:
    """pytest-randomly shuffles the items; plan and answers stay the same."""
    pytest.importorskip("pytest_randomly")
    bench.suite(*(f"Question number {number}?" for number in range(9)))
    seen = []
    for seed in ("1", "2"):
        options = ["--eval-fresh", f"--randomly-seed={seed}", *workers]
        result = bench.pytester.runpytest_subprocess("suites/small", *options)
        result.assert_outcomes(passed=9)
        seen.append([{key: value for key, value in line.items() if key != "run"} for line in bench.results()])

    assert seen[0] == seen[1]


def test_reruns_keep_one_record(bench: Bench) -> None:
    """pytest-rerunfailures repeats an item; its trial counts once."""
    pytest.importorskip("pytest_rerunfailures")
    bench.suite("Where is the lamp?", contains="lighthouse")

    result = bench.run("suites/small", "--reruns", "2")

    assert result.parseoutcomes() == {"failed": 1, "rerun": 2}
    assert len(bench.results()) == 1


def test_waiting_is_not_counted_by_a_timeout(bench: Bench, workers: list[str]) -> None:
    """A judge's question that takes longer than --timeout is waited for outside the clock of pytest-timeout."""
    pytest.importorskip("pytest_timeout")
    bench.suite(*(f"Question number {number}?" for number in range(4)))
    bench.write(
        "judges/slow.py",
        "import select\nfrom evalkit.verdict import Verdict\n\n\nclass Slow:\n    name = 'slow'\n\n"
        "    def ask(self, case, replies):\n        select.select([], [], [], 3.5)\n        return ()\n\n"
        "    def read(self, case, replies):\n        return Verdict('slow', 'pass', 'well')\n\n\njudge = Slow()\n",
    )
    bench.write("suites/small/slow.yaml", "probes: [{id: s, prompt: Slowly?, judges: [slow]}]\n")
    bench.record("Slowly?", "As slowly as you like, my friend.")

    result = bench.run("suites/small", "--timeout", "3", *workers)

    result.assert_outcomes(passed=5)


def test_an_unrelated_run_loads_nothing(bench: Bench) -> None:
    """Without a probe neither torch nor pydantic nor YAML is imported, and no state is made."""
    bench.write(
        "test_ordinary.py",
        "import sys\n\ndef test_it():\n    heavy = {'torch', 'transformers', 'pydantic', 'yaml', 'evalkit.host'}\n"
        "    assert not heavy & set(sys.modules)\n",
    )

    bench.run("test_ordinary.py").assert_outcomes(passed=1)

    assert not (bench.root / ".evalkit").exists()


def test_junit_has_target_and_verdict(bench: Bench, workers: list[str]) -> None:
    """user_properties hold score, verdict and target, no texts."""
    bench.suite("What does the kettle cost?")

    bench.run("suites/small", "--junitxml=junit.xml", *workers)

    text = (bench.root / "junit.xml").read_text()
    assert '<property name="evalkit_target" value="one:fp32:naked:greedy"' in text
    assert '<property name="evalkit_verdict" value="pass"' in text
    assert "price list" not in text
