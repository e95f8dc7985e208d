"""``evalkit gate`` on files: results, baselines, rows of scores."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Command

Write = Callable[[str, str], Path]
DATA = Path(__file__).parents[3] / "shared" / "data"
TRAINING_GATES = Path(__file__).parents[2] / "suites" / "lek_p21" / "_data" / "training_gates.yaml"
GATES = "gates:\n  - {name: enough, suite: lek, metric: mean_score, at_least: 5, fail_below: 3}\n"
T = "m:stored:naked:stored"


def lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def row(probe: str, score: float | None, **more: Any) -> dict[str, Any]:
    return {"probe": probe, "target": "m", "judge": "v2", "score": score, **more}


def result(probe: str, outcome: str, **more: Any) -> dict[str, Any]:
    return {
        "demo": False, "trial": f"suites/lek/a.yaml::{probe}[m:fp32:naked:greedy]", "suite": "lek",
        "file": "suites/lek/a.yaml", "line": 1, "probe": probe, "category": "A", "target": "m:fp32:naked:greedy",
        "outcome": outcome, "reason": "", "verdicts": [], **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("scores", "status", "mark"), [((5.0, 6.0), 0, "ok"), ((4.0, 4.0), 0, "WARNING"), ((1.0, 4.0), 1, "BREACHED")]
)
def test_rows_of_scores(evalkit: Command, write: Write, scores: tuple[float, float], status: int, mark: str) -> None:
    """Rows that name no suite are of the gates' suite; no workspace is needed."""
    write("s.jsonl", lines(row("a", scores[0]), row("b", scores[1])))
    write("g.yaml", GATES)

    done = evalkit("gate", "s.jsonl", "--gates", "g.yaml")

    assert (done.status, done.err) == (status, "")
    mean = sum(scores) / 2
    assert f"{mark} enough: mean score of {T} is {mean:.2f} (2 trials with a score, " in " ".join(done.out.split())


def test_the_result_as_json(evalkit: Command, write: Write) -> None:
    """Everything that is printed, and the numbers behind it."""
    write("s.jsonl", lines(row("a", 1.0), row("b", 4.0)))
    write("g.yaml", GATES)

    plain = json.loads(evalkit("gate", "s.jsonl", "--gates", "g.yaml", "--json").out)

    assert plain == {
        "source": "s.jsonl", "status": 1, "demo": False, "sentences": [], "false_red": "", "note": "",
        "gates": [
            {
                "name": "enough", "suite": "lek", "metric": "mean_score", "source": "g.yaml:2", "outcome": "fail",
                "blocks": True, "target": T, "measured": 2.5, "low": pytest.approx(-16.559, abs=1e-3),
                "high": pytest.approx(21.559, abs=1e-3), "n": 2, "false_red": None,
                "sentence": f"mean score of {T} is 2.50 (2 trials with a score, 95 % interval −16.56 to 21.56), "
                "at least 5 wanted, below 3 fails",
            }
        ],
    }  # fmt: skip


