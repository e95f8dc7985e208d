"""What gates do to the exit status, through real pytest processes, and decided again by ``evalkit gate``."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.slow

T = "one:fp32:naked:greedy"


def gates(bench: Bench, *rules: str) -> None:
    """suite.yaml with these gates; three probes that pass and one that fails."""
    bench.write("suites/small/suite.yaml", "gates:\n" + "".join(f"  - {{{rule}}}\n" for rule in rules))
    bench.suite("One?", "Two?", "Three?")
    bench.suite("Four?", name="suites/small/second.yaml", contains="lighthouse")


def evalkit(bench: Bench, *words: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [sys.executable, "-m", "evalkit", *words], cwd=bench.root, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def flat(text: str) -> str:
    """Without the line breaks and indents of folded sentences."""
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("rule", "status", "shown", "decision"),
    [
        ("name: g, metric: pass_rate, at_least: 0.7", 0,
         f"ok g: pass rate of {T} is 75.0 % (3 of 4 scored trials, 95 % interval 30.1 to 95.4 %), at least 70 % wanted",
         "small: gates hold: 1 failing probe is within the allowance"),
        ("name: g, metric: pass_rate, at_least: 0.9", 1,
         f"BREACHED g: pass rate of {T} is 75.0 % (3 of 4 scored trials, 95 % interval 30.1 to 95.4 %), at least 90 % "
         "wanted",
         "small: gates breached: g"),
        ("name: g, metric: pass_rate, at_least: 0.9, fail_below: 0.5", 0,
         f"WARNING g: pass rate of {T} is 75.0 % (3 of 4 scored trials, 95 % interval 30.1 to 95.4 %), at least 90 % "
         "wanted, below 50 % fails",
         "small: gates hold: 1 failing probe is within the allowance; with a warning: g"),
        ("name: g, metric: pass_rate, at_least: 0.7, min_n: 30", 1,
         f"not decided g: pass rate of {T}: 4 scored trials, min_n wants 30",
         "small: gates undecided: g"),
        ("name: g, metric: pass_rate, at_least: 0.7, min_n: 30, undecided: warn", 1,
         f"not decided g: pass rate of {T}: 4 scored trials, min_n wants 30",
         "small: gates undecided: g, as they may be; 1 failing probe"),
        ("name: g, metric: pass_rate, at_least: 0.7, target: 'gemma*'", 1,
         "small: 1 failing probe; its gates apply to no target of this run",
         "small: 1 failing probe; its gates apply to no target of this run"),
    ],
    ids=["held", "breached", "warned", "undecided", "undecided, may warn", "not applicable"],
)  # fmt: skip
def test_gates_decide(bench: Bench, workers: list[str], rule: str, status: int, shown: str, decision: str) -> None:
    """Each outcome with its exit status and its sentences."""
    gates(bench, rule)
    result = bench.run("suites/small", *workers)

    output = flat("\n".join(result.outlines))
    assert result.ret == status
    assert shown in output
    assert decision in output
    later, again, _ = evalkit(bench, "gate", "latest")
    if "apply to no target" not in decision:
        assert later == status
        assert shown in flat(again)
        assert decision in flat(again)


def test_an_undecided_gate_that_may_warn_leaves_the_others_to_decide(bench: Bench, workers: list[str]) -> None:
    """Exit 0, and both are named."""
    gates(
        bench, "name: g, metric: pass_rate, at_least: 0.7",
        "name: many, metric: pass_rate, at_least: 0.7, min_n: 30, undecided: warn",
    )  # fmt: skip

    result = bench.run("suites/small", *workers)

    assert result.ret == 0
    assert "small: gates hold: 1 failing probe is within the allowance; undecided, as it may be: many" in flat(
        "\n".join(result.outlines)
    )


def test_a_fragment_decides_nothing(bench: Bench, workers: list[str]) -> None:
    """pytest's own status stands; decided later, a fragment is undecided too, and that is 1."""
    gates(bench, "name: g, metric: pass_rate, at_least: 1")

    result = bench.run("suites/small", "-k", "first", *workers)

    assert result.ret == 0
    output = flat("\n".join(result.outlines))
    assert "not decided g: 3 of 4 selected" in output
    assert "small: gates not decided: 3 of 4 selected; pytest's own status stands" in output
    status, shown, _ = evalkit(bench, "gate", "latest")
    assert status == 1
    assert "not decided g: 3 of 4 selected" in flat(shown)


def test_all_unscored_is_red_whatever_the_gates_say(bench: Bench, workers: list[str]) -> None:
    """The gate cannot be measured, and nothing was scored."""
    bench.write("suites/small/suite.yaml", "gates: [{name: g, metric: pass_rate, at_least: 0}]\n")
    bench.write("judges/shy.py", "from evalkit.verdict import Verdict\n\n\ndef judge(case):\n"
                "    return Verdict('shy', 'unscored', 'it will not say')\n")  # fmt: skip
    bench.write("suites/small/first.yaml", "probes: [{id: q, prompt: Who goes there?, judges: [shy]}]\n")
    bench.record("Who goes there?", "Only the wind, as far as I can tell.")

    result = bench.run("suites/small", *workers)

    assert result.ret == 1
    output = flat("\n".join(result.outlines))
    assert (
        f"not decided g: not measurable: pass rate of {T} divides by scored trials, found 0 of 1; at least 0 % wanted"
    ) in output
    assert "small: nothing was scored: 0 of 1 trial" in output
    assert "small: gates undecided: g" in output
    assert evalkit(bench, "gate", "latest")[0] == 1


