"""The plans of a suite.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.reading.build import SuiteReading, read_suite
from evalkit.sampling_plan import SamplePlan
from evalkit.workspace import Workspace

PROBE = "probes: [{prompt: Who?, expect: {contains: I}}]\n"


def read(tmp_path: Path, plans: str) -> SuiteReading:
    folder = tmp_path / "suites" / "bank"
    folder.mkdir(parents=True)
    (folder / "suite.yaml").write_text(plans, encoding="utf-8")
    (folder / "a.yaml").write_text(PROBE, encoding="utf-8")
    return read_suite(folder, Workspace(tmp_path))


def test_the_three_forms_are_read(tmp_path: Path) -> None:
    """Counts as written, shares divided, so many of each."""
    reading = read(
        tmp_path,
        "plans:\n"
        "  counted: {draw: {B: 2, A: 1, C: 0}, seed: 7, why: a reason}\n"
        "  shared: {shares: {A: 3, B: 1}, total: 10}\n"
        "  smoke: {each: 2}\n",
    )

    assert reading.settings.plans == (
        SamplePlan("counted", (("B", 2), ("A", 1)), seed=7, why="a reason"),
        SamplePlan("shared", (("A", 8), ("B", 2))),
        SamplePlan("smoke", each=2),
    )


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (
            "{each: 2, draw: {A: 1}}",
            "$.plans.p: expected one of draw, shares and each in a plan, found draw and each. Write one.",
        ),
        ("{seed: 2}", "$.plans.p: expected one of draw, shares and each in a plan, found none of them. Write one."),
        (
            "{shares: {A: 1}}",
            "$.plans.p: expected total where shares are, and nowhere else. Write total: 300 beside shares.",
        ),
        (
            "{each: 1, total: 4}",
            "$.plans.p: expected total where shares are, and nowhere else. Write total: 300 beside shares.",
        ),
        ("{draw: {A: -1}}", "$.plans.p: expected no negative number in draw, found -1 for A. Correct it."),
        (
            "{draw: {A: 0}}",
            "$.plans.p: expected a number above 0 in draw, found none. Correct them, or remove the plan.",
        ),
        ("{each: 0}", "$.plans.p.each: expected at least 1, found 0."),
        ("{draws: {A: 1}}", "$.plans.p.draws: unknown key 'draws'. Did you mean 'draw'?"),
    ],
)
def test_a_wrong_plan_is_told(tmp_path: Path, plan: str, message: str) -> None:
    """Where, what was found, what to write."""
    reading = read(tmp_path, f"plans:\n  p: {plan}\n")

    assert [str(problem) for file in reading.files for problem in file.problems] == [
        f"suites/bank/suite.yaml:2: {message}"
    ]