def test_what_judge_writes_can_be_gated(evalkit: Command, write: Write) -> None:
    """Its verdicts count as outcomes, its flags as flags; a second row of an answer is another judge's or a sample."""
    verdict = {"outcome": "pass", "flags": [], "signals": {}, "labels": {}, "reason": "r", "answer": "x"}
    write(
        "v.jsonl",
        lines(
            {"id": "a", "judge": "behaviour", "score": None, **verdict},
            {"id": "a", "judge": "degeneration", "score": None, **verdict, "outcome": "fail", "flags": ["collapsed"]},
            {"id": "b", "judge": "behaviour", "score": None, **verdict},
            {"id": "b", "judge": "degeneration", "score": None, **verdict},
            {"id": "b", "judge": "behaviour", "score": None, **verdict, "outcome": "unscored"},
        ),
    )
    write(
        "g.yaml",
        "gates:\n  - {name: p, suite: s, metric: pass_rate, at_least: 1}\n"
        "  - {name: c, suite: s, metric: count, flag: collapsed, at_most: 0}\n",
    )

    plain = json.loads(evalkit("gate", "v.jsonl", "--gates", "g.yaml", "--json").out)

    assert [(one["outcome"], one["measured"], one["n"]) for one in plain["gates"]] == [
        ("fail", 0.5, 2), ("fail", 1.0, 3),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"judge": "j", "score": 1}\n', "s.jsonl:1: $: the key 'probe' is missing. Add it."),
        ('{"probe": "p", "score": 1}\n', "s.jsonl:1: $: the key 'judge' is missing. Add it."),
        ('{"probe": "p", "judge": "j", "score": "1"}\n',
         "s.jsonl:1: $.score: expected a number, found the text '1'. Remove the quotes."),
        ('{"probe": "p", "judge": "j"}\n[1]\n', "s.jsonl:2: expected a JSON object, found [1]."),
        ("", "s.jsonl: the file is empty."),
        (lines(row("a", 1.0, suite="x"), row("b", 1.0)),
         "s.jsonl: rows name no suite, and the gates are about several: lek, other. Add the key suite to rows."),
        (lines(row("a", 1.0, suite="x")),
         "s.jsonl: none of 2 gates is about it, so nothing was decided."),
        (lines(result("a", "pass"), {"trial": "x"}),
         "s.jsonl:2: is no trial of a results.jsonl. Run the same command again: stored answers are kept."),
        (lines(result("a", "pass"), result("a", "pass")),
         "s.jsonl:2: the trial 'suites/lek/a.yaml::a[m:fp32:naked:greedy]' is there twice. Keep one run a file."),
    ],
)  # fmt: skip
def test_what_cannot_be_gated_says_why(evalkit: Command, write: Write, text: str, message: str) -> None:
    """Exit 2 with the place."""
    write("s.jsonl", text)
    write("g.yaml", GATES + "  - {name: o, suite: other, metric: pass_rate, at_least: 0}\n")

    done = evalkit("gate", "s.jsonl", "--gates", "g.yaml")

    assert (done.status, done.err.strip()) == (2, message)


def test_without_a_source_or_a_gate_nothing_is_decided(evalkit: Command, write: Write) -> None:
    """Exit 2 each time: green without a decision would be a lie."""
    write("s.jsonl", lines(row("a", 1.0)))

    assert evalkit("gate", "s.jsonl").err == "s.jsonl: no gate is about it. Name a file of gates with: --gates FILE\n"
    assert evalkit("gate", "t.jsonl").err == "t.jsonl: there is no such file.\n"
    done = evalkit("gate", "nothing")
    assert (done.status, done.err) == (2, "There is no run, baseline or file 'nothing'. See: evalkit list runs\n")


def test_results_and_baselines_have_the_workspaces_gates(evalkit: Command, write: Write) -> None:
    """Those of suite.yaml, of a run's file and of a baseline; a file cannot say what was planned, and that is told."""
    write("suites/lek/a.yaml", "probes: [{id: a, prompt: Why?, expect: {contains: x}}]\n")
    write("suites/lek/suite.yaml", "gates: [{name: g, metric: pass_rate, at_least: 0.5}]\n")
    write("r.jsonl", lines(result("a", "pass"), result("b", "fail")))
    kept = {name: result("a", "pass")[name] for name in ("trial", "suite", "file", "probe", "category", "target")}
    head = {"format": 2, "run": "r", "started": "2026", "command": [], "engines": {}}
    write("reports/baselines/main.json", json.dumps({**head, "trials": [{**kept, "outcome": "fail"}]}))

    of_run, of_baseline = evalkit("gate", "r.jsonl"), evalkit("gate", "main")

    assert of_run.status == 0
    assert "lek: gates hold: 1 failing probe is within the allowance" in " ".join(of_run.out.split())
    assert of_run.out.endswith(
        "note: results.jsonl does not say whether a run ran its whole plan: gates are decided as if it did\n"
    )
    assert of_baseline.status == 1
    assert " ".join(of_baseline.out.split()) == (
        "gates BREACHED g: pass rate of m:fp32:naked:greedy is 0.0 % (0 of 1 scored trial, 95 % interval 0.0 to "
        "79.3 %), at least 50 % wanted"
    )


