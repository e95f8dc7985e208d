"""``evalkit baseline`` on real runs."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.slow


def evalkit(bench: Bench, *arguments: str) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "evalkit", *arguments]
    done = subprocess.run(command, cwd=bench.root, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout, done.stderr


def test_a_finished_run_becomes_a_file(bench: Bench) -> None:
    """Every trial's outcome, judges and answers are in it, and no text."""
    bench.suite("What does the kettle cost?")
    bench.suite("Where is the lamp?", name="suites/small/second.yaml", contains="lighthouse")
    bench.run("suites/small")

    status, output, _ = evalkit(bench, "baseline", "latest", "first")

    assert (status, output.split(": run ")[0]) == (0, "wrote reports/baselines/first.json")
    text = (bench.root / "reports/baselines/first.json").read_text()
    trials = json.loads(text)["trials"]
    assert [(trial["trial"].split("::")[1], trial["outcome"]) for trial in trials] == [
        ("first-0[one:fp32:naked:greedy]", "pass"),
        ("second-0[one:fp32:naked:greedy]", "fail"),
    ]
    assert all(len(trial["generations"]) == 1 and set(trial["judges"]) == {"degeneration", "text"} for trial in trials)
    assert "price list" not in text


def test_a_demo_run_is_refused(bench: Bench) -> None:
    """Its numbers mean nothing."""
    targets = (bench.root / "fixtures/targets.yaml").read_text()
    bench.write("fixtures/targets.yaml", targets.replace("one: {path: model}", "one: {path: model, demo: true}"))
    bench.suite("What does the kettle cost?")
    bench.run("suites/small")
    [run] = [folder.name for folder in (bench.root / "reports/out").iterdir()]

    status, _, error = evalkit(bench, "baseline", run)

    sentence = f"Run {run} cannot be a baseline. DEMO MODEL: its numbers mean nothing. Run your own model first.\n"
    assert (status, error) == (2, sentence)
    assert not (bench.root / "reports/baselines").exists()


def test_what_cannot_be_a_baseline_says_why(bench: Bench) -> None:
    """No run, no such run, a run with errors."""
    bench.write("suites/small/lost.yaml", "probes: [{id: q, prompt: Never recorded?, expect: {contains: x}}]\n")

    status, _, error = evalkit(bench, "baseline", "latest")
    assert (status, error) == (2, f"{bench.root}: nothing was run here yet. Run pytest on a suite first.\n")

    bench.run("suites/small")
    [run] = [folder.name for folder in (bench.root / "reports/out").iterdir()]
    status, _, error = evalkit(bench, "baseline", "latest")
    sentence = f"Run {run} cannot be a baseline: 1 of 1 trials are errors. Run the same command again first.\n"
    assert (status, error) == (2, sentence)

    status, _, error = evalkit(bench, "baseline", "other")
    assert (status, error) == (2, "There is no run 'other'. See: evalkit list runs\n")
