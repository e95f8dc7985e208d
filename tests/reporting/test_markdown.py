"""summary.md tells the same facts as the terminal, safe in a pull request."""

from __future__ import annotations

import re
from collections.abc import Callable

from evalkit.gates import Gate, GateResult
from evalkit.record import TrialRecord
from evalkit.reporting.finished import FinishedRun
from evalkit.reporting.markdown import CUT, GITHUB_COMMENT, summary_markdown
from evalkit.reporting.run_figures import run_figures
from evalkit.reporting.summary import RunFacts, summarise
from evalkit.stats import percent

MakeRecord = Callable[..., TrialRecord]
MakeRun = Callable[..., RunFacts]
MixedRun = tuple[list[TrialRecord], RunFacts]


def markdown_of(
    records: list[TrialRecord], run: RunFacts, results: tuple[GateResult, ...] = (), sentences: tuple[str, ...] = ()
) -> str:
    finished = FinishedRun(summarise(records, run=run), {}, results, None, sentences)
    return summary_markdown(finished, run_figures(finished.summary))


def test_a_whole_summary_reads_like_this(make_record: MakeRecord, make_run: MakeRun) -> None:
    """Every block of a small run with something of everything."""
    looping = "demo+looping:fp32:naked:greedy"
    records = [
        make_record(line=3, prompt_tokens=9, new_tokens=20, generation_s=2.0, flags=("fabricated",)),
        make_record(line=9, probe="moon", outcome="fail", reason="expected <b>\nfound `x`", sample=1),
        make_record(line=12, outcome="unscored", stored=True, stored_age_s=7300.0),
        make_record(line=15, probe="sea", outcome="error", reason="Host lost."),
        make_record(target=looping, role="reference", outcome="fail", flags=("collapsed",)),
    ]
    run = make_run(
        targets=("demo+steady:fp32:naked:greedy", looping), is_demo=True, out="reports/out/r1", log=".evalkit/h.log",
        command="pytest suites/it", footers=("steady: LoRA",), notes=("seed 7",), provenance=(("torch", "2.13"),),
    )  # fmt: skip
    result = GateResult(Gate("loops", "it", "collapse_rate"), "fail", 0.0, 1, "collapse rate of x is 0.0 %")

    markdown = markdown_of(records, run, (result,), ("it: gates breached: loops",))

    squeezed = re.sub(r" +", " ", re.sub(r"-{2,}", "--", markdown))
    assert (
        squeezed
        == """\
**DEMO MODEL: its numbers mean nothing**

# evalkit run 20251121-3f

- it: gates breached: loops

## Gates

| | gate | measured |
|:--|:--|:--|
| **BREACHED** | loops | collapse rate of x is 0.0 % |

## Targets

| target | pass | rate | Wilson 95 % | collapsed | unscored | errors | fabricated | over-refused | tokens | stored |
|:--|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|
| demo+steady:fp32:naked:greedy | 1/2 | 50.0 % | 9.5–90.5 | 0.0 % | 1 | 1 | 33.3 % | 0.0 % | 20 | 1/4 |
| demo+looping:fp32:naked:greedy | 0/1 | 0.0 % | 0.0–79.3 | 100.0 % | 0 | 0 | 0.0 % | 0.0 % | 0 | 0/1 |

## Between the targets, probe by probe

| comparison | pairs | before | after | change | 95 % | p | verdict |
|:--|--:|--:|--:|--:|--:|--:|--:|
| pass rate: demo+looping:fp32:naked:greedy → demo+steady:fp32:naked:greedy | 1 | 0.0 % | 100.0 % | +100.0 | \
[−58.7, 100.0] | 1.00 | INCOMPARABLE |

- INCOMPARABLE: only 1 of 3 probes are on both sides: 0 only before, 2 only after

## demo+steady:fp32:naked:greedy (subject)

| category | n | pass | rate | Wilson 95 % | collapsed | unscored | errors | if unscored failed–passed | fabricated \
|
|:--|--:|--:|--:|--:|--:|--:|--:|--:|--:|
| CONTROL | 4 | 1/2 | 50.0 % | 9.5–90.5 | 0/3 | 1 | 1 | 33.3 %–66.7 % | 1/3 |
| all | 4 | 1/2 | 50.0 % | 9.5–90.5 | 0/3 | 1 | 1 | 33.3 %–66.7 % | 1/3 |

- 1 of 3 unscored: the rate is 33.3 % if all of them failed, 66.7 % if all passed
- 1 of 3 fabricated

## demo+looping:fp32:naked:greedy (reference)

| category | n | pass | rate | Wilson 95 % | collapsed | unscored | errors | if unscored failed–passed | fabricated \
|
|:--|--:|--:|--:|--:|--:|--:|--:|--:|--:|
| CONTROL | 1 | 0/1 | 0.0 % | 0.0–79.3 | 1/1 | 0 | 0 | 0.0 %–0.0 % | 0/1 |
| all | 1 | 0/1 | 0.0 % | 0.0–79.3 | 1/1 | 0 | 0 | 0.0 %–0.0 % | 0/1 |

## Failing probes: 1

| where | probe | target | reason |
|:--|:--|:--|:--|
| suites/it/control.yaml:9 | moon:s1 | demo+steady:fp32:naked:greedy | expected &lt;b&gt;⏎found \\`x\\` |

```sh
pytest 'suites/it/control.yaml::moon[demo+steady:fp32:naked:greedy:s1]'
```

Reference targets: 1 failing, as they may; not listed.

## Errors: 1

| where | probe | target | reason |
|:--|:--|:--|:--|
| suites/it/control.yaml:15 | sea | demo+steady:fp32:naked:greedy | Host lost. |

<details><summary>All rates with their 95 % intervals</summary>

| of | passed | collapsed | fabricated | over-refused | unscored | errors |
|:--|--:|--:|--:|--:|--:|--:|
| demo+steady:fp32:naked:greedy, CONTROL | 1/2 50.0 % (9.5–90.5) | 0/3 0.0 % (0.0–99.7) | 1/3 33.3 % (0.0–99.8) | \
0/3 0.0 % (0.0–99.7) | 1/3 33.3 % (0.0–99.8) | 1/4 25.0 % (0.6–95.2) |
| demo+steady:fp32:naked:greedy | 1/2 50.0 % (9.5–90.5) | 0/3 0.0 % (0.0–99.7) | 1/3 33.3 % (0.0–99.8) | 0/3 0.0 % \
(0.0–99.7) | 1/3 33.3 % (0.0–99.8) | 1/4 25.0 % (0.6–95.2) |
| demo+looping:fp32:naked:greedy, CONTROL | 0/1 0.0 % (0.0–79.3) | 1/1 100.0 % (20.7–100.0) | 0/1 0.0 % (0.0–79.3) \
| 0/1 0.0 % (0.0–79.3) | 0/1 0.0 % (0.0–79.3) | 0/1 0.0 % (0.0–79.3) |
| demo+looping:fp32:naked:greedy | 0/1 0.0 % (0.0–79.3) | 1/1 100.0 % (20.7–100.0) | 0/1 0.0 % (0.0–79.3) | 0/1 0.0 \
% (0.0–79.3) | 0/1 0.0 % (0.0–79.3) | 0/1 0.0 % (0.0–79.3) |

</details>

<details><summary>Judges and suites, by hash</summary>

| judge | version | hash | its part | verdicts | pass / fail / unscored | asks | calibrated |
|--|--|--|--|--|--|--|--|

| suite | probes | trials | digest |
|:--|:--|:--|:--|
| it | 3 | 5 | 38d52a5d49f6 |

</details>

<details><summary>The run</summary>

- started: 2025-11-21 01:53:20 UTC
- time: 5 min 12 s
- tokens: 9 read, 20 written, 0 in this run
- store: 1 of 5 trials answered from it, the oldest 2 hours old
- adapter: steady: LoRA
- note: seed 7
- torch: 2.13
- log: .evalkit/h.log
- command: pytest suites/it

</details>

**DEMO MODEL: its numbers mean nothing**
"""
    )


