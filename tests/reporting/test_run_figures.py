"""The figures of a run: which rows there are, what each divides by, what is compared with what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evalkit.measured import Measured
from evalkit.record import TrialRecord
from evalkit.reporting.figure_deltas import deltas_against
from evalkit.reporting.run_figures import figure_row, run_figures
from evalkit.reporting.summary import ALL, RunFacts, summarise
from evalkit.store.baselines import suite_hash
from evalkit.tally import Tally

MakeRecord = Callable[..., TrialRecord]
MakeRun = Callable[..., RunFacts]
BASE, TUNED = "m:bf16:naked:greedy", "m+a/checkpoint-300:bf16:calm:greedy"


def verdict(outcome: str, kind: str | None = None, **changes: Any) -> dict[str, Any]:
    labels = {} if kind is None else {"failure_type": kind}
    plain = {"judge": "behaviour", "judge_version": "3", "judge_hash": "ab", "outcome": outcome, "required": True}
    return {**plain, "score": None, "labels": labels, "asked": [], **changes}


def test_rows_are_the_categories_of_each_target_and_then_the_target(make_record: MakeRecord, make_run: MakeRun) -> None:
    """In the order of the plan and of the suites; suites only where there are several; the whole run apart."""
    records = [
        make_record(target=target, category=category, suite=suite, file=f"suites/{suite}/a.yaml", probe=f"{suite}{n}")
        for target in (TUNED, BASE)
        for suite in ("one", "two")
        for n, category in enumerate(("B", "A"))
    ]

    figures = run_figures(summarise(records, run=make_run(targets=(BASE, TUNED), categories=("B", "A"))))
    alone = run_figures(summarise([r for r in records if r.suite == "one"], run=make_run()))

    assert [(row.target, row.category, row.n) for row in figures.rows] == [
        (target, category, n) for target in (BASE, TUNED) for category, n in (("B", 2), ("A", 2), (None, 4))
    ]
    assert [(row.target, row.suite, row.n) for row in figures.suites] == [
        (target, suite, 2) for suite in ("one", "two") for target in (BASE, TUNED)
    ]
    assert (figures.total.target, figures.total.n) == ("", 8)
    assert [row.condition for row in figures.targets] == ["naked", "calm"]
    assert [row.category for row in figures.categories(BASE)] == ["B", "A"]
    assert alone.suites == ()


def test_every_share_divides_by_what_it_is_about(make_record: MakeRecord, make_run: MakeRun) -> None:
    """Passes by scored trials, errors by all, everything else by answers; an error's flags count nowhere."""
    records = [
        make_record(probe="a", verdicts=(verdict("pass", "TRUE_PASS"),), words=10),
        make_record(probe="b", outcome="fail", verdicts=(verdict("fail", "OVER_REFUSAL"),), words=20),
        make_record(probe="c", outcome="fail", verdicts=(verdict("fail", "HALLUCINATION"),), flags=("fabricated",)),
        make_record(probe="d", outcome="unscored", flags=("collapsed",), finishes=("length",)),
        make_record(probe="e", outcome="error", flags=("collapsed", "fabricated"), words=99),
    ]

    figures = run_figures(summarise(records, run=make_run()))
    (row,) = figures.targets

    found = {name: (getattr(row, name).part, getattr(row, name).whole) for name in (
        "passes", "collapses", "fabrications", "over_refusals", "unscoreds", "errors",
    )}  # fmt: skip
    assert found == {
        "passes": (1, 3), "collapses": (1, 4), "fabrications": (1, 4), "over_refusals": (1, 4), "unscoreds": (1, 4),
        "errors": (1, 5),
    }  # fmt: skip
    assert (row.failed, row.cut, row.words) == (2, 1, 15.0)
    assert (row.if_unscored_failed, row.if_unscored_passed) == (0.25, 0.5)
    assert figures.tells_failures


def test_no_kind_of_failure_is_told_where_no_judge_tells_any(make_record: MakeRecord, make_run: MakeRun) -> None:
    """Then no over-refusal was looked for, which is not the same as there being none."""
    assert not run_figures(summarise([make_record(verdicts=(verdict("pass"),))], run=make_run())).tells_failures


