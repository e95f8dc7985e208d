"""The exit status of the design, through real pytest processes."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.slow
GATED = "title: Small\ngates:\n  - {name: mostly, metric: pass_rate, at_least: %s}\n"


def gated(bench: Bench, at_least: float) -> None:
    """Two probes, one failing, under a gate on the pass rate."""
    bench.write("suites/small/suite.yaml", GATED % at_least)
    bench.suite("What does the kettle cost?")
    bench.suite("Where is the lamp?", name="suites/small/second.yaml", contains="lighthouse")


def test_gates_that_hold_forgive_failing_probes(bench: Bench, workers: list[str]) -> None:
    """Exit 0, and it says why."""
    gated(bench, 0.5)

    result = bench.run("suites/small", *workers)

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*gates hold: 1 failing probe is within the allowance*"])
    assert result.ret == 0


def test_a_breached_gate_fails_the_run(bench: Bench, workers: list[str]) -> None:
    """Exit 1."""
    gated(bench, 0.9)

    assert bench.run("suites/small", *workers).ret == 1


@pytest.mark.parametrize("options", [["-k", "second"], ["--eval-limit", "1"], ["suites/small/second.yaml"]])
def test_a_part_of_the_plan_decides_no_gate(bench: Bench, options: list[str]) -> None:
    """With a selection pytest's own status stands, and the gate says how much was selected."""
    gated(bench, 0.0)

    result = bench.run(*([] if options[0].startswith("suites") else ["suites/small"]), *options)

    result.stdout.fnmatch_lines(["*not decided: 1 of 2 selected*"])
    assert result.ret == (0 if "--eval-limit" in options else 1)


def test_ordinary_tests_count_as_ever(bench: Bench, workers: list[str]) -> None:
    """A failing ordinary test makes 1 although every gate holds."""
    gated(bench, 0.5)
    bench.write("test_ordinary.py", "def test_it(): assert False\n")

    result = bench.run("suites/small", "test_ordinary.py", *workers)

    result.assert_outcomes(passed=1, failed=2)
    assert result.ret == 1


def test_an_error_fails_the_run_whatever_the_gates_say(bench: Bench, workers: list[str]) -> None:
    """A broken file is an ERROR, and 1."""
    gated(bench, 0.0)
    bench.write("suites/small/broken.yaml", "probes: [{prompt: 3}]\n")

    result = bench.run("suites/small", *workers)

    result.assert_outcomes(passed=1, failed=1, errors=1)
    assert result.ret == 1


def test_everything_unscored_fails_the_run(bench: Bench, workers: list[str]) -> None:
    """An abstaining judge skips every trial; a suite of which nothing was scored gives 1."""
    bench.write("judges/shy.py", "from evalkit.verdict import Verdict\n\n\ndef judge(case):\n"
                "    return Verdict('shy', 'unscored', 'it will not say')\n")  # fmt: skip
    bench.write("suites/small/first.yaml", "probes: [{id: q, prompt: Who goes there?, judges: [shy]}]\n")
    bench.record("Who goes there?", "Only the wind, as far as I can tell.")

    result = bench.run("suites/small", "-rs", *workers)

    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*unscored: shy: it will not say*"])
    assert result.ret == 1


def test_too_many_unscored_fail_the_run(bench: Bench) -> None:
    """--eval-max-unscored moves the limit."""
    bench.write("judges/shy.py", "from evalkit.verdict import Verdict\n\n\ndef judge(case):\n"
                "    return Verdict('shy', 'unscored', 'it will not say')\n")  # fmt: skip
    bench.suite("What does the kettle cost?")
    bench.write("suites/small/other.yaml", "probes: [{id: q, prompt: Who goes there?, judges: [shy]}]\n")
    bench.record("Who goes there?", "Only the wind, as far as I can tell.")

    assert bench.run("suites/small").ret == 1
    assert bench.run("suites/small", "--eval-max-unscored", "0.5").ret == 0


