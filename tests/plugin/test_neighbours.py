"""evalkit beside other plugins, other people's options, and runs that have nothing to do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.slow

SLOW = """\
import pathlib
import select

from evalkit.verdict import Verdict


class Slow:
    name = "slow"

    def ask(self, case, replies):
        while not pathlib.Path({order!r}).exists():  # until the first probe is about to begin
            select.select([], [], [], 0.01)
        select.select([], [], [], 1.0)
        with open({order!r}, "a") as order:
            order.write("answered ")
        return ()

    def read(self, case, replies):
        return Verdict("slow", "pass", "well")


judge = Slow()
"""
CLOCK = """\
import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop():
    open({order!r}, "a").close()


def pytest_timeout_set_timer(item, settings):
    with open({order!r}, "a") as order:
        order.write("timed ")
    return True


def pytest_timeout_cancel_timer(item):
    return True
"""


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
    """The clock of pytest-timeout begins for no probe before the slow question of a judge is over for all."""
    pytest.importorskip("pytest_timeout")
    order = bench.root / "order.txt"
    bench.suite(*(f"Question number {number}?" for number in range(4)))
    bench.write("judges/slow.py", SLOW.format(order=str(order)))
    bench.write("conftest.py", CLOCK.format(order=str(order)))
    bench.write("suites/small/slow.yaml", "probes: [{id: s, prompt: Slowly?, judges: [slow]}]\n")
    bench.record("Slowly?", "As slowly as you like, my friend.")

    result = bench.run("suites/small", "--timeout", "3", *workers)

    result.assert_outcomes(passed=5)
    assert order.read_text().split() == ["answered", *["timed"] * 5]


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
