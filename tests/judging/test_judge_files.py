"""Finding, building and hashing judges: built in, overridden, written in Python."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from evalkit.errors import JudgeError, UnreadableFile
from evalkit.judging.panel import asks, read_all
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe
from evalkit.reading.frozen_values import frozen
from evalkit.reading.judge_files import judge_names
from evalkit.reading.judges import build_judge, judge_hash
from evalkit.reading.policies.kinds import KINDS
from evalkit.transcript import Answer, Case, Transcript
from evalkit.verdict import Verdict
from evalkit.workspace import Workspace, builtin_root

NAMES = ", ".join(sorted(KINDS))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "judges").mkdir()
    return Workspace(tmp_path)


def written(workspace: Workspace, name: str, content: str) -> None:
    (workspace.root / "judges" / name).write_text(content, encoding="utf-8")


def judged(workspace: Workspace, use: JudgeUse, answer: str = "The moon.") -> Verdict:
    probe = Probe("tides", "s", "f.yaml", 1, "X", (Message("user", "Why tides?"), Generate()), Expectation(), ())
    return build_judge(use, workspace).read(Case(probe, "t", Transcript((), (Answer(answer, answer),))), ())


def degeneration_policy(**changes: str) -> str:
    text = (builtin_root() / "judges" / "degeneration.yaml").read_text(encoding="utf-8")
    for old, new in changes.items():
        text = (
            text.replace(f"{old}:", f"{new}:") if new.isidentifier() else text.replace(f"{old}: 5\n", f"{old}: {new}\n")
        )
    return text


def test_names_are_the_workspace_s_the_built_in_and_text(workspace: Workspace) -> None:
    """A judge dropped into judges/ is known; files starting with an underscore are not judges."""
    written(workspace, "mood.py", "")
    written(workspace, "_shared.py", "")

    assert {"text", "degeneration", "behaviour", "mood"} <= judge_names(workspace)
    assert "_shared" not in judge_names(workspace)


def test_unknown_judge_names_the_nearest(workspace: Workspace) -> None:
    """A typo is answered with the name that was meant."""
    with pytest.raises(JudgeError) as caught:
        build_judge(JudgeUse("behavior"), workspace)

    assert str(caught.value) == "There is no judge 'behavior'. Did you mean 'behaviour'?"


def test_settings_of_a_probe_override_the_policy(workspace: Workspace) -> None:
    """A threshold named beside the judge replaces the file's."""
    loop = "We sailed on. " + "the sea and the sky, " * 3
    strict = JudgeUse("degeneration", settings=(("loops", frozen([{"copies": 3, "tokens": 9, "chars": 20}])),))

    assert judged(workspace, JudgeUse("degeneration"), loop).outcome == "pass"
    assert judged(workspace, strict, loop).outcome == "fail"


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (
            JudgeUse("degeneration", settings=(("run_min_copis", 3),)),
            "Judge 'degeneration' has no setting 'run_min_copis'. Did you mean 'run_min_copies'?",
        ),
        (
            JudgeUse("degeneration", settings=(("run_min_copies", "many"),)),
            "Judge 'degeneration': setting run_min_copies: Input should be a valid integer; found 'many'.",
        ),
        (JudgeUse("text", settings=(("strict", True),)), "Judge 'text' takes no settings; found strict."),
    ],
)
def test_wrong_settings(workspace: Workspace, use: JudgeUse, message: str) -> None:
    """A setting that does not exist or has the wrong type is named."""
    with pytest.raises(JudgeError) as caught:
        build_judge(use, workspace)

    assert str(caught.value) == message


def test_policy_in_the_workspace_replaces_the_built_in(workspace: Workspace) -> None:
    """judges/degeneration.yaml of the workspace is the policy; its hash differs."""
    before = judge_hash(JudgeUse("degeneration"), workspace)
    written(workspace, "degeneration.yaml", degeneration_policy(run_min_copies="90"))

    assert judged(workspace, JudgeUse("degeneration"), "It iNeNeNeNeNeNeNeNeNeNeNeNeNeNe").outcome == "pass"
    assert judge_hash(JudgeUse("degeneration"), workspace) != before