def test_stopping_at_the_first_failure(bench: Bench, workers: list[str]) -> None:
    """-x stops, decides no gate, and keeps pytest's status: 1, or 2 under xdist."""
    gated(bench, 0.0)
    questions = [f"Question number {number}?" for number in range(20)]
    bench.suite(*questions, name="suites/small/third.yaml", contains="nope")

    result = bench.run("suites/small", "-x", *workers)

    assert result.ret == (2 if workers == ["-n2"] else 1)
    result.stdout.fnmatch_lines(["*not decided: *"])


def test_reference_targets_are_expected_to_misbehave(bench: Bench, workers: list[str]) -> None:
    """Their failing probes are xfailed and never fail the run."""
    targets = (bench.root / "fixtures/targets.yaml").read_text()
    bench.write("fixtures/targets.yaml", targets.replace("engine: stored}", "engine: stored, role: reference}"))
    bench.suite("Where is the lamp?", contains="lighthouse")
    bench.suite("What does the kettle cost?", name="suites/small/second.yaml")

    result = bench.run("suites/small", *workers)

    result.assert_outcomes(xfailed=1, passed=1)
    assert result.ret == 0


def test_no_tests_is_pytests_five(bench: Bench) -> None:
    """An empty selection keeps pytest's own status."""
    bench.suite("What does the kettle cost?")

    assert bench.run("suites/small", "-k", "nothing").ret == 5


def test_strict_files_end_the_run_before_anything_is_generated(bench: Bench, workers: list[str]) -> None:
    """With --eval-strict-files the broken file's ERROR is all that runs."""
    gated(bench, 0.0)
    bench.write("suites/small/broken.yaml", "probes: [{prompt: 3}]\n")

    result = bench.run("suites/small", "--eval-strict-files", *workers)

    result.assert_outcomes(errors=1, deselected=0 if workers == ["-n2"] else 2)
    assert result.ret == 1
    assert not (bench.root / ".evalkit").exists()
    result.stdout.fnmatch_lines(["*suites/small/broken.yaml:1: $.probes[[]0[]].prompt: expected text, found 3*"])


def finished_trials(bench: Bench) -> int:
    """How many trials the controller has recorded so far."""
    store = bench.root / ".evalkit" / "store.sqlite3"
    if not store.exists():
        return 0
    connection = sqlite3.connect(store)
    try:
        return int(connection.execute("SELECT count(*) FROM trials").fetchone()[0])
    except sqlite3.OperationalError:  # the tables are being made
        return 0
    finally:
        connection.close()


@pytest.mark.parametrize("workers", [[], ["-n2"]], ids=["bare", "n2"])
def test_interrupting_keeps_what_there_is(bench: Bench, workers: list[str]) -> None:
    """Ctrl-C gives 2, in good time, and the finished trials are in the reports."""
    bench.suite("What does the kettle cost?")
    bench.write(
        "suites/small/zz_wait.yaml",
        "probes:\n" + "".join(f"  - {{id: w{n}, prompt: Wait {n}?, judges: [waits]}}\n" for n in range(6)),
    )
    for number in range(6):
        bench.record(f"Wait {number}?", "As you wish, I shall wait here.")
    bench.write(
        "judges/waits.py",
        "import pathlib, select\n\n\ndef judge(case):\n    pathlib.Path('waiting').touch()\n"
        "    select.select([], [], [], 60)\n    return True\n",
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", "-p", "no:randomly", "suites/small", *workers],
        cwd=bench.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        # A job that a shell put into the background ignores Ctrl-C, and so would everything it starts.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    with process:
        while not (finished_trials(bench) and (bench.root / "waiting").exists()) and process.poll() is None:
            os.sched_yield()
        os.killpg(process.pid, signal.SIGINT)
        output = process.communicate(timeout=300)[0]

    assert process.returncode == 2, output
    assert any(line["outcome"] == "pass" for line in bench.results())
