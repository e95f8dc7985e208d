"""What the doctor says of targets, suites and judges."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from evalkit.doctor import plans
from evalkit.doctor.finding import Finding
from evalkit.doctor.plans import Needs, declared, needs_of, suite_findings
from evalkit.target import Adapter, Engine, Model, Quantisation, Target
from evalkit.workspace import Workspace

Write = Callable[[str, str], Path]
JUDGE_TARGETS = """\
include: [fixtures/demo/targets.yaml]
engines:
  house: {kind: openai, base_url: 'https://models.house/v1', api_key_env: HOUSE_KEY}
  near: {kind: openai, base_url: 'http://localhost:8000/v1'}
models:
  grader: {id: big-1, engine: house}
  small: {id: small-1, engine: near}
"""


def local(model: Model, *adapters: Adapter, kind: str = "nf4", engine: Engine | None = None) -> Target:
    return Target(model, Quantisation(kind, kind), adapters, engine=engine or Engine())  # type: ignore[arg-type]


def test_targets_by_default(workspace: Workspace) -> None:
    """Their labels, the first three in words."""
    plan = declared(workspace)

    [told] = plan.findings
    assert told.level == "ok"
    assert len(plan.targets) == 4
    assert told.says == (
        "4 targets by default: demo:nf4:naked:greedy, demo+steady:nf4:naked:greedy, demo+eager:nf4:naked:greedy, …"
    )
    assert needs_of(plan.targets) == Needs(
        frozenset({"torch", "transformers", "safetensors", "peft", "accelerate", "bitsandbytes"})
    )


def test_a_targets_file_that_cannot_be_read(workspace: Workspace, write: Write) -> None:
    """The first mistake and the number of the others."""
    write("fixtures/targets.yaml", "modles: {}\nengnies: {}\n")

    plan = declared(workspace)

    [told] = plan.findings
    assert (plan.table, plan.targets) == (None, ())
    assert (told.level, told.do) == ("breaks", "See them all with: evalkit check")
    assert told.says.startswith("fixtures/targets.yaml:1: $.modles: ")
    assert told.says.endswith(" (1 more)")


def test_what_targets_need() -> None:
    """Packages of their engines, keys of servers elsewhere, a CUDA device where one is named."""
    model = Model("m", "m", True, "m")
    house = Engine("house", "openai", (("base_url", "https://models.house/v1"), ("api_key_env", "HOUSE_KEY")))
    near = Engine("near", "openai", (("base_url", "http://localhost:8000/v1"),))
    broken = Engine("local", "local", (("devise", "cuda"),))

    assert needs_of([local(model, kind="served", engine=house)]) == Needs(
        frozenset({"openai"}), (("HOUSE_KEY", "https://models.house/v1"),)
    )
    assert needs_of([local(model, kind="served", engine=near)]) == Needs(frozenset({"openai"}))
    plain = frozenset({"torch", "transformers", "safetensors"})
    cuda = Engine("local", "local", (("device", "cuda"),))
    assert needs_of([local(model, kind="bf16", engine=cuda)]) == Needs(plain, cuda=True)
    assert needs_of([local(model, kind="bf16", engine=broken)]) == Needs(plain)
    assert needs_of([local(model, engine=Engine("stored", "replay"))]) == Needs()


def test_suites_and_judges(workspace: Workspace, write: Write) -> None:
    """Counted; each judge has what it needs."""
    suite = write("suites/small.yaml", "probes: [{id: one, prompt: Hello?, expect: {contains: hello}}]\n")

    told = list(suite_findings(workspace, [suite], declared(workspace).table))

    assert [(finding.topic, finding.level, finding.says) for finding in told] == [
        ("suites", "ok", "1 suite, 1 probe"),
        ("judges", "ok", "2 judges, each with what it needs"),
    ]


def test_suites_with_mistakes(workspace: Workspace, write: Write) -> None:
    """The first of them; without targets the judges are not looked at."""
    suite = write("suites/small.yaml", "probes: [{id: one}, {id: two, prompt: 7}]\n")

    [told] = suite_findings(workspace, [suite], None)

    assert (told.level, told.do) == ("breaks", "See them all with: evalkit check")
    assert told.says.startswith("1 suite, 0 probes, 3 problems; the first: suites/small.yaml:1: ")


def test_judges_that_leave_probes_unscored(workspace: Workspace, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """For want of a key, or of the package; a server on this machine needs no key."""
    monkeypatch.delenv("HOUSE_KEY", raising=False)
    write("fixtures/targets.yaml", JUDGE_TARGETS)
    write("judges/kind.py", "class judge:\n    name = 'kind'\n    def __init__(self, target): pass\n")
    probes = "".join(
        f"  - {{id: p{number}, prompt: Hello?, category: c, judges: [{{use: kind, model: {model}}}]}}\n"
        for number, model in enumerate(["grader", "grader", "small"])
    )
    suite = write("suites/small.yaml", f"probes:\n{probes}")
    table = declared(workspace).table

    no_key = list(suite_findings(workspace, [suite], table))[1:]
    monkeypatch.setenv("HOUSE_KEY", "secret")
    with_key = list(suite_findings(workspace, [suite], table))[1:]
    monkeypatch.setattr(plans, "find_spec", lambda name: None)
    no_package = list(suite_findings(workspace, [suite], table))[1:]

    assert no_key == [
        Finding(
            "judge", "hurts",
            "'kind' leaves 2 probes unscored: it asks grader at https://models.house/v1, and there is no key",
            "Set HOUSE_KEY to an API key in the environment.",
        )
    ]  # fmt: skip
    assert [finding.level for finding in with_key] == ["ok"]
    assert [(finding.says, finding.do) for finding in no_package] == [
        (f"'kind' leaves {probes} unscored: it asks {model}, and the package openai is not installed",
         "pip install 'pytest-evalkit[openai]'")
        for model, probes in (("grader", "2 probes"), ("small", "1 probe"))
    ]  # fmt: skip
