"""The summary in a terminal: its words, its figures and its width."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from itertools import takewhile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalkit.gates import Gate, GateResult
from evalkit.record import TrialRecord
from evalkit.reporting.summary import DEMO_STAMP, RunFacts, summarise
from evalkit.reporting.terminal import Line, summary_lines
from evalkit.stats import wilson_interval

MakeRecord = Callable[..., TrialRecord]
MakeRun = Callable[..., RunFacts]
MixedRun = tuple[list[TrialRecord], RunFacts]
LOOPING = "demo+looping:fp32:naked:greedy"


def texts(lines: list[Line]) -> list[str]:
    return [line.text for line in lines]


def shown(records: list[TrialRecord], run: RunFacts, results: tuple[GateResult, ...] = ()) -> list[str]:
    return texts(summary_lines(summarise(records, run=run), results, ()))


def test_a_whole_summary_reads_like_this(make_record: MakeRecord, make_run: MakeRun) -> None:
    """Every line of a small run with something of everything."""
    steady = "demo+steady:fp32:naked:greedy"
    records = [
        make_record(line=3, probe="tides", prompt_tokens=9, new_tokens=20, generation_s=2.0, finishes=("stop",)),
        make_record(line=9, probe="moon", outcome="fail", reason="text: expected 'cheese'\nfound none", sample=1),
        make_record(line=12, probe="sun", outcome="unscored", stored=True, stored_age_s=7300.0),
        make_record(line=15, probe="sea", outcome="error", reason="Host lost after 4 of 8 requests."),
        make_record(line=18, probe="sky", category="MYSTERY", finishes=("length",)),
        make_record(line=3, target=LOOPING, role="reference", outcome="fail", flags=("collapsed", "fabricated")),
    ]
    run = make_run(
        targets=(steady, LOOPING), categories=("CONTROL", "MYSTERY"), is_demo=True, out="reports/out/r1",
        log=".evalkit/host-r1.log", command="pytest suites/it --lf", footers=("steady: LoRA, r=8",), notes=("seed 7",),
        generated_tokens=1240, generating_s=2.0,
    )  # fmt: skip
    gate = Gate("loops", "it", "collapse_rate", at_least=0.8)
    results = (
        GateResult(gate, "pass", 1.0, 1, "collapse rate of x is 100.0 %"),
        GateResult(gate, "fail", 0.0, 1, "collapse rate of x is 0.0 %"),
        GateResult(gate, "undecided", None, 0, "not decided: 3 of 96 selected"),
        GateResult(gate, "undecided", None, 0, "not measurable: x has no trial in Y"),
        GateResult(gate, "not_applicable", None, 0, "not applicable: no trial of any subject in this run"),
    )

    lines = summary_lines(summarise(records, run=run), results, ("it: gates breached: loops",))

    assert texts(lines) == [
        "DEMO MODEL: its numbers mean nothing",
        "",
        "demo+steady:fp32:naked:greedy (subject)",
        "category  n  pass     rate  Wilson 95 %  collapsed  unscored  errors",
        "--------  -  ----  -------  -----------  ---------  --------  ------",
        "CONTROL   4   1/2   50.0 %     9.5–90.5        0/3         1       1",
        "MYSTERY   1   1/1  100.0 %   20.7–100.0        0/1         0       0",
        "all       5   2/3   66.7 %    20.8–93.9        0/4         1       1",
        "weighting: all counts every trial the same (CONTROL is 80.0 % of them); mean of",
        "the 2 categories 75.0 %",
        "1 of 4 unscored: the rate is 50.0 % if all of them failed, 75.0 % if all passed",
        "1 answer cut at max_new_tokens (finish: length)",
        "",
        "demo+looping:fp32:naked:greedy (reference)",
        "category  n  pass     rate  Wilson 95 %  collapsed  unscored  errors",
        "--------  -  ----  -------  -----------  ---------  --------  ------",
        "CONTROL   1   0/1    0.0 %     0.0–79.3        1/1         0       0",
        "all       1   0/1    0.0 %     0.0–79.3        1/1         0       0",
        "1 of 1 fabricated",
        "",
        "targets, all fp32:naked:greedy",
        "target        pass    rate  Wilson 95 %  collapsed  unscored  errors",
        "------------  ----  ------  -----------  ---------  --------  ------",
        "demo+steady    2/3  66.7 %    20.8–93.9      0.0 %         1       1",
        "demo+looping   0/1   0.0 %     0.0–79.3    100.0 %         0       0",
        "",
        "target        tokens  stored",
        "------------  ------  ------",
        "demo+steady       20     1/5",
        "demo+looping       0     0/1",
        "",
        "failing probes of demo+steady: 1, in suites/it",
        "control.yaml:9 moon:s1 — text: expected 'cheese'⏎found none",
        "reference targets: 1 failing, as they may; not listed",
        "",
        "errors: 1",
        "Host lost after 4 of 8 requests.",
        "  suites/it/control.yaml::sea[demo+steady:fp32:naked:greedy]",
        "",
        "gates",
        "ok           loops: collapse rate of x is 100.0 %",
        "BREACHED     loops: collapse rate of x is 0.0 %",
        "not decided  loops: 3 of 96 selected",
        "not decided  loops: not measurable: x has no trial in Y",
        "n.a.         loops: no trial of any subject in this run",
        "it: gates breached: loops",
        "",
        "adapter  steady: LoRA, r=8",
        "note     seed 7",
        "tokens   9 read, 20 written, 1240 in this run at 620 a second",
        "store    1 of 6 trials answered from it, the oldest 2 hours old",
        "time     5 min 12 s",
        "files    reports/out/r1: report.html, results.jsonl, summary.md, review.csv",
        "log      .evalkit/host-r1.log",
        "",
        "DEMO MODEL: its numbers mean nothing",
    ]
    styles = {line.text.split()[0]: line.style for line in lines if line.text}
    assert (styles["targets,"], styles["ok"], styles["BREACHED"], styles["DEMO"]) == ("title", "good", "bad", "note")


def test_one_clean_target_has_no_overview_and_no_empty_columns(make_record: MakeRecord, make_run: MakeRun) -> None:
    """Columns that are zero everywhere, lists of nothing and unknown paths are left out."""
    assert shown([make_record()], make_run()) == [
        "demo+steady:fp32:naked:greedy (subject)",
        "category  n  pass     rate  Wilson 95 %  collapsed",
        "--------  -  ----  -------  -----------  ---------",
        "CONTROL   1   1/1  100.0 %   20.7–100.0        0/1",
        "all       1   1/1  100.0 %   20.7–100.0        0/1",
        "",
        "tokens   0 read, 0 written, 0 in this run",
        "store    0 of 1 trial answered from it",
        "time     5 min 12 s",
    ]


def test_a_run_without_trials_says_so_calmly(make_run: MakeRun) -> None:
    """No table of nothing."""
    assert shown([], make_run()) == [
        "tokens   0 read, 0 written, 0 in this run", "store    0 of 0 trials answered from it", "time     5 min 12 s"
    ]  # fmt: skip


def test_every_figure_is_that_of_the_records(mixed_run: MixedRun) -> None:
    """Each row of each target's table, recomputed here by counting."""
    records, run = mixed_run

    lines = shown(records, run)

    for target in run.targets:
        start = next(number for number, line in enumerate(lines) if line.startswith(target))
        rows = {line.split()[0]: line.split()[1:] for line in takewhile(bool, lines[start + 3 :])}
        for category in (*run.categories, "all"):
            own = [r for r in records if r.target == target and category in (r.category, "all")]
            count = [sum(r.outcome == outcome for r in own) for outcome in ("pass", "fail", "unscored", "error")]
            scored, answered = count[0] + count[1], len(own) - count[3]
            wilson = wilson_interval(count[0], scored)
            collapsed = sum("collapsed" in r.flags and r.outcome != "error" for r in own)
            assert rows[category] == [
                str(len(own)), f"{count[0]}/{scored}", f"{100 * count[0] / scored:.1f}", "%",
                f"{100 * wilson.low:.1f}–{100 * wilson.high:.1f}", f"{collapsed}/{answered}",
                str(count[2]), str(count[3]),
            ]  # fmt: skip


