"""Which gates are about a run, and what they find beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.gates import Baseline, Gate
from evalkit.gating import aliases_of, settings_of, surroundings
from evalkit.record import TrialRecord
from evalkit.target import Model, Quantisation, Target
from evalkit.workspace import Workspace

BASELINE = """{"format": 2, "run": "r", "started": "2026", "command": [], "engines": {}, "trials": [
 {"trial": "t", "suite": "s", "probe": "p", "category": "A", "target": "m:x:y:z", "outcome": "pass"}]}
"""


def compared(against: str) -> Gate:
    return Gate("g", "s", "pass_rate", against=against)


def test_baselines_are_found_by_name_and_by_file(tmp_path: Path) -> None:
    """The run's own under the empty name, those that gates name under theirs; each is read once."""
    for name in ("reports/baselines/main.json", "elsewhere/other.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(BASELINE, encoding="utf-8")
    gates = [compared("baseline"), compared("baseline:main"), compared("target:x"), Gate("h", "s", "pass_rate")]

    around = surroundings(gates, Workspace(tmp_path), "elsewhere/other.json", tmp_path, {})

    assert list(around.baselines) == ["", "main"]
    assert [(one.name, len(one.trials), one.missing) for one in around.baselines.values()] == [
        ("other", 1, ""), ("main", 1, ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("main", "There is no baseline 'main' (reports/baselines/main.json). "
         "Write it with: evalkit baseline latest main"),
        ("a b", "A baseline's name is made of letters, digits, '.', '_' and '-'; found 'a b'."),
        ("broken.json", "broken.json:1: is no JSON (Expecting value). Restore it from version control. "
         "Write it again with: evalkit baseline RUN broken"),
    ],
)  # fmt: skip
def test_a_baseline_that_cannot_be_used_is_no_error(tmp_path: Path, name: str, missing: str) -> None:
    """Why it cannot be is kept for the gates."""
    (tmp_path / "broken.json").write_text("nothing", encoding="utf-8")

    around = surroundings([compared("baseline")], Workspace(tmp_path), name, tmp_path, {})

    assert around.baselines == {"": Baseline(name, missing=missing)}


def test_aliases_are_what_the_server_calls_latest() -> None:
    """By label; a dated id is none."""
    served = Quantisation("served", "served")
    names = {"clever": "mistral-large-latest", "dated": "claude-haiku-4-5-20251001"}
    targets = [Target(Model(name, location, False, location), served) for name, location in names.items()]

    assert aliases_of(targets) == {"clever:served:naked:greedy": "mistral-large-latest"}


def test_settings_are_those_of_today(tmp_path: Path) -> None:
    """Of every suite that records come from; tests in Python have none."""
    (tmp_path / "suites/s").mkdir(parents=True)
    (tmp_path / "suites/s/suite.yaml").write_text("max_unscored: 0.1\n", encoding="utf-8")
    records = [
        TrialRecord("t", suite, file, 1, "p", "A", "m:x:y:z", "pass", "")
        for suite, file in (("s", "suites/s/a.yaml"), ("s", "suites/s/b.yaml"), ("python", "test_it.py"))
    ]

    settings = settings_of(Workspace(tmp_path), records)

    assert {suite: one.max_unscored for suite, one in settings.items()} == {"s": 0.1}
