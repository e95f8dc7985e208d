"""How often Python looks for garbage while suites run: rarely, and afterwards as before."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from evalkit.reading.garbage import rare_garbage_search

if TYPE_CHECKING:
    from conftest import Bench

WATCH = """\
import gc, pathlib

def note(word):
    with pathlib.Path("seen.txt").open("a") as file:
        file.write(f"{word} {gc.get_threshold()[2]} {gc.isenabled()}\\n")

def pytest_runtest_teardown(item):
    note("running")

def pytest_unconfigure(config):
    note("over")
"""


def test_the_thresholds_come_back_whatever_happens() -> None:
    """Also where the run breaks off."""
    before = gc.get_threshold()
    seen = []

    def interrupted() -> None:
        with rare_garbage_search():
            seen.append(gc.get_threshold())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert seen == [(*before[:2], 10 * before[2])]
    assert gc.get_threshold() == before


@pytest.mark.parametrize(("named", "factor"), [("suites/small", 10), ("test_own.py", 1)])
def test_a_run_of_suites_searches_rarely(named: str, factor: int, bench: Bench) -> None:
    """Somebody's tests alone run as without evalkit; the search itself is never off while anything runs."""
    bench.suite("Where is the lamp?")
    bench.write("test_own.py", "def test_own():\n    pass\n")
    bench.write("conftest.py", WATCH)

    bench.run(named).assert_outcomes(passed=1)

    usual = gc.get_threshold()[2]
    lines = (bench.root / "seen.txt").read_text(encoding="utf-8").splitlines()
    assert lines == [f"running {usual * factor} True", f"over {usual} True"]