def test_targets_side_by_side_fit_one_table_where_they_can(make_record: MakeRecord, make_run: MakeRun) -> None:
    """The demo's four targets with 96 trials each, and the columns of a clean run, take one table."""
    weights = ("demo:fp32", "demo+steady:fp32", "demo+steady:nf4", "demo+looping:fp32")
    targets = tuple(f"{name}:naked:greedy" for name in weights)
    records = [
        make_record(target=target, line=line, probe=f"p{line}", new_tokens=7, generation_s=0.5, stored=True)
        for target in targets for line in range(96)
    ]  # fmt: skip

    lines = shown(records, make_run(targets=targets))

    start = lines.index("targets, all naked:greedy")
    assert lines[start + 1 : start + 7] == [
        "target              pass     rate  Wilson 95 %  collapsed  tokens  stored",
        "-----------------  -----  -------  -----------  ---------  ------  ------",
        "demo:fp32          96/96  100.0 %   96.2–100.0      0.0 %     672   96/96",
        "demo+steady:fp32   96/96  100.0 %   96.2–100.0      0.0 %     672   96/96",
        "demo+steady:nf4    96/96  100.0 %   96.2–100.0      0.0 %     672   96/96",
        "demo+looping:fp32  96/96  100.0 %   96.2–100.0      0.0 %     672   96/96",
    ]


