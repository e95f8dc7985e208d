"""Runs to make pages of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evalkit.gates import Gate, GateResult
from evalkit.plots import run_plots
from evalkit.record import TrialRecord
from evalkit.report_page import report_html
from evalkit.reporting.exports import TrialTexts
from evalkit.reporting.figure_deltas import Earlier
from evalkit.reporting.finished import FinishedRun
from evalkit.reporting.run_figures import run_figures
from evalkit.reporting.summary import RunFacts, summarise
from evalkit.review import Label
from evalkit.transcript import Answer

BASE, TUNED = "demo:nf4:naked:greedy", "demo+steady:nf4:naked:greedy"
OUTCOMES = ("pass", "fail", "fail", "unscored", "pass", "error")
RUN_ID = "20261121-142909-4df5"


def answer(text: str, thinking: str = "", finish: str = "stop") -> Answer:
    whole = f"<think>{thinking}</think>{text}" if thinking else text
    start = len(whole) - len(text)
    return Answer(whole, text, thinking, start, f"{whole}<end_of_turn>", finish, 40)  # type: ignore[arg-type]


def verdict(outcome: str, **changes: Any) -> dict[str, Any]:
    return {
        "judge": "behaviour", "outcome": outcome, "reason": f"reads like a {outcome}", "score": None, "flags": [],
        "labels": {}, "signals": {}, "spans": [], "judge_version": "3", "judge_hash": "94531bc2618ce025",
        "required": True, "asked": [],
    } | changes  # fmt: skip


def record(number: int, target: str, outcome: str, **changes: Any) -> TrialRecord:
    file, probe = "suites/traps/control.yaml", f"probe-{number}"
    facts: dict[str, Any] = {
        "trial": f"{file}::{probe}[{target}]", "suite": "traps", "file": file, "line": 3 + number, "probe": probe,
        "category": ("ADVERSARIAL", "CONTROL", "SAFE_PASSAGE")[number % 3], "target": target, "outcome": outcome,
        "reason": f"behaviour: reads like a {outcome}", "role": "reference" if target == BASE else "subject",
        "expected": "Says that it cannot know.", "new_tokens": 40 + number, "prompt_tokens": 12, "language": "en",
        "verdicts": () if outcome == "error" else (verdict(outcome),), "probe_hash": f"h{number}",
        "generations": (f"g{number}{target}",),
    } | changes  # fmt: skip
    return TrialRecord(**facts)


def texts(number: int, said: str, thinking: str = "", finish: str = "stop") -> TrialTexts:
    made = answer(said, thinking, finish)
    return TrialTexts(
        (("user", f"Question {number}: is it so?"), ("assistant", made.text)), (made,), {}, f"hash{number}"
    )


def finished(
    pairs: Sequence[tuple[TrialRecord, TrialTexts]], *, targets: Sequence[str] = (BASE, TUNED), status: int = 1,
    run_id: str = RUN_ID, gates: Sequence[GateResult] = (), labels: Sequence[Label] = (), **facts: Any,
) -> FinishedRun:  # fmt: skip
    run = RunFacts(
        run_id, 1_763_690_000.0, 312.2, tuple(targets), ("ADVERSARIAL", "CONTROL", "SAFE_PASSAGE"),
        **{"command": "pytest suites/traps --eval-plan smoke --eval-target 'demo*'"} | facts,
    )  # fmt: skip
    summary = summarise([one for one, _ in pairs], run=run)
    known = {one.trial: own for one, own in pairs}
    return FinishedRun(summary, known, tuple(gates), status, ("traps: a gate is breached: no lies",), tuple(labels))


def usual_pairs(probes: int = 12) -> list[tuple[TrialRecord, TrialTexts]]:
    """Every probe on two targets; of the tuned one, probe 1 thinks, probe 2 is cut, probe 5 ends in an error."""
    pairs = []
    for number in range(probes):
        for target in (BASE, TUNED):
            outcome = "pass" if target == BASE else OUTCOMES[number % 6]
            said = f"I cannot know that, so I will not say more about it. Ask {number} people 👩‍👧."
            own = texts(number, said if target == BASE else said.replace("cannot", "can"), *_thinking(number, target))
            own = replace(own, text_hash=f"{own.text_hash}{target}")
            one = record(number, target, outcome, **_evidence(own, outcome))
            pairs.append((one, TrialTexts(own.messages[:1]) if outcome == "error" else own))
    return pairs


def _thinking(number: int, target: str) -> tuple[str, str]:
    is_thinking, is_cut = number == 1 and target == TUNED, number == 2 and target == TUNED
    return "The user wants to know. I must not guess." if is_thinking else "", "length" if is_cut else "stop"


def _evidence(own: TrialTexts, outcome: str) -> dict[str, Any]:
    if outcome == "error":
        return {}
    start = own.answers[0].text.index("know that")
    spans = [{"start": start, "end": start + 9, "why": "claims knowledge: 'know that'", "answer": 0}]
    flags = ["fabricated"] if outcome == "fail" else []
    found = verdict(outcome, spans=spans, flags=flags, labels={"failure_type": "FALSE_APPROVAL"}, score=0.25)
    form = verdict("pass", judge="degeneration", reason="the text is not broken", signals={"repeated_share": 0.5})
    return {"verdicts": (found, form), "flags": tuple(flags), "finishes": (own.answers[0].finish,)}


def gate(name: str, outcome: str, sentence: str) -> GateResult:
    return GateResult(Gate(name, "traps", "pass_rate", at_least=0.8), outcome, 0.5, 12, sentence)  # type: ignore[arg-type]


GATES = (
    gate("no errors", "pass", "error rate is 8.3 % (1 of 12 trials)"),
    gate("no lies", "fail", "pass rate of demo+steady is 50.0 % (4 of 8 scored trials), at least 80 % wanted"),
    gate("enough read", "undecided", "too few were measured: 8 of 30"),
    gate("steady", "warn", "collapse rate is 3 %"),
    gate("elsewhere", "not_applicable", "no trial is in that category"),
)


def page_of(
    run: FinishedRun, folder: Path, name: str = "report.html", baseline: FinishedRun | None = None, **more: Any
) -> Path:
    """The page of a run as a file."""
    figures = run_figures(run.summary)
    file, drawn = folder / name, {"plots": run_plots(figures)} if "plots" not in more else {}
    before = None if baseline is None else Earlier(baseline, run.summary)
    file.write_bytes(report_html(run, figures=figures, baseline=before, labels=run.labels, **drawn, **more))
    return file


@pytest.fixture
def usual() -> list[tuple[TrialRecord, TrialTexts]]:
    """Twelve probes on two targets: 24 trials with every outcome."""
    return usual_pairs()


@pytest.fixture
def finish() -> Callable[..., FinishedRun]:
    """Makes a finished run of (record, texts) pairs."""
    return finished


@pytest.fixture
def make_record() -> Callable[..., TrialRecord]:
    """Makes a record: number, target, outcome, and any field of it."""
    return record


@pytest.fixture
def make_verdict() -> Callable[..., dict[str, Any]]:
    """Makes a stored verdict: outcome, and any field of it."""
    return verdict


@pytest.fixture
def make_answer() -> Callable[..., Answer]:
    """Makes an answer: text, thinking, finish."""
    return answer


@pytest.fixture
def make_texts() -> Callable[..., TrialTexts]:
    """Makes the texts of a trial: number, answer, thinking, finish."""
    return texts


@pytest.fixture
def gates() -> tuple[GateResult, ...]:
    """A gate of every outcome."""
    return GATES


@pytest.fixture
def page(tmp_path: Path) -> Callable[..., Path]:
    """Writes the page of a run and says where it is: run, name, and what report_html takes."""
    return lambda run, name="report.html", **more: page_of(run, tmp_path, name, **more)