def test_a_run_without_demo_targets_has_no_stamp(make_record: MakeRecord, make_run: MakeRun) -> None:
    """The first line is the title."""
    markdown = markdown_of([make_record()], make_run())

    assert markdown.startswith("# evalkit run 20251121-3f\n")
    assert "DEMO" not in markdown


def test_every_figure_is_that_of_the_records(mixed_run: MixedRun) -> None:
    """The table of each target, recomputed here by counting."""
    records, run = mixed_run

    sections = markdown_of(records, run).split("\n## ")

    for target in run.targets:
        (section,) = (section for section in sections if section.startswith(f"{target} ("))
        rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in section.splitlines() if line[:1] == "|"]
        found = {row[0]: dict(zip(rows[0], row, strict=True)) for row in rows[2:]}
        for category in (*run.categories, "all"):
            own = [r for r in records if r.target == target and category in (r.category, "all")]
            outcomes = [record.outcome for record in own]
            passed, scored = outcomes.count("pass"), outcomes.count("pass") + outcomes.count("fail")
            unscored, answered = outcomes.count("unscored"), len(own) - outcomes.count("error")
            row = found[category]
            assert (row["n"], row["pass"], row["rate"]) == (
                str(len(own)),
                f"{passed}/{scored}",
                percent(passed / scored),
            )
            assert (row["unscored"], row["errors"]) == (str(unscored), str(outcomes.count("error")))
            low, high = percent(passed / answered), percent((passed + unscored) / answered)
            assert row["if unscored failed–passed"] == f"{low}–{high}"