def test_policy_under_another_name(workspace: Workspace) -> None:
    """A policy may carry any name; verdicts carry that name."""
    written(workspace, "loops_only.yaml", degeneration_policy())

    assert judged(workspace, JudgeUse("loops_only")).judge == "loops_only"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "kind: mood\n",
            f"judges/x.yaml:1: $.kind: expected one of {NAMES}; found 'mood'. Known: {NAMES}.",
        ),
        ("version: '1'\n", f"judges/x.yaml:1: $: the key 'kind' is missing. Add it: one of {NAMES}."),
        ("- kind\n", "judges/x.yaml: expected a mapping with a key 'kind'."),
    ],
)  # fmt: skip
def test_policy_without_a_known_kind(workspace: Workspace, content: str, message: str) -> None:
    """A policy file says which judge it is for."""
    written(workspace, "x.yaml", content)

    with pytest.raises(UnreadableFile) as caught:
        build_judge(JudgeUse("x"), workspace)

    assert str(caught.value) == message


def test_unknown_key_in_a_policy_is_located(workspace: Workspace) -> None:
    """A misspelt threshold is refused at its line."""
    written(workspace, "x.yaml", degeneration_policy(run_min_copies="run_min_copis"))

    with pytest.raises(UnreadableFile) as caught:
        build_judge(JudgeUse("x"), workspace)

    assert "unknown key 'run_min_copis'. Did you mean 'run_min_copies'?" in str(caught.value)


@pytest.mark.parametrize(
    ("patterns", "error"),
    [
        (["ode", "(?s)epic"], "global flags not at the start of the expression at position 4"),
        (["(?P<a>ode)", "(?P<a>epic)"], "redefinition of group name 'a' as group 2; was group 1 at position 15"),
    ],
)
def test_patterns_that_cannot_be_searched_as_one(workspace: Workspace, patterns: list[str], error: str) -> None:
    """Each is right alone: said when the policy is read, not when a prompt is."""
    text = degeneration_policy().split("\nasks_verse:\n")
    written(
        workspace,
        "x.yaml",
        f"{text[0]}\nasks_verse: {json.dumps(patterns)}\nasks_dialogue:{text[1].partition('asks_dialogue:')[2]}",
    )

    with pytest.raises(UnreadableFile) as caught:
        build_judge(JudgeUse("x"), workspace)

    assert str(caught.value) == (
        f"judges/x.yaml:{text[0].count(chr(10)) + 2}: $.asks_verse: expected regular expressions that can be joined by "
        f"|; {error}. Set flags for a part only, (?s:…), and give no two groups one name."
    )


def test_hash_covers_settings_and_is_stable(workspace: Workspace) -> None:
    """The same judge has the same sixteen digits; other settings give others."""
    plain, other = JudgeUse("degeneration"), JudgeUse("degeneration", settings=(("asked_copies", 2),))
    first = judge_hash(plain, workspace)

    assert (len(first), judge_hash(plain, workspace)) == (16, first)
    assert judge_hash(other, workspace) != first
    assert judge_hash(JudgeUse("text"), workspace) != first


@pytest.mark.parametrize(
    ("code", "outcome", "reason"),
    [
        ("def judge(case):\n    return 'moon' in case.answers[-1].answer", "pass", "judge returned True"),
        ("def judge(case):\n    return False, 'no sea'", "fail", "no sea"),
        ("from evalkit.verdict import Verdict\ndef judge(case):\n    return Verdict('x', 'unscored', 'dunno')",
         "unscored", "dunno"),
        ("from evalkit.judging.base import RuleJudge\nclass judge(RuleJudge):\n"
         "    def read(self, case, replies):\n        return self.verdict('pass', 'by class')", "pass", "by class"),
        ("class Mine:\n    def ask(self, case, replies):\n        return ()\n    def read(self, case, replies):\n"
         "        from evalkit.verdict import Verdict\n        return Verdict('m', 'pass', 'by object')\n"
         "judge = Mine()",
         "pass", "by object"),
    ],
)  # fmt: skip
def test_custom_judges(workspace: Workspace, code: str, outcome: str, reason: str) -> None:
    """A function, a class or an object named judge is a judge, and no top-level module."""
    written(workspace, "mood.py", code)
    verdict = judged(workspace, JudgeUse("mood"))

    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    assert "mood" not in sys.modules


