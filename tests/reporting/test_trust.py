"""Trust in a judge beside its rates: only where this very judge was measured, and never more than was measured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from evalkit.agreement import Agreement
from evalkit.calibration import Calibration, LabelSource, trust_in
from evalkit.record import TrialRecord
from evalkit.reporting.finished import FinishedRun
from evalkit.reporting.markdown import summary_markdown
from evalkit.reporting.run_figures import run_figures
from evalkit.reporting.summary import Summary, summarise
from evalkit.reporting.terminal import summary_lines

Make = Callable[..., Any]

GOOD = Agreement(
    true_pass=45, false_pass=5, true_fail=45, false_fail=5, effective_right=50, effective_wrong=50, n=100
)  # fmt: skip
SOURCE = LabelSource("labels.jsonl", ("ann", "bo"), 100, True)
MEASURED = Calibration("mood", "abc", "it", "CONTROL", ("en",), SOURCE, GOOD)
WHOLE = replace(MEASURED, category="all")


def markdown_of(summary: Summary) -> str:
    return summary_markdown(FinishedRun(summary), run_figures(summary))


def verdict(**changes: Any) -> dict[str, Any]:
    return {"judge": "mood", "judge_hash": "abc", "required": True, "outcome": "pass", **changes}


@pytest.fixture
def records(make_record: Make) -> list[TrialRecord]:
    """Eight passes and two failures of the judge ``mood``, all of them sound in form."""
    return [
        make_record(
            line=line,
            probe=f"p{line}",
            outcome=outcome,
            verdicts=(verdict(judge="degeneration", judge_hash="d"), verdict(outcome=outcome)),
        )
        for line, outcome in enumerate(["pass"] * 8 + ["fail"] * 2)
    ]


def test_trust_is_found_by_hash_suite_and_category(records: list[TrialRecord]) -> None:
    """Everything must match; the judges of form are not asked for."""
    found = trust_in(records, "CONTROL", [MEASURED])

    assert found is not None
    assert found.calibration is MEASURED
    assert found.corrected is not None
    assert found.corrected.rate == pytest.approx((0.8 + 0.9 - 1) / 0.8)
    for other in (
        replace(MEASURED, judge_hash="abd"), replace(MEASURED, suite="lek"), replace(MEASURED, category="MYSTERY"),
        replace(MEASURED, judge="tone"), replace(MEASURED, agreement=Agreement()),
    ):  # fmt: skip
        assert trust_in(records, "CONTROL", [other]) is None


def test_the_least_trusted_judge_counts(records: list[TrialRecord]) -> None:
    """Where two decide, the rate is worth no more than the worse of them; an optional one does not count."""
    worse = replace(MEASURED, judge="tone", agreement=replace(GOOD, true_pass=30, false_fail=20))
    both = [replace(record, verdicts=(*record.verdicts, verdict(judge="tone", outcome="pass"))) for record in records]
    optional = [replace(record, verdicts=(verdict(required=False),)) for record in records]

    found = trust_in(both, "CONTROL", [MEASURED, worse])
    assert found is not None
    assert found.calibration is worse
    assert found.corrected is not None
    assert found.corrected.rate == 1.0
    assert trust_in(optional, "CONTROL", [MEASURED]) is None


def test_records_of_two_suites_or_two_versions_are_not_trusted(records: list[TrialRecord]) -> None:
    """A rate over several suites has no calibration; neither has one that two versions of a judge made."""
    mixed = [*records, replace(records[0], suite="other")]
    versions = [*records, replace(records[0], verdicts=(verdict(judge_hash="old"),))]

    assert trust_in(mixed, "CONTROL", [MEASURED]) is None
    assert trust_in(versions, "CONTROL", [MEASURED]) is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"source": replace(SOURCE, is_third_party=True)}, "its labels are of stored answers of others"),
        (
            {"agreement": replace(GOOD, effective_right=20.0)},
            "30 labels of each kind are needed, 20 are there",
        ),
        (
            {"agreement": replace(GOOD, true_pass=25.0, false_fail=25.0, true_fail=25.0, false_pass=25.0)},
            "the judge tells right from wrong too badly (Youden's J 0.00, under 0.2)",
        ),
    ],
)  # fmt: skip
def test_why_a_rate_is_not_corrected(records: list[TrialRecord], change: dict[str, Any], why: str) -> None:
    """Third-party labels, too few of them, a judge no better than a coin."""
    found = trust_in(records, "CONTROL", [replace(MEASURED, **change)])

    assert found is not None
    assert (found.corrected, found.why_not) == (None, why)


def test_the_terminal_shows_trust_beside_each_rate(records: list[TrialRecord], make_run: Make) -> None:
    """A column in the table, and the corrected rate below it."""
    summary = summarise(records, run=make_run(), calibrations=[MEASURED, WHOLE])
    lines = [" ".join(line.text.split()) for line in summary_lines(summary, (), (), width=100)]

    assert lines[1] == "category n pass rate Wilson 95 % collapsed judge right"
    assert lines[3] == "CONTROL 10 8/10 80.0 % 49.0–94.3 0/10 90 % of 100"
    assert (
        "judge mood, measured on 100 labels by ann, bo, blind; its pass rate corrected for its errors: "
        "87.5 % (46.8–100.0)"
    ) in " ".join(lines)


def test_markdown_shows_trust_and_the_corrected_rate(records: list[TrialRecord], make_run: Make) -> None:
    """Two columns more; without a calibration neither is there."""
    measured = markdown_of(summarise(records, run=make_run(), calibrations=[MEASURED]))
    plain = markdown_of(summarise(records, run=make_run()))
    (row,) = [line for line in measured.splitlines() if line.startswith("| CONTROL")]

    assert [cell.strip() for cell in row.strip("|").split("|")][-2:] == ["90 % of 100", "87.5 % (46.8–100.0)"]
    assert "judge right" not in plain
    assert "corrected" not in plain
