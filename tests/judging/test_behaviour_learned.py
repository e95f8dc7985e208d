"""The learned half of the behaviour judge: texts nobody trained on, and the files it rests on."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from evalkit.errors import JudgeError, UnreadableFile
from evalkit.probe import JudgeUse
from evalkit.reading.answer_rows import AnswerRow, read_rows
from evalkit.reading.judges import build_judge, judge_hash
from evalkit.rejudging import stored_trial
from evalkit.stats import wilson_interval
from evalkit.workspace import Workspace, builtin_root

HELD_BACK = Path(__file__).parent / "cases" / "behaviour_held_back.jsonl"
TEXTS = builtin_root() / "fixtures" / "behaviour" / "texts"
WEIGHTS = builtin_root() / "judges" / "behaviour.weights.json"


def rows(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_texts_that_nobody_trained_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """At least 85 % of the decided are right at no more than 20 % abstention, and no category is under 65 %."""
    judge = build_judge(JudgeUse("behaviour"), Workspace(tmp_path))
    right: Counter[str] = Counter()
    decided: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    with HELD_BACK.open("rb") as lines:
        for row in read_rows(lines, HELD_BACK.name):
            assert isinstance(row, AnswerRow)
            outcome = judge.read(stored_trial(row, (), 0).case, ()).outcome
            if outcome != "unscored":
                decided[row.probe.category] += 1
                right[row.probe.category] += outcome == row.plain["label"]
                errors[outcome] += outcome != row.plain["label"]
    total, hits, everything = decided.total(), right.total(), len(rows(HELD_BACK))
    bounds = wilson_interval(hits, total)
    with capsys.disabled():
        print(
            f"\nbehaviour, held back: {hits}/{total} right ({bounds.low:.3f}-{bounds.high:.3f}), "
            f"{everything - total} of {everything} unscored, "
            f"{errors['pass']} false passes, {errors['fail']} false fails"
        )

    assert hits / total >= 0.85
    assert (everything - total) / everything <= 0.2
    assert min(right[category] / decided[category] for category in decided) >= 0.65


def test_no_held_back_text_was_trained_on() -> None:
    """Neither its prompt nor its answer stands among the training texts; no text stands there twice."""
    trained = [row for file in sorted(TEXTS.glob("*.jsonl")) for row in rows(file)]
    held = rows(HELD_BACK)
    pairs = [(row["prompt"], row["response"]) for row in trained]

    assert len(pairs) == len(set(pairs))
    assert not {row["response"] for row in trained} & {row["response"] for row in held}
    assert not {row["prompt"] for row in trained} & {row["prompt"] for row in held}


def test_the_weights_are_those_of_the_texts() -> None:
    """Whoever edits a text learns again: python fixtures/behaviour/train.py."""
    texts = b"".join(file.read_bytes() for file in sorted(TEXTS.glob("*.jsonl")))

    assert json.loads(WEIGHTS.read_text(encoding="utf-8"))["texts_sha256"] == hashlib.sha256(texts).hexdigest()


def policy(**changes: str) -> str:
    text = (builtin_root() / "judges" / "behaviour.yaml").read_text(encoding="utf-8")
    for name, value in changes.items():
        (line,) = [line for line in text.splitlines() if line.startswith(f"{name}:")]
        text = text.replace(line, f"{name}: {value}")
    return text


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "judges").mkdir()
    return Workspace(tmp_path)


def test_weights_that_cannot_be_read_are_named(workspace: Workspace) -> None:
    """A missing file, one that holds something else, and one outside the folder of the policy."""
    (workspace.root / "judges/mine.yaml").write_text(policy(weights="gone.json"), encoding="utf-8")
    with pytest.raises(JudgeError) as missing:
        build_judge(JudgeUse("mine"), workspace)
    (workspace.root / "judges/gone.json").write_text("[]")
    with pytest.raises(JudgeError) as wrong:
        build_judge(JudgeUse("mine"), workspace)
    (workspace.root / "judges/mine.yaml").write_text(policy(weights="../x.json"), encoding="utf-8")
    with pytest.raises(UnreadableFile, match=r"expected weights to be a file beside the policy; found '../x.json'"):
        build_judge(JudgeUse("mine"), workspace)

    assert str(missing.value).startswith("gone.json holds no weights (FileNotFoundError: ")
    assert str(wrong.value) == (
        "gone.json holds no weights (TypeError: list indices must be integers or slices, not str). Make it with "
        "fixtures/behaviour/train.py, or take weights out of the policy to judge by rules alone."
    )


def test_other_weights_are_another_judge(workspace: Workspace) -> None:
    """The hash covers the weights; without weights the rules judge alone."""
    (workspace.root / "judges/mine.yaml").write_text(policy(weights="w.json"), encoding="utf-8")
    (workspace.root / "judges/w.json").write_text('{"weights": {"gap:": 1.0}}')
    first = judge_hash(JudgeUse("mine"), workspace)
    (workspace.root / "judges/w.json").write_text('{"weights": {"gap:": 2.0}}')
    second = judge_hash(JudgeUse("mine"), workspace)
    (workspace.root / "judges/mine.yaml").write_text(policy(weights="null"), encoding="utf-8")

    assert first != second
    assert type(build_judge(JudgeUse("mine"), workspace)).__name__ == "BehaviourJudge"


def test_thresholds_must_leave_room(workspace: Workspace) -> None:
    """Between failing and passing lies abstaining."""
    without_room = policy().replace(
        "rules_fail: {pass_from: 2.0, fail_to: 1.9}", "rules_fail: {pass_from: 2, fail_to: 3}"
    )
    (workspace.root / "judges/mine.yaml").write_text(without_room, encoding="utf-8")

    with pytest.raises(UnreadableFile, match=r"expected fail_to under pass_from; found 3\.0 and 2\.0"):
        build_judge(JudgeUse("mine"), workspace)


def test_weights_need_thresholds(workspace: Workspace) -> None:
    """A model that does not know when it may decide judges nothing."""
    lines = policy().splitlines()
    kept = [line for line in lines if not line.startswith(("thresholds:", "  rules_"))]
    (workspace.root / "judges/mine.yaml").write_text("\n".join(kept), encoding="utf-8")

    with pytest.raises(UnreadableFile, match="expected thresholds beside weights; found none"):
        build_judge(JudgeUse("mine"), workspace)