def test_hostile_text_does_no_harm(hostile: str, make_record: MakeRecord, make_run: MakeRun) -> None:
    """No tag, no link, no image, no row or line that we did not write, in every place a text can come from."""
    records = [
        make_record(target=hostile, category=hostile, probe=hostile, reason=hostile, file=hostile, outcome=outcome)
        for outcome in ("fail", "error")
    ]
    run = make_run(run_id=hostile, footers=(hostile,), notes=(hostile,), provenance=((hostile, hostile),), log=hostile)
    result = GateResult(Gate(hostile, "it", "pass_rate"), "fail", 0.0, 1, hostile)
    harmless = [
        make_record(target="x", category="x", probe="x", reason="x", file="x", outcome=r.outcome) for r in records
    ]
    plain_run = make_run(run_id="x", footers=("x",), notes=("x",), provenance=(("x", "x"),), log="x")
    plain_result = GateResult(Gate("x", "it", "pass_rate"), "fail", 0.0, 1, "x")

    markdown = outside_code(markdown_of(records, run, (result,), (hostile,)))
    plain = outside_code(markdown_of(harmless, plain_run, (plain_result,), ("x",)))

    assert not re.search(
        r"<(?!!-- -->|/?details>|/?summary>)|\x1b|\u202e|[\ud800-\udfff]|\x00|[^\\]\]\(|://|www\.|@\w", markdown
    )
    if hostile:
        assert shape(markdown) == shape(plain)


def outside_code(markdown: str) -> str:
    """The text without its one block of commands, which ends where its fence says and not before."""
    before, fence, rest = re.split(r"^(`{3,})sh$", markdown, maxsplit=1, flags=re.MULTILINE)
    commands, after = rest.split(f"\n{fence}\n", maxsplit=1)
    assert all(line.startswith("pytest ") and fence not in line for line in commands.splitlines()[1:])
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e\ud800-\udfff]", commands)
    return before + after


def shape(markdown: str) -> list[tuple[str, int]]:
    """How each line begins, and how many table cells it holds."""
    return [(re.match(r"#* ?|- |\|", line).group(), len(re.findall(r"(?<!\\)\|", line)))  # type: ignore[union-attr]
            for line in markdown.splitlines()]  # fmt: skip


def test_a_summary_fits_a_comment_whatever_it_has_to_tell(make_record: MakeRecord, make_run: MakeRun) -> None:
    """GitHub refuses more than 65,536 characters: lists get shorter, then the folded tables go, each saying so."""
    reason = "x" * 400
    some = [make_record(line=line, probe=f"p{line}", outcome="fail", reason=reason) for line in range(203)]
    wide = [
        make_record(line=line, probe=f"p{line}", outcome="fail", target=f"{'t' * 90}{line % 150}:fp32:naked:greedy")
        for line in range(600)
    ]

    shorter = markdown_of(some, make_run(out="reports/out/r1"))
    shortest = markdown_of(wide, make_run(out="reports/out/r1"))

    assert f"| {'x' * 299}… |" in shorter
    assert "\n… and 103 more in reports/out/r1/results.jsonl\n" in shorter
    assert "<details><summary>80 more</summary>" in shorter
    assert "<details><summary>All rates" in shorter
    assert 38_000 < len(shorter) <= GITHUB_COMMENT
    assert "<details><summary>All rates" not in shortest
    assert shortest.endswith(CUT)
    assert len(shortest) == GITHUB_COMMENT


def test_tables_are_made_narrow_before_anything_is_left_out(mixed_run: MixedRun) -> None:
    """Without the blanks that only line columns up, every cell as it was."""
    records, run = mixed_run
    finished = FinishedRun(summarise(records, run=run))
    pretty = summary_markdown(finished, run_figures(finished.summary))

    narrow = summary_markdown(finished, run_figures(finished.summary), limit=len(pretty) - 1)

    assert len(narrow) < 0.8 * len(pretty)
    assert [re.findall(r"[^| ]+", line) for line in narrow.splitlines() if "--" not in line] == [
        re.findall(r"[^| ]+", line) for line in pretty.splitlines() if "--" not in line
    ]
    assert shape(narrow) == shape(pretty)


def test_what_the_folded_tables_leave_out_is_said(make_record: MakeRecord, make_run: MakeRun) -> None:
    """Where the tables are what is too long, the run and its failing probes stay."""
    records = [make_record(line=line, probe=f"p{line}", category=f"{'c' * 60}{line}") for line in range(160)]
    run = FinishedRun(summarise(records, run=make_run()))

    markdown = summary_markdown(run, run_figures(run.summary), limit=20_000)

    assert (
        "\nMore tables are left out here: GitHub takes no longer comment. See report.html or results.jsonl.\n"
        in markdown
    )
    assert "<details><summary>The run</summary>" in markdown
    assert len(markdown) <= 20_000