def test_at_most_forty_failing_probes_are_listed(make_record: MakeRecord, make_run: MakeRun) -> None:
    """The rest is counted and its place named."""
    records = [make_record(line=line, outcome="fail", reason="no") for line in range(1, 53)]

    lines = shown(records, make_run(out="reports/out/r1"))

    start = lines.index("failing probes of demo+steady: 52, in suites/it")
    assert lines[start + 40] == "control.yaml:40 tides — no"
    assert lines[start + 41] == "… and 12 more in reports/out/r1/review.csv"


def test_one_cause_of_many_errors_is_told_once_and_in_full(make_record: MakeRecord, make_run: MakeRun) -> None:
    """The reason is wrapped and never cut; the trials it cost follow."""
    reason = "Host lost after 41 of 128 requests: CUDA out of memory at batch 64. Host log: .evalkit/host-7f3a.log."
    records = [make_record(line=line, probe=f"p{line}", outcome="error", reason=reason) for line in (1, 2)]

    lines = shown(records, make_run())

    start = lines.index("errors: 2")
    assert lines[start + 1 : start + 5] == [
        "Host lost after 41 of 128 requests: CUDA out of memory at batch 64. Host log:",
        "  .evalkit/host-7f3a.log.",
        "  suites/it/control.yaml::p1[demo+steady:fp32:naked:greedy]",
        "  suites/it/control.yaml::p2[demo+steady:fp32:naked:greedy]",
    ]


def test_files_of_several_folders_name_the_folder_they_share(make_record: MakeRecord, make_run: MakeRun) -> None:
    """The rest of the path stays on the line."""
    files = ("suites/a/x.yaml", "suites/b.yaml")

    lines = shown([make_record(file=file, outcome="fail", reason="no") for file in files], make_run())

    start = lines.index("failing probes of demo+steady: 2, in suites")
    assert lines[start + 1 : start + 3] == ["a/x.yaml:3 tides — no", "b.yaml:3 tides — no"]


