"""The judges on the shared labelled answers: development half and the half kept back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from evalkit.judging.thinking import split_thinking
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe
from evalkit.reading.judges import build_judge
from evalkit.transcript import Answer, Case, Transcript
from evalkit.workspace import Workspace

LABELS = Path(__file__).parents[3] / "shared" / "data" / "it_labelled_responses.jsonl"


class Floor(NamedTuple):
    """At least ``right`` and ``collapsed``, at most ``unscored`` and ``false_alarms``: as measured in November 2026."""

    right: int
    unscored: int
    collapsed: int
    false_alarms: int


@pytest.mark.skipif(not LABELS.is_file(), reason=f"{LABELS} is not on this machine")
@pytest.mark.parametrize(
    ("half", "floor"),
    [(0, Floor(right=15, unscored=1, collapsed=5, false_alarms=1)), (1, Floor(13, 4, 3, 0))],
    ids=["development", "kept back"],
)
def test_labelled_answers_are_judged(half: int, floor: Floor, tmp_path: Path) -> None:
    """No worse than when it was measured; accuracy, abstention and collapse recall are printed."""
    rules_alone = JudgeUse("behaviour", settings=(("weights", None),))
    behaviour, degeneration = (build_judge(use, Workspace(tmp_path)) for use in (rules_alone, JudgeUse("degeneration")))
    rows = [json.loads(line) for line in LABELS.read_text(encoding="utf-8").splitlines()]
    rows = [row for row in rows if row["n"] % 2 == half]
    right = decided = found = false_alarms = 0
    for row in rows:
        thinking, answer, start = split_thinking(row["response"])
        turns = (Message("user", row["prompt"]), Generate())
        probe = Probe(row["id"], "s", "f", 1, row["category"], turns, Expectation(), ())
        case = Case(probe, "t", Transcript((), (Answer(row["response"], answer, thinking, start),)))
        outcome, collapse = behaviour.read(case, ()).outcome, degeneration.read(case, ()).outcome
        decided += outcome != "unscored"
        right += outcome == ("pass" if row["behavior_correct"] else "fail")
        found += row["collapsed"] and collapse == "fail"
        false_alarms += not row["collapsed"] and collapse == "fail"

    collapsed = sum(row["collapsed"] for row in rows)
    print(f"behaviour {right} of {decided} decided right, {len(rows) - decided} of {len(rows)} unscored")
    print(f"collapse {found} of {collapsed} found, {false_alarms} false alarms")
    assert right >= floor.right
    assert len(rows) - decided <= floor.unscored
    assert found >= floor.collapsed
    assert false_alarms <= floor.false_alarms