AGAINST = "name: no worse, metric: pass_rate, against: baseline, margin: 1"


def test_a_missing_baseline_is_undecided(bench: Bench, workers: list[str]) -> None:
    """Exit 1 with the command that writes one; after it, 0."""
    gates(bench, AGAINST)

    result = bench.run("suites/small", *workers)

    assert result.ret == 1
    output = flat("\n".join(result.outlines))
    assert (
        f"not decided no worse: pass rate of {T}: There is no baseline 'main' (reports/baselines/main.json). Write it "
        "with: evalkit baseline latest main"
    ) in output
    assert "small: gates undecided: no worse" in output

    assert evalkit(bench, "baseline", "latest", "main")[0] == 0
    again = bench.run("suites/small", *workers)
    assert again.ret == 0
    assert (
        f"ok no worse: pass rate of {T} against baseline main: HELD, 75.0 % to 75.0 %, 0.0 points [−49.0, 49.0], "
        "0 worse and 0 better of 4, p 1.00; margin 100 points"
    ) in flat("\n".join(again.outlines))


def test_another_baseline_can_be_named(bench: Bench) -> None:
    """By its name or its file, on pytest's command line and on evalkit's; a gate that names its own keeps it."""
    gates(bench, AGAINST, "name: since spring, metric: pass_rate, against: 'baseline:spring', margin: 1")
    bench.run("suites/small")
    evalkit(bench, "baseline", "latest", "spring")

    assert bench.run("suites/small").ret == 1
    assert bench.run("suites/small", "--eval-baseline", "spring").ret == 0
    assert bench.run("suites/small", "--eval-baseline", "reports/baselines/spring.json").ret == 0
    assert evalkit(bench, "gate", "latest")[0] == 1
    assert evalkit(bench, "gate", "latest", "--baseline", "spring")[0] == 0


def test_a_changed_judge_is_incomparable(bench: Bench, workers: list[str]) -> None:
    """Exit 1: whether the model got worse, the data cannot say."""
    bench.write("suites/small/suite.yaml", f"gates: [{{{AGAINST}}}]\n")
    bench.write("judges/kind.py", "def judge(case):\n    return True\n")
    bench.write("suites/small/first.yaml", "probes: [{id: q, prompt: Who goes there?, judges: [kind]}]\n")
    bench.record("Who goes there?", "Only the wind, as far as I can tell.")
    bench.run("suites/small")
    evalkit(bench, "baseline", "latest")
    bench.write("judges/kind.py", "def judge(case):\n    return len(case.answers) > 0\n")

    result = bench.run("suites/small", *workers)

    assert result.ret == 1
    output = flat("\n".join(result.outlines))
    assert (
        f"not decided no worse: pass rate of {T} against baseline main: INCOMPARABLE: judge kind is another (" in output
    )
    assert "small: gates undecided: no worse" in output


def test_a_corrupt_baseline_leaves_the_results(bench: Bench, workers: list[str]) -> None:
    """Exit 1 with a sentence that names the file; everything that was measured is written and stored."""
    gates(bench, AGAINST, "name: g, metric: pass_rate, at_least: 0.7")
    bench.write("reports/baselines/main.json", '{"format": 2,\n "trials": [')

    result = bench.run("suites/small", *workers)

    assert result.ret == 1
    output = flat("\n".join(result.outlines))
    assert (
        f"not decided no worse: pass rate of {T}: reports/baselines/main.json:2: is no JSON (Expecting value). Restore "
        "it from version control. Write it again with: evalkit baseline RUN main ok g: pass rate"
    ) in output
    assert "small: gates undecided: no worse" in output
    assert len(bench.results()) == 4
    assert evalkit(bench, "gate", "latest")[0] == 1


def test_a_gate_file_with_a_mistake_is_red_and_keeps_the_results(bench: Bench) -> None:
    """Its line is told."""
    bench.suite("One?")
    bench.write("more.yaml", "gates: [{name: g, suite: small, metric: pass_rate}]\n")

    result = bench.run("suites/small", "--eval-gates", "more.yaml")

    assert result.ret == 1
    assert (
        "more.yaml:1: $.gates[0]: gate 'g' asks for nothing. Add at_least, above, at_most, below or equals."
    ) in flat("\n".join(result.outlines))
    assert len(bench.results()) == 1


def test_the_chance_of_a_false_red_is_printed(bench: Bench) -> None:
    """In the terminal and in summary.md, over the gates that hold."""
    gates(bench, "name: g, metric: pass_rate, at_least: 0.5", "name: h, metric: error_rate, at_most: 0")

    result = bench.run("suites/small")

    sentence = (  # binom.cdf(1, 4, 0.75) = 0.0508
        "chance of a false red: up to about 5.1 % that the same models, run again, turn one of the 2 gates that hold "
        "red (an approximation: trials as if drawn anew, gates as if independent)"
    )
    assert sentence in flat("\n".join(result.outlines))
    [folder] = (bench.root / "reports/out").iterdir()
    assert sentence in (folder / "summary.md").read_text(encoding="utf-8")
    assert sentence in flat(evalkit(bench, "gate", str((folder / "results.jsonl").relative_to(bench.root)))[1])
