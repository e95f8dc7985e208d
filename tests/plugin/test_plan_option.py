"""--eval-plan runs a seeded sample of a suite."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Bench

SUITE = """\
plans:
  few: {each: 1, seed: 5, why: quick}
  many: {draw: {first: 9}}
gates:
  - {name: mostly, metric: pass_rate, at_least: 0.5}
"""


def sampled(bench: Bench) -> None:
    """Two categories of two probes, and a gate."""
    bench.suite("What is the price?", "Where is the lamp?")
    bench.suite("Who has the key?", "When do you close?", name="suites/small/second.yaml")
    bench.write("suites/small/suite.yaml", SUITE)


def test_a_plan_runs_its_sample_and_says_so(bench: Bench, workers: list[str]) -> None:
    """One probe of each category at any number of workers; the gate is decided, as the whole plan ran."""
    sampled(bench)

    result = bench.run("suites/small", "--eval-plan", "few", *workers)

    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "weighting: all counts every trial the same; mean of the 2 categories *",
            "ok *mostly: *",
            "plan *plan few of small: 2 of 4 probes (first 1, second 1), seed 5, ids*",
        ]
    )
    assert [line["probe"] for line in bench.results()] == ["first-0", "second-0"]


def test_the_drawn_ids_are_stored(bench: Bench) -> None:
    """With the seed and a digest, so that the same probes can be run again."""
    sampled(bench)

    bench.run("suites/small", "--eval-plan", "few")

    with closing(sqlite3.connect(bench.root / ".evalkit" / "store.sqlite3")) as store:
        (facts,) = store.execute("SELECT facts FROM runs").fetchone()
    plan = json.loads(facts)["plans"]["small"]
    assert (plan["name"], plan["seed"], plan["ids"]) == ("few", 5, ["first-0", "second-0"])


def test_a_part_of_a_plan_decides_no_gate(bench: Bench) -> None:
    """-k on top of a plan is a part of it."""
    sampled(bench)

    result = bench.run("suites/small", "--eval-plan", "few", "-k", "first")

    result.stdout.fnmatch_lines(["*mostly: 1 of 2 selected*"])


def test_an_unknown_plan_ends_the_run_before_it_begins(bench: Bench, workers: list[str]) -> None:
    """Exit 4 and one sentence."""
    sampled(bench)

    result = bench.run("suites", "--eval-plan", "fex", *workers)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: The suite small has no sample plan 'fex'. Its plans are: few, many."])


def test_a_plan_that_wants_too_much_is_an_error(bench: Bench) -> None:
    """The sentence stands at each file, and the run fails."""
    sampled(bench)

    result = bench.run("suites/small", "--eval-plan", "many")

    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*The plan 'many' of suite small draws 9 probes of first, and 2 can be run.*"])
