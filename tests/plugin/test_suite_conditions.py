"""A suite with conditions of its own runs every target under each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Bench

ASKED = {"role": "user", "content": "What is the price?"}


@pytest.mark.slow
def test_a_suite_runs_under_its_conditions(bench: Bench, workers: list[str]) -> None:
    """Naked and the kernel without any option; one condition where the command line says so; other suites as ever."""
    bench.suite("What is the price?")
    bench.suite("What is the weight?", name="suites/other/second.yaml")
    bench.write("suites/small/suite.yaml", "conditions: [naked, calm=_data/calm.txt]\n")
    bench.write("suites/small/_data/calm.txt", "Stay calm.\n")
    kernel = {"role": "system", "content": "Stay calm."}
    bench.say([kernel, ASKED], "Please check.", "one:fp32:calm:greedy")

    both = bench.run("suites", *workers)
    labels = [str(line["target"]) for line in bench.results()]
    one = bench.run("suites/small", "--eval-condition", "naked", *workers)

    both.assert_outcomes(passed=3)
    assert sorted(labels) == ["one:fp32:calm:greedy", "one:fp32:naked:greedy", "one:fp32:naked:greedy"]
    both.stdout.fnmatch_lines(["one:fp32:naked:greedy (subject)", "one:fp32:calm:greedy (subject)"])
    one.assert_outcomes(passed=1)