def test_judges_and_suites_are_told_apart_by_hash(make_record: MakeRecord, make_run: MakeRun) -> None:
    """One row for each hash of a judge; a suite's digest is the one that a baseline of the run holds."""
    records = [
        make_record(probe="a", probe_hash="1", verdicts=(verdict("pass", asked=[{"model": "haiku"}]),)),
        make_record(probe="b", probe_hash="2", outcome="fail", verdicts=(verdict("fail", judge_hash="cd"),)),
    ]

    figures = run_figures(summarise(records, run=make_run()))

    assert [(row.judge_hash, row.verdicts, row.passed, row.failed, row.models) for row in figures.judges] == [
        ("ab", 1, 1, 0, ("haiku",)), ("cd", 1, 0, 1, ()),
    ]  # fmt: skip
    (suite,) = figures.asked
    assert (suite.suite, suite.probes, suite.trials) == ("it", 2, 2)
    assert suite.digest == suite_hash(map(Measured.of, records), "it")


def test_checkpoints_stand_in_the_order_of_their_steps(make_record: MakeRecord, make_run: MakeRun) -> None:
    """A series is the label without its step; a target without one is in none."""
    targets = ["m+r/checkpoint-900:bf16:naked:greedy", "m+r/checkpoint-90:bf16:naked:greedy", BASE]
    records = [make_record(target=label, step=step) for label, step in zip(targets, (900, 90, None), strict=True)]

    steps = run_figures(summarise(records, run=make_run(targets=tuple(targets)))).steps

    assert [(row.series, row.step) for row in steps] == [
        ("m+r/checkpoint-…:bf16:naked:greedy", 90), ("m+r/checkpoint-…:bf16:naked:greedy", 900),
    ]  # fmt: skip


def test_a_target_is_compared_with_its_base_and_with_itself_before(make_record: MakeRecord, make_run: MakeRun) -> None:
    """Within the run against the barest target; against an earlier run by label, or the only one of each."""
    now = [
        make_record(probe=f"p{n}", target=label, outcome="fail" if n < lost else "pass", category="AB"[n % 2])
        for label, lost in ((BASE, 0), (TUNED, 9))
        for n in range(20)
    ]
    summary = summarise(now, run=make_run(targets=(TUNED, BASE)))
    before = summarise([make_record(probe=f"p{n}", target="old:bf16:naked:greedy") for n in range(20)], run=make_run())
    tuned = summarise([record for record in now if record.target == TUNED], run=make_run())

    (delta,) = run_figures(summary).deltas
    assert (delta.before, delta.after, delta.metric, delta.comparison.verdict) == (
        BASE,
        TUNED,
        "pass_rate",
        "REGRESSED",
    )
    assert [(part.category, part.pairs, part.worse) for part in delta.parts] == [("A", 10, 5), ("B", 10, 4)]
    assert [(one.before, one.after) for one in deltas_against(summary, tuned)] == [(TUNED, TUNED)]
    assert [(one.before, one.after) for one in deltas_against(tuned, before)] == [("old:bf16:naked:greedy", TUNED)]
    assert deltas_against(summary, before) == ()


def test_what_has_but_one_part_has_the_figures_of_all_its_trials(mixed_run: tuple[list[TrialRecord], RunFacts]) -> None:
    """One category of one target: its tally and row stand for the target and the run, as reckoned of their trials."""
    records, run = mixed_run
    label, category = records[1].target, records[1].category
    own = [record for record in records if (record.target, record.category) == (label, category)]

    summary = summarise(own, run=run)
    found = run_figures(summary)

    (target,) = summary.targets
    assert (target.total, summary.total) == (Tally.of(ALL, summary.records), Tally.of(ALL, summary.records))
    whole = figure_row(summary.records, target.total, target=label, role=target.role)
    part = figure_row(summary.records, target.categories[0], target=label, role=target.role, category=category)
    assert found.rows == (part, whole)
    assert found.total == figure_row(summary.records, summary.total)