def test_hostile_text_does_no_harm(hostile: str, make_record: MakeRecord, make_run: MakeRun) -> None:
    """In every place a text can come from, no character that moves the cursor or hides text is left."""
    targets = (f"{hostile}:a:b:c", hostile or "x")
    records = [
        make_record(
            target=target, category=hostile, probe=hostile, reason=hostile, file=f"s/{hostile}", outcome=outcome
        )
        for target in targets for outcome in ("fail", "error")
    ]  # fmt: skip
    run = make_run(
        targets=targets, categories=(hostile,), footers=(hostile,), notes=(hostile,), log=hostile, out=hostile,
        command=hostile,
    )  # fmt: skip
    result = GateResult(Gate(hostile, "it", "pass_rate"), "fail", 0.0, 1, hostile)

    lines = summary_lines(summarise(records, run=run), [result], [hostile])

    for text in texts(lines):
        assert not {unicodedata.category(character) for character in text} & {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
        assert columns_of(text) <= 80


def columns_of(text: str) -> int:
    """Terminal cells, counted here on purpose without the code under test."""
    marks = sum(unicodedata.category(c) in ("Mn", "Me", "Cf") for c in text)
    wide = sum(unicodedata.east_asian_width(c) in ("W", "F") and unicodedata.category(c) != "Mn" for c in text)
    return len(text) - marks + wide


LABEL = st.text(st.characters(codec="utf-8"), min_size=1, max_size=120) | st.text(
    "中文字 한:/+-", min_size=1, max_size=90
)


@given(st.lists(st.tuples(LABEL, LABEL, LABEL), min_size=1, max_size=8), st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
def test_nothing_is_wider_than_eighty_columns(
    make_record: MakeRecord, make_run: MakeRun, names: list[tuple[str, str, str]], data: st.DataObject
) -> None:
    """Labels, categories and reasons of any script and length, counts of any size."""
    outcomes = st.sampled_from(["pass", "fail", "unscored", "error"])
    records = [
        make_record(
            target=target, category=category, reason=reason, probe=category, file=f"suites/{target}/x.yaml",
            outcome=data.draw(outcomes), new_tokens=data.draw(st.integers(0, 10**9)), stored=data.draw(st.booleans()),
            generation_s=data.draw(st.none() | st.floats(0.001, 1e6)), finishes=("length",), flags=("fabricated",),
        )
        for target, category, reason in names
    ]  # fmt: skip
    run = make_run(
        targets=(), categories=(), footers=(names[0][0],), notes=(names[0][1],), out=names[0][2], is_demo=True
    )
    gate = GateResult(Gate(names[0][0], "it", "pass_rate"), "pass", 1.0, 1, names[0][1])

    lines = summary_lines(summarise(records, run=run), [gate], [names[0][2]])

    assert max(columns_of(line.text) for line in lines) <= 80
    assert (lines[0].text, lines[-1].text) == (DEMO_STAMP, DEMO_STAMP)


@pytest.mark.parametrize("width", [40, 60, 100])
def test_another_width_is_kept_too(mixed_run: MixedRun, width: int) -> None:
    """The width is the caller's."""
    records, run = mixed_run

    lines = summary_lines(summarise(records, run=run), (), (), width=width)

    assert max(columns_of(line.text) for line in lines) <= width


def test_figures_stay_aligned_beside_wide_categories(make_record: MakeRecord, make_run: MakeRun) -> None:
    """A category in another script moves no column."""
    lines = shown([make_record(category="真偽"), make_record(category="CONTROL")], make_run())

    rows = [line for line in lines if line.endswith(("0/1", "collapsed"))]
    assert len(rows) == 3
    assert {columns_of(row) for row in rows} == {columns_of(rows[0])}


def test_failures_of_several_targets_name_each(make_record: MakeRecord, make_run: MakeRun) -> None:
    """The target stands on every line only where it is not the same for all."""
    targets = ("demo+a:fp32:naked:greedy", "demo+b:fp32:naked:greedy")
    records = [make_record(target=target, outcome="fail", reason="no") for target in targets]

    lines = shown(records, make_run(targets=targets))

    start = lines.index("failing probes: 2, in suites/it")
    assert lines[start + 1 : start + 3] == ["control.yaml:3 tides demo+a — no", "control.yaml:3 tides demo+b — no"]


def test_gates_of_suites_that_did_not_run_are_only_counted(make_record: MakeRecord, make_run: MakeRun) -> None:
    """One line for all of a suite's gates; those of a suite that ran stand alone."""
    results = [
        GateResult(Gate(name, suite, "pass_rate"), "not_applicable", None, 0, "not applicable: whatever")
        for name, suite in (("a", "far"), ("b", "far"), ("c", "it"))
    ]

    lines = texts(summary_lines(summarise([make_record()], run=make_run()), results, ()))

    start = lines.index("gates")
    assert lines[start + 1 : start + 3] == [
        "n.a.         2 gates of suite far, which is not in this run",
        "n.a.         c: whatever",
    ]


def test_families_and_over_refusals_are_told_under_the_table(make_record: MakeRecord, make_run: MakeRun) -> None:
    """Whose interval it is where samples and clusters stand or fall together, and what a high pass rate may hide."""
    refused = {"judge": "behaviour", "outcome": "fail", "labels": {"failure_type": "OVER_REFUSAL"}, "required": True}
    records = [
        make_record(probe=f"p{number % 3}", sample=number // 3, outcome="fail" if number == 4 else "pass",
                    verdicts=({**refused, "judge_hash": "ab"},) if number == 4 else ())
        for number in range(12)
    ]  # fmt: skip

    lines = shown(records, make_run())
    alone = shown(records[:4:3], make_run())

    said = " ".join(lines)
    assert "n pass rate 95 % collapsed" in " ".join(said.split())
    assert (
        "the interval is that of 3 families: samples of a probe and probes of a cluster are not as many questions"
    ) in said
    assert "1 of 12 over-refused: refused what should have been answered" in lines
    assert "the interval is that of one family: samples of a probe" in " ".join(alone)
