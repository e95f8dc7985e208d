"""summary.md tells the same facts as the terminal, safe in a pull request."""

from __future__ import annotations

import re
from collections.abc import Callable

from evalkit.gates import Gate, GateResult
from evalkit.record import TrialRecord
from evalkit.reporting.markdown import summary_markdown
from evalkit.reporting.summary import RunFacts, summarise
from evalkit.stats import percent

MakeRecord = Callable[..., TrialRecord]
MakeRun = Callable[..., RunFacts]
MixedRun = tuple[list[TrialRecord], RunFacts]


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

    markdown = summary_markdown(summarise(records, run=run), [result], ["it: gates breached: loops"])

    squeezed = re.sub(r" +", " ", re.sub(r"-{2,}", "--", markdown))
    assert (
        squeezed
        == """\
**DEMO MODEL: its numbers mean nothing**

# evalkit run 20251121-3f

- it: gates breached: loops

## Targets

| target | pass | rate | Wilson 95 % | collapsed | unscored | errors | tokens | stored |
|:--|--:|--:|--:|--:|--:|--:|--:|--:|
| demo+steady:fp32:naked:greedy | 1/2 | 50.0 % | 9.5–90.5 | 0.0 % | 1 | 1 | 20 | 1/4 |
| demo+looping:fp32:naked:greedy | 0/1 | 0.0 % | 0.0–79.3 | 100.0 % | 0 | 0 | 0 | 0/1 |

## demo+steady:fp32:naked:greedy (subject)

| category | n | pass | rate | Wilson 95 % | collapsed | unscored | errors | if unscored failed–passed | fabricated |
|:--|--:|--:|--:|--:|--:|--:|--:|--:|--:|
| CONTROL | 4 | 1/2 | 50.0 % | 9.5–90.5 | 0/3 | 1 | 1 | 33.3 %–66.7 % | 1 |
| all | 4 | 1/2 | 50.0 % | 9.5–90.5 | 0/3 | 1 | 1 | 33.3 %–66.7 % | 1 |

- 1 of 3 unscored: the rate is 33.3 % if all of them failed, 66.7 % if all passed
- 1 of 3 fabricated

## demo+looping:fp32:naked:greedy (reference)

| category | n | pass | rate | Wilson 95 % | collapsed | unscored | errors | if unscored failed–passed | fabricated |
|:--|--:|--:|--:|--:|--:|--:|--:|--:|--:|
| CONTROL | 1 | 0/1 | 0.0 % | 0.0–79.3 | 1/1 | 0 | 0 | 0.0 %–0.0 % | 0 |
| all | 1 | 0/1 | 0.0 % | 0.0–79.3 | 1/1 | 0 | 0 | 0.0 %–0.0 % | 0 |

## Failing probes: 1

| where | probe | target | reason |
|:--|:--|:--|:--|
| suites/it/control.yaml:9 | moon:s1 | demo+steady:fp32:naked:greedy | expected &lt;b&gt;⏎found \\`x\\` |

Reference targets: 1 failing, as they may; not listed.

## Errors: 1

| where | probe | target | reason |
|:--|:--|:--|:--|
| suites/it/control.yaml:15 | sea | demo+steady:fp32:naked:greedy | Host lost. |

## Gates

| | gate | measured |
|:--|:--|:--|
| **BREACHED** | loops | collapse rate of x is 0.0 % |

## Run

- started: 2025-11-21 01:53:20 UTC
- time: 5 min 12 s
- tokens: 9 read, 20 written, 0 in this run
- store: 1 of 5 trials answered from it, the oldest 2 hours old
- adapter: steady: LoRA
- note: seed 7
- torch: 2.13
- log: .evalkit/h.log
- command: pytest suites/it

**DEMO MODEL: its numbers mean nothing**
"""
    )


def test_a_run_without_demo_targets_has_no_stamp(make_record: MakeRecord, make_run: MakeRun) -> None:
    """The first line is the title."""
    markdown = summary_markdown(summarise([make_record()], run=make_run()))

    assert markdown.startswith("# evalkit run 20251121-3f\n")
    assert "DEMO" not in markdown


def test_every_figure_is_that_of_the_records(mixed_run: MixedRun) -> None:
    """The table of each target, recomputed here by counting."""
    records, run = mixed_run

    sections = summary_markdown(summarise(records, run=run)).split("\n## ")

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

    markdown = summary_markdown(summarise(records, run=run), [result], [hostile])
    plain = summary_markdown(summarise(harmless, run=plain_run), [plain_result], ["x"])

    assert not re.search(r"<(?!!-- -->)|\x1b|\u202e|[\ud800-\udfff]|\x00|[^\\]\]\(|://|www\.|@\w", markdown)
    if hostile:
        assert shape(markdown) == shape(plain)


def shape(markdown: str) -> list[tuple[str, int]]:
    """How each line begins, and how many table cells it holds."""
    return [(re.match(r"#* ?|- |\|", line).group(), len(re.findall(r"(?<!\\)\|", line)))  # type: ignore[union-attr]
            for line in markdown.splitlines()]  # fmt: skip


def test_long_lists_and_reasons_are_cut_with_a_mark(make_record: MakeRecord, make_run: MakeRun) -> None:
    """A comment on a pull request has a limit; the whole is in results.jsonl."""
    records = [make_record(line=line, outcome="fail", reason="x" * 400) for line in range(203)]

    markdown = summary_markdown(summarise(records, run=make_run(out="reports/out/r1")))

    assert "\n… and 3 more in reports/out/r1/results.jsonl\n" in markdown
    assert f"| {'x' * 299}… |" in markdown
