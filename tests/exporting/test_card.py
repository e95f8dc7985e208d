"""The model-card section: what it says beside its figures, and in honest words what they do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from evalkit.exporting.card import card_markdown
from evalkit.exporting.limits import limitations
from evalkit.record import TrialRecord
from evalkit.reporting.finished import FinishedRun
from evalkit.reporting.run_figures import run_figures
from evalkit.reporting.summary import RunFacts, summarise

MakeRecord = Callable[..., TrialRecord]
MakeRun = Callable[..., RunFacts]


def card_of(run: FinishedRun) -> str:
    return card_markdown(run, run_figures(run.summary))


def limits_of(run: FinishedRun) -> list[str]:
    return limitations(run, run_figures(run.summary))


def test_a_bare_run_says_what_it_cannot_tell(make_record: MakeRecord, make_run: MakeRun) -> None:
    """No labels, no calibration, few trials, holes: each in a sentence with its number."""
    judged = {"judge": "grader", "judge_version": "1", "judge_hash": "ab", "outcome": "pass", "required": True}
    records = [
        make_record(
            probe=f"p{n}", outcome=outcome, language="en", finishes=("length",) if n == 0 else ("stop",), stored=n == 1,
            verdicts=() if outcome == "error" else ({**judged, "asked": [{"model": "claude-haiku"}]},),
        )
        for n, outcome in enumerate(("pass",) * 7 + ("fail", "unscored", "error"))
    ]  # fmt: skip
    target = "demo+steady:fp32:naked:greedy"

    assert limits_of(FinishedRun(summarise(records, run=make_run()))) == [
        "Nobody measured how often these judges are right, as they are here: grader.",
        "Language models decide part of the verdicts: grader (asks claude-haiku).",
        "No person has read an answer of this run: the automated rates stand uncorrected.",
        f"{target}: the pass rate of 8 scored trials is known to about ±22.4 points (95 %: 52.9–97.8 %).",
        "Categories that rest on fewer than 30 scored trials of a target (the least of any): CONTROL (8).",
        f"{target}: not scored: 1 of 9 answers; the pass rate is 77.8 % if all of them failed and 88.9 % if all "
        "passed.",
        f"{target}: in no rate, because of an error: 1 of 10 trials.",
        f"{target}: cut at the token limit and judged so: 1 answer.",
        "No judge of this run says of what kind failures are: fabrication and over-refusal were not looked for, and a "
        "high pass rate may hide either.",
        "The probes that name a language are in: en.",
        "Answered from the store, by earlier generations: 1 of 10 trials.",
        "The rates are about the probes of it (10 probes). They say nothing about other questions.",
    ]


def test_over_refusal_stands_beside_safety(rich_run: FinishedRun) -> None:
    """How many answers it was looked for in, how many it was found in, and how many it may still be."""
    said = limits_of(rich_run)
    row = run_figures(rich_run.summary).targets[0].over_refusals

    assert (
        f"m:bf16:naked:greedy: over-refusal was looked for in {row.whole} answers and found in {row.part}; "
        f"up to {100 * row.high:.1f} % is possible at 95 %." in said
    )
    assert rich_run.reviewed is not None
    read, answers = rich_run.reviewed.labelled, rich_run.reviewed.answers
    assert f"People have read {read} of {answers} answers ({100 * read / answers:.1f} %)." in said
    assert "No person has read" not in " ".join(said)
    header = next(line for line in card_of(rich_run).splitlines() if line.startswith("| target "))
    names = [cell.strip() for cell in header.split("|")[1:-1]]
    assert names == [
        "target",
        "automated",
        "manual",
        "corrected",
        "collapsed",
        "fabricated",
        "over-refused",
        "unscored",
    ]


def test_everything_that_answered_and_judged_is_named(rich_run: FinishedRun) -> None:
    """Versions, sample, judges and suites by hash: two people can tell whether they measured the same."""
    plan = "plan smoke of alone: 45 of 90 probes (ADVERSARIAL 15), seed 2026, ids 3f1a00000000"
    facts = replace(rich_run.summary.run, plans=(plan,), evalkit="0.1", command="pytest suites", footers=("run: LoRA",))
    facts = replace(facts, notes=("survey: m gives the same answer to 6 probes: 'a quote'", "seed 7"))
    run = replace(rich_run, summary=replace(rich_run.summary, run=facts))

    card = card_of(run)

    for line in (
        "- run: 20251121-3f", "- evalkit: 0.1", "- torch: 2.13", f"- sample: {plan}", "- adapter: run: LoRA",
        "- command: pytest suites", "- note: seed 7",
    ):  # fmt: skip
        assert f"\n{line}\n" in card
    assert "a quote" not in card
    figures = run_figures(run.summary)
    assert all(row.judge_hash[:12] in card for row in figures.judges)
    assert all(row.digest in card for row in figures.asked)
    assert f"plan: '{plan}'" in " ".join(card.split("\n---\n")[0].split())


def test_a_demo_run_is_stamped_and_has_no_metadata(rich_run: FinishedRun) -> None:
    """First and last in the section, first among the limitations; nothing for the hub."""
    demo = replace(rich_run, summary=replace(rich_run.summary, run=replace(rich_run.summary.run, is_demo=True)))

    card = card_of(demo)

    assert card.startswith("## Evaluation\n\n**DEMO MODEL: its numbers mean nothing**\n")
    assert card.endswith("\n\n**DEMO MODEL: its numbers mean nothing**\n")
    assert "- DEMO MODEL: its numbers mean nothing. Do not publish this section.\n" in card
    assert "model-index" not in card


def test_hostile_names_do_no_harm(hostile: str, make_record: MakeRecord, make_run: MakeRun) -> None:
    """The metadata stays one document, the section gets no tag, link or row of its own."""
    yaml = pytest.importorskip("yaml")
    record = make_record(target=hostile, category=hostile, suite=hostile, probe=hostile)
    run = FinishedRun(summarise([record], run=make_run(run_id=hostile, notes=(hostile,), plans=(hostile,))))

    _, front, section = card_of(run).split("---\n", maxsplit=2)

    (entry,) = yaml.safe_load(front)["model-index"]
    assert set(entry) == {"name", "results"}
    assert not any(character in front for character in "\x00\x1b\x9b\u202e")
    assert not any(text in section for text in ("<script", "\x1b", "\u202e", "](f", "://", "www.", "@octocat"))