def test_a_broken_suite_file_is_not_taken_for_one_without_gates(evalkit: Command, write: Write) -> None:
    """Exit 2 with its mistake."""
    write("suites/lek/a.yaml", "probes: [{id: a, prompt: Why?, expect: {contains: x}}]\n")
    write("suites/lek/suite.yaml", "gates: [{name: g, metric: pass_rate}]\n")
    write("r.jsonl", lines(result("a", "pass")))

    done = evalkit("gate", "r.jsonl")

    assert (done.status, done.err) == (
        2,
        "suites/lek/suite.yaml:1: $.gates[0]: gate 'g' asks for nothing. "
        "Add at_least, above, at_most, below or equals.\n",
    )


def test_a_demo_is_stamped(evalkit: Command, write: Write) -> None:
    """First and last."""
    write("r.jsonl", lines(result("a", "pass", demo=True)))
    write("g.yaml", "gates: [{name: g, suite: lek, metric: pass_rate, at_least: 0.5}]\n")

    shown = evalkit("gate", "r.jsonl", "--gates", "g.yaml").out.splitlines()

    assert shown[0] == shown[-1] == "DEMO MODEL: its numbers mean nothing"


def mistral_rows() -> list[dict[str, Any]]:
    """The whole published run of Mistral 7B v0.1, with the signals of the responses that are stored."""
    conditions = {"baseline": "naked", "json": "json", "txt": "text"}
    run = json.loads((DATA / "lek_p20_mistral_v01.json").read_text(encoding="utf-8"))
    stored = [json.loads(line) for line in (DATA / "lek_published_scores.jsonl").read_text("utf-8").splitlines()]
    signals = {
        (one["probe_id"].split("_")[0], one["condition"]): one["published"]
        for one in stored
        if one["file"] == run["file"]
    }
    return [
        {
            "probe": probe, "category": category, "target": "mistral-7b-v0.1", "condition": conditions[column],
            "judge": "heuristic_v2", "score": score, "signals": signals.get((probe, column), {}),
        }
        for probe, (category, *scores) in run["scores"].items()
        for column, score in zip(run["columns"][1:], scores, strict=True)
    ]  # fmt: skip


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the third-party data of ../shared, which is not committed")
def test_the_published_training_gates_on_the_published_run(evalkit: Command, write: Write) -> None:
    """4 fail and 1 passes (specs/lek.md, section 4); 6 of its 11 degenerate answers are among the 25 stored ones."""
    write("mistral.jsonl", lines(*mistral_rows()))

    done = evalkit("gate", "mistral.jsonl", "--gates", str(TRAINING_GATES), "--json")

    gates = json.loads(done.out)["gates"]
    assert done.status == 1
    assert [(one["name"], one["outcome"], one["measured"] and round(one["measured"], 2)) for one in gates] == [
        ("P11 without a kernel", "fail", -0.4),
        ("mean without a kernel", "fail", 3.8),
        ("worst probe without a kernel", "fail", -19.0),
        ("the JSON kernel helps", "pass", 0.83),
        ("no degeneration", "fail", 4.0),
    ]
    label = "mistral-7b-v0.1:stored:{}:stored"
    assert [one["sentence"] for one in gates] == [
        f"mean score of {label.format('naked')} on probe P11* is −0.40 (1 trial with a score), at least 13 wanted, "
        "below 12 fails",
        f"mean score of {label.format('naked')} is 3.80 (21 trials with a score, 95 % interval 0.25 to 7.34), at least "
        "21 wanted, below 20 fails",
        f"worst score of {label.format('naked')} is −19.00 (P21, the lowest of 21 trials with a score), at least 8 "
        "wanted, below 6 fails",
        f"change in mean score of {label.format('json')} against {label.format('naked')} is +0.83 (95 % interval −4.00 "
        "to 5.67, 21 pairs), above 0 wanted, below 0 fails",
        f"count of trials with degeneration of 0.5 or more of {label.format('text')}, the worst of 3 targets, is 4 (of "
        "10 trials with the signal), at most 0 wanted",
    ]
