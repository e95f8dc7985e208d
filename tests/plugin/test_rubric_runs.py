"""Rubrics and panels through whole runs, their models answering from recordings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from evalkit.judging.rubric.judge import RubricJudge
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe
from evalkit.reading.judges import build_judge
from evalkit.target import Model, Quantisation, Target
from evalkit.transcript import Answer, Case, Transcript
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.slow

KIND = """\
kind: rubric
model: second
question: Is it kind?
labels:
  kind: {means: Kind., outcome: pass}
  unkind: {means: Unkind., outcome: fail}
"""
TARGETS = """
targets:
  first: {model: one, quantisation: fp32, engine: stored}
  second: {model: two, quantisation: fp32, engine: stored}
"""
WARM, COLD = ("Greet me warmly.", "Welcome, dear friend of the house!"), ("Greet me coldly.", "You again.")


def record_opinion(bench: Bench, said: tuple[str, str], name: str, label: str, target: str) -> None:
    """Records what a model replies when a rubric asks it about one answer."""
    any_target = Target(Model("any", "m", False, "m"), Quantisation("fp32", "fp32"))
    targets = (("first", any_target), ("second", any_target))
    judge = build_judge(JudgeUse(name, targets=targets), Workspace(bench.root))
    assert isinstance(judge, RubricJudge)
    messages = (Message("user", said[0]), Message("assistant", said[1]))
    probe = Probe("p", "s", "f", 1, "", (messages[0], Generate()), Expectation(), ())
    (request,) = judge.ask(Case(probe, "", Transcript(messages, (Answer(said[1], said[1]),))), ())
    plain = [{"role": message.role, "content": message.content} for message in request.messages]
    bench.say(plain, json.dumps({"reason": f"{target[:3]} finds it {label}.", "label": label}), target)


@pytest.fixture
def kindness(bench: Bench) -> Bench:
    """Two probes with a rubric, and a panel that asks the subject's own model after the other one."""
    bench.write("judges/kind.yaml", KIND)
    bench.write("judges/gentle.yaml", KIND.replace("second", "first").replace("Is it kind?", "Is it gentle?"))
    bench.write("judges/jury.yaml", "kind: panel\nrule: all\nmembers: [kind, gentle]\n")
    bench.write("fixtures/targets.yaml", (bench.root / "fixtures/targets.yaml").read_text() + TARGETS)
    for said in (WARM, COLD):
        bench.record(*said)
    for said, first, second in ((WARM, "unkind", "kind"), (COLD, "unkind", "unkind")):
        record_opinion(bench, said, "gentle", first, "one:fp32:naked:greedy")
        record_opinion(bench, said, "kind", second, "two:fp32:naked:greedy")
    return bench


def suite(bench: Bench, judge: str) -> None:
    bench.write(
        "suites/small/kind.yaml",
        f"defaults: {{judges: [{judge}]}}\nprobes:\n"
        "  - {id: warm, prompt: Greet me warmly.}\n  - {id: cold, prompt: Greet me coldly.}\n",
    )


def test_a_rubric_decides(kindness: Bench, workers: list[str]) -> None:
    """The model's label is the outcome, and its reason is shown."""
    suite(kindness, "kind")
    result = kindness.run("suites/small", *workers)

    result.assert_outcomes(passed=1, failed=1)
    assert {str(line["probe"]): line["reason"] for line in kindness.results()} == {
        "warm": "kind: two finds it kind.", "cold": "kind: two finds it unkind.",
    }  # fmt: skip


def test_a_panel_deals_replies_to_whom_they_belong(kindness: Bench, workers: list[str]) -> None:
    """Also where the second member's model answers first, since it is loaded already."""
    suite(kindness, "jury")
    result = kindness.run("suites/small", *workers)

    result.assert_outcomes(failed=2)
    assert {str(line["probe"]): line["reason"] for line in kindness.results()} == {
        "warm": "jury: gentle: one finds it unkind.", "cold": "jury: kind: two finds it unkind.",
    }  # fmt: skip
