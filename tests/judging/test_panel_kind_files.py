"""Panels as files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evalkit.errors import JudgeError, UnreadableFile
from evalkit.generation import Generation, Reply
from evalkit.judging.base import Judge
from evalkit.judging.combining import PanelJudge
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe
from evalkit.reading.judges import build_judge, judge_hash, judge_models
from evalkit.target import Model, Quantisation, Target
from evalkit.transcript import Answer, Case, Transcript
from evalkit.workspace import Workspace, builtin_root

RUBRIC = """\
kind: rubric
model: small
question: Is it good?
labels:
  good: {means: Good., outcome: pass}
  bad: {means: Bad., outcome: fail}
"""
CASE = Case(
    Probe("p", "s", "f", 1, "CONTROL", (Message("user", "Why tides?"), Generate()), Expectation(), ()),
    "t", Transcript((), (Answer("The moon.", "The moon."),)),
)  # fmt: skip


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "judges").mkdir()
    (tmp_path / "judges" / "kind.yaml").write_text(RUBRIC, encoding="utf-8")
    (tmp_path / "judges" / "short.py").write_text(
        "def judge(case, most=3):\n    return len(case.answers[-1].answer.split()) <= most\n", encoding="utf-8"
    )
    return Workspace(tmp_path)


def named(name: str) -> Target:
    return Target(Model(name, "m", False, "m"), Quantisation("fp32", "fp32"))


def built(workspace: Workspace, text: str) -> Judge:
    (workspace.root / "judges" / "jury.yaml").write_text(f"kind: panel\n{text}", encoding="utf-8")
    models = judge_models(JudgeUse("jury"), workspace)
    return build_judge(JudgeUse("jury", targets=tuple((model, named(model)) for model in models)), workspace)


def test_a_panel_of_two_models_and_a_rule(workspace: Workspace) -> None:
    """Members keep their own settings and models; the second of one name is numbered."""
    jury = built(workspace, "rule: majority\nmembers: [kind, {use: kind, model: large}, {use: short, most: 1}]\n")
    asked = jury.ask(CASE, ())
    replies: list[Reply] = [
        Generation(json.dumps({"reason": reason, "label": label}), "", (), "stop", 1, 1)
        for reason, label in (("It is.", "good"), ("It is not.", "bad"))
    ]
    verdict = jury.read(CASE, tuple(replies))

    assert [request.target.model.name for request in asked] == ["small", "large"]
    assert (verdict.judge, verdict.outcome) == ("jury", "fail")
    assert verdict.reason == "1 pass, 2 fail, 0 unscored; kind#2: It is not."
    assert dict(verdict.labels) == {
        "label": "bad", "decided_by": "kind#2",
        "kind.outcome": "pass", "kind#2.outcome": "fail", "short.outcome": "fail",
    }  # fmt: skip


def test_a_cascade_with_all_its_keys(workspace: Workspace) -> None:
    """The cheap rule first; the model only where it abstains."""
    jury = built(
        workspace,
        "rule: cascade\nmembers: [short, kind]\naudit: 0.0\n"
        "escalate_when: {unscored: true, near: {signal: score, threshold: 5, within: 0.5}}\n",
    )

    with pytest.raises(JudgeError) as caught:
        jury.ask(CASE, ())
    assert str(caught.value).startswith("Judge 'jury' looks at 'score' of 'short', which gives no such value.")
    assert built(workspace, "rule: cascade\nmembers: [short, kind]\n").ask(CASE, ()) == ()
    assert len(built(workspace, "rule: cascade\nmembers: [short, kind]\naudit: 1.0\n").ask(CASE, ())) == 1


def test_panels_of_panels_and_circles(workspace: Workspace) -> None:
    """A panel may hold another one, but not itself."""
    (workspace.root / "judges" / "inner.yaml").write_text(
        "kind: panel\nrule: all\nmembers: [kind, short]\n", encoding="utf-8"
    )
    assert len(built(workspace, "rule: any\nmembers: [inner, {use: kind, model: large}]\n").ask(CASE, ())) == 2
    with pytest.raises(JudgeError) as caught:
        built(workspace, "rule: any\nmembers: [jury, kind]\n")
    assert str(caught.value) == "Judge 'jury' is made of itself: jury → jury. Break the circle."


def test_the_hash_covers_the_members(workspace: Workspace) -> None:
    """Another rubric inside, or another setting of a member, is another judge."""
    built(workspace, "rule: all\nmembers: [kind, short]\n")
    before = judge_hash(JudgeUse("jury"), workspace)
    (workspace.root / "judges" / "kind.yaml").write_text(RUBRIC.replace("good?", "kind?"), encoding="utf-8")

    assert judge_hash(JudgeUse("jury"), workspace) != before


def test_the_example_of_the_documentation(workspace: Workspace) -> None:
    """docs/rubrics.md shows a panel that can be made."""
    page = (builtin_root() / "docs" / "rubrics.md").read_text(encoding="utf-8")
    example = next(block for block in page.split("```yaml\n")[1:] if block.startswith("kind: panel"))

    jury = built(workspace, example.split("```")[0].removeprefix("kind: panel\n"))
    assert isinstance(jury, PanelJudge)
    assert jury.rounds == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rule: all\nmembers: [kind]\n", "3: $.members: expected two members or more, found 1."),
        ("rule: most\nmembers: [kind, short]\n",
         "2: $.rule: expected one of all, any, majority, cascade; found 'most'."),
        ("rule: all\nmembers: [kind, short]\naudit: 0.1\n",
         "1: $: audit is for the rule cascade; this one is all. Remove it."),
        ("rule: all\nmembers: [kind, short]\nescalate_when: {}\n",
         "1: $: escalate_when is for the rule cascade; this one is all. Remove it."),
        ("rule: cascade\nmembers: [kind, short]\naudit: 2.0\n", "4: $.audit: expected at most 1, found 2.0."),
        ("rule: all\nmembers: [kind, {use: short, required: false}]\n",
         "3: $.members[1]: every member of a panel counts by its rule. Remove required."),
        ("rule: all\nmembers: [kind, {most: 1}]\n", "3: $.members[1]: the key 'use' is missing. Add it."),
        ("rule: cascade\nmembers: [kind, short]\nescalate_when: {near: {threshold: 1}}\n",
         "4: $.escalate_when.near: the key 'within' is missing. Add it."),
    ],
)  # fmt: skip
def test_wrong_panels(workspace: Workspace, text: str, message: str) -> None:
    """Each mistake has its line and sentence."""
    with pytest.raises(UnreadableFile) as caught:
        built(workspace, text)

    assert str(caught.value) == f"judges/jury.yaml:{message}"
