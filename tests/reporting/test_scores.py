"""Score tables of a run: means by condition, what a condition changed, nothing counted twice or hidden."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from evalkit.record import TrialRecord
from evalkit.reporting.finished import FinishedRun
from evalkit.reporting.markdown import summary_markdown
from evalkit.reporting.run_figures import run_figures
from evalkit.reporting.scores import score_groups
from evalkit.reporting.summary import Summary, summarise
from evalkit.reporting.terminal import summary_lines

Make = Callable[..., Any]

CONDITIONS = ("json", "naked", "text")
SCORES = {
    "one": {"naked": 2.0, "json": 4.0, "text": 2.5},
    "two": {"naked": 3.0, "json": 2.0, "text": 2.4},
    "three": {"naked": -1.0, "json": 6.0},
}


def markdown_of(summary: Summary) -> str:
    return summary_markdown(FinishedRun(summary), run_figures(summary))


def scored(judge: str, score: float | None) -> dict[str, Any]:
    return {"judge": judge, "judge_hash": "a", "required": True, "outcome": "pass", "score": score}


@pytest.fixture
def summary(make_record: Make, make_run: Make) -> Summary:
    """Three probes under three conditions; the third has no score under ``text`` and collapsed under ``json``."""
    records: list[TrialRecord] = []
    for line, (probe, scores) in enumerate(SCORES.items()):
        for condition in CONDITIONS:
            score = scores.get(condition)
            verdicts = (scored("degeneration", None), scored("v2", score)) if score is not None else ()
            records.append(
                make_record(
                    line=line, probe=probe, target=f"m:fp32:{condition}:greedy", category="AB"[line % 2],
                    outcome="error" if score is None else "pass", verdicts=verdicts,
                    flags=("collapsed",) if (probe, condition) == ("three", "json") else (),
                )
            )  # fmt: skip
    targets = tuple(f"m:fp32:{condition}:greedy" for condition in CONDITIONS)
    return summarise(records, run=make_run(targets=targets, categories=("A", "B")))


def test_a_group_for_each_target_with_naked_as_the_baseline(summary: Summary) -> None:
    """Conditions in the run's order, the baseline first wherever it stood; judges without a score make no table."""
    (group,) = score_groups(summary)

    assert (group.suite, group.judge, group.target) == ("it", "v2", "m:fp32:greedy")
    assert group.title == "scores of it by v2: m:fp32:greedy, changes against naked"
    assert [item.condition for item in group.table.conditions] == ["naked", "json", "text"]
    assert [item.n for item in group.table.conditions] == [3, 3, 2]
    assert group.collapsed == (0, 1, 0)


def test_the_terminal_shows_means_deltas_and_counts(summary: Summary) -> None:
    """One line a condition, the categories of a single target, and how sure each change is."""
    lines = [" ".join(line.text.split()) for line in summary_lines(summary, (), (), width=100)]
    start = lines.index("scores of it by v2: m:fp32:greedy, changes against naked")

    assert lines[start + 1 : start + 16] == [
        "condition n mean sd median delta improved regressed unchanged",
        "--------- - ---- ---- ------ ----- -------- --------- ---------",
        "naked 3 1.33 2.08 2.00 - - - -",
        "json 3 4.00 2.00 4.00 +2.67 2 1 0",
        "text 2 2.45 0.07 2.45 -0.05 0 1 1",
        "",
        "category n naked json text",
        "-------- - ----- ---- ----",
        "A 2 0.50 5.00 2.50",
        "B 1 3.00 2.00 2.40",
        "json: paired change +2.67, 95 % -1.00 to +7.00, sign test p = 1.00",
        "json: 1 of 3 answers collapsed; their scores are in the mean",
        "text: paired change -0.05, 95 % -0.60 to +0.50, sign test p = 1.00",
        "text: without a score: three",
        "naked: lowest three -1.0, one 2.0, two 3.0",
    ]


def test_markdown_holds_every_conditions_extremes(summary: Summary) -> None:
    """A heading, two tables, the lowest and highest under each condition, and what the words mean."""
    text = markdown_of(summary)

    assert "## Scores of it by v2: m:fp32:greedy, changes against naked" in text
    assert "- json: highest three 6.0, one 4.0, two 2.0" in text
    assert (
        "improved and regressed are changes of more than 0.5 points of a probe's score; the interval is bootstrapped, "
        "the sign test exact and two-sided"
    ) in text


def test_without_scores_there_is_no_table(make_record: Make, make_run: Make) -> None:
    """A suite of passes and failures has none, and no legend."""
    plain = summarise([make_record()], run=make_run())

    assert score_groups(plain) == ()
    assert "sign test" not in markdown_of(plain)


def test_what_a_judge_measured_stands_by_its_name(make_record: Make, make_run: Make) -> None:
    """Means of its numbers under each condition; what is no number, and what nobody measured, is left out."""
    signals = {"naked": {"facts_found": 3, "share": 0.5, "kind": "x"}, "json": {"facts_found": 4}}
    records = [
        make_record(
            line=line, probe=f"p{line}", target=f"m:fp32:{condition}:greedy",
            verdicts=({**scored("facts", 1.0), "signals": {**own, "facts_found": own["facts_found"] + line}},),
        )
        for line in (0, 1)
        for condition, own in signals.items()
    ]  # fmt: skip
    summary = summarise(records, run=make_run(targets=tuple(f"m:fp32:{name}:greedy" for name in signals)))
    lines = [" ".join(line.text.split()) for line in summary_lines(summary, (), (), width=100)]
    start = lines.index("mean of naked json")

    assert score_groups(summary)[0].signals == (("facts_found", (3.5, 4.5)), ("share", (0.5, None)))
    assert lines[start + 2 : start + 4] == ["facts_found 3.50 4.50", "share 0.50 -"]
    assert "| facts\\_found |    3.50 |   4.50 |" in markdown_of(summary)


def test_one_condition_has_no_deltas(make_record: Make, make_run: Make) -> None:
    """Only n, mean, deviation and median."""
    record = make_record(verdicts=(scored("v2", 3.0),))
    lines = [" ".join(line.text.split()) for line in summary_lines(summarise([record], run=make_run()), (), ())]

    assert "condition n mean sd median" in lines
    assert "naked 1 3.00 - 3.00" in lines
