"""Which judges ask no model can be told without reading their policies."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalkit.probe import JudgeUse
from evalkit.reading.judge_files import asks_nobody, judge_names
from evalkit.reading.judges import judge_models
from evalkit.workspace import Workspace


def test_what_the_kind_says_is_what_the_policy_says(tmp_path: Path) -> None:
    """Of every built-in judge; those that may ask are read."""
    workspace = Workspace(tmp_path)

    found = {name: asks_nobody(JudgeUse(name), workspace) for name in judge_names(workspace)}

    assert {name for name, nobody in found.items() if nobody and judge_models(JudgeUse(name), workspace)} == set()
    assert {"behaviour", "degeneration", "text"} <= {name for name, nobody in found.items() if nobody}
    assert not found["semantic"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("mine.yaml", "kind: rubric\n"), ("mine.yaml", "kind: unheard_of\n"), ("mine.yaml", "version: '1'\n"),
        ("mine.py", "kind = 'degeneration'\n"),
    ],
)  # fmt: skip
def test_what_may_ask_or_cannot_be_told_is_read(tmp_path: Path, name: str, content: str) -> None:
    """Rubrics, unknown kinds, files without one, and judges in Python."""
    (tmp_path / "judges").mkdir()
    (tmp_path / "judges" / name).write_text(content, encoding="utf-8")

    assert not asks_nobody(JudgeUse("mine"), Workspace(tmp_path))


def test_a_judge_asks_through_its_members(tmp_path: Path) -> None:
    """Where the workspace's own degeneration is a rubric, the behaviour judge beside it may ask too."""
    (tmp_path / "judges").mkdir()
    (tmp_path / "judges" / "degeneration.yaml").write_text("kind: rubric # ours\n", encoding="utf-8")

    assert not asks_nobody(JudgeUse("behaviour"), Workspace(tmp_path))