def test_settings_reach_a_custom_judge(workspace: Workspace) -> None:
    """Settings are keyword arguments of the function."""
    written(workspace, "long.py", "def judge(case, least=5):\n    return len(case.answers[-1].answer) >= least")

    assert judged(workspace, JudgeUse("long")).outcome == "pass"
    assert judged(workspace, JudgeUse("long", settings=(("least", 50),))).outcome == "fail"
    assert not asks(build_judge(JudgeUse("long"), workspace))


RETURNS = "a Verdict, True or False, or (True or False, reason)"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("x = 1", f"judges/mood.py: it defines no judge. Write a function judge(case) that returns {RETURNS}, or an "
                  "object with ask and read."),
        ("judge = 3", "judges/mood.py: judge must be a function, a class, or an object with ask and read; found 3."),
        ("1 / 0", "judges/mood.py: importing it raised ZeroDivisionError: division by zero"),
        ("class judge:\n    def read(self, case, replies): ...",
         "judges/mood.py: judge has no method ask. Derive it from evalkit.judging.base.RuleJudge, or give it "
         "ask(case, replies) and read(case, replies)."),
        ("class judge:\n    def __init__(self): raise ValueError('no')",
         "judges/mood.py: the class judge cannot be made: ValueError: no"),
    ],
)  # fmt: skip
def test_broken_custom_judges(workspace: Workspace, code: str, message: str) -> None:
    """The file is named, with what to do."""
    written(workspace, "mood.py", code)

    with pytest.raises(JudgeError) as caught:
        build_judge(JudgeUse("mood"), workspace)

    assert str(caught.value) == message


def test_wrong_return_type_and_exception(workspace: Workspace) -> None:
    """What a custom judge returns or raises at read is a JudgeError naming the probe."""
    case = Case(Probe("tides", "s", "f", 1, "X", (Generate(),), Expectation(), ()), "t", Transcript((), ()))
    messages: list[Any] = []
    for code in ("def judge(case):\n    return 'yes'", "def judge(case):\n    return case.nothing"):
        written(workspace, "mood.py", code)
        use = JudgeUse("mood")
        with pytest.raises(JudgeError) as caught:
            read_all(((use, build_judge(use, workspace)),), case, ((),), ("",))
        messages.append(str(caught.value))

    assert messages == [
        f"judges/mood.py: judge must return {RETURNS}; on probe 'tides' it returned 'yes'.",
        "Judge 'mood' broke on probe 'tides': AttributeError: 'Case' object has no attribute 'nothing'",
    ]


def test_settings_for_an_object_are_refused(workspace: Workspace) -> None:
    """An object is already made, so settings have nowhere to go."""
    written(workspace, "mood.py", "class M:\n    def ask(s, c, r): ...\n    def read(s, c, r): ...\njudge = M()")

    with pytest.raises(JudgeError) as caught:
        build_judge(JudgeUse("mood", settings=(("warmth", 3),)), workspace)

    assert str(caught.value) == (
        "judges/mood.py: judge is an object, so it takes no settings; found warmth. Make it a class."
    )


def test_the_example_of_the_documentation_runs(workspace: Workspace) -> None:
    """docs/judges.md shows a judge that works."""
    page = (builtin_root() / "docs" / "judges.md").read_text(encoding="utf-8")
    written(workspace, "asks_back.py", page.split("```python\n")[1].split("```")[0])
    verdict = judged(workspace, JudgeUse("asks_back"), "Which tide? Here?")

    assert (verdict.outcome, verdict.reason) == ("pass", "asks 2 questions")
