"""Runs to plot."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from evalkit.plots import Plot, run_plots
from evalkit.record import TrialRecord
from evalkit.reporting.figure_nouns import RunFigures, StepRow, TrustRow
from evalkit.reporting.run_figures import run_figures
from evalkit.reporting.summary import RunFacts, summarise
from evalkit.stats import wilson_interval
from evalkit.tally import Share

BASE = "gemma2-27b:nf4:naked:greedy"
TUNED = "gemma2-27b+logos21:nf4:naked:greedy"


def record(target: str, category: str, number: int, outcome: str, score: float | None, role: str) -> TrialRecord:
    verdict = {
        "judge": "heuristic", "judge_version": 1, "judge_hash": "h", "required": True, "outcome": outcome,
        "score": score, "flags": (), "labels": {}, "spans": (), "reason": "",
    }  # fmt: skip
    return TrialRecord(
        trial=f"s.yaml::{category}{number}[{target}]", suite="traps", file="s.yaml", line=number + 1,
        probe=f"{category}_{number}", category=category, target=target, outcome=outcome, reason="", role=role,
        score=score, verdicts=(verdict,), probe_hash=f"{category}{number}",
        generations=(f"{target}{category}{number}",),
    )  # type: ignore[arg-type]  # fmt: skip


def make_run(
    targets: Sequence[str] = (BASE, TUNED), categories: Sequence[str] = ("fraud", "medical"), n: int = 12,
    scores: bool = False, passes: Mapping[str, float] | None = None, roles: Mapping[str, str] | None = None,
) -> RunFigures:  # fmt: skip
    """``n`` trials of every target in every category, of which it passes the share given (else about 0.8)."""
    draw = random.Random(0)
    records = []
    for target in targets:
        for category in categories:
            for number in range(n):
                share = (passes or {}).get(target)
                is_pass = draw.random() < 0.8 if share is None else number < round(share * n)
                score = round(draw.gauss(20, 3), 2) if scores else None
                role = (roles or {}).get(target, "subject")
                records.append(record(target, category, number, "pass" if is_pass else "fail", score, role))
    facts = RunFacts("run", 0.0, 1.0, tuple(targets), tuple(categories))
    return run_figures(summarise(records, run=facts))


def make_share(part: int, whole: int) -> Share:
    found = wilson_interval(part, whole)
    return Share(part, whole, found.low, found.high, whole)


def make_steps(series: Sequence[str], steps: Sequence[int] = (100, 200, 300)) -> tuple[StepRow, ...]:
    return tuple(
        StepRow(name, step, name.replace("…", str(step)), make_share(40 + step // 10 + place, 100))
        for place, name in enumerate(series)
        for step in steps
    )


def make_trust(judge: str = "behaviour", category: str | None = None, **changes: object) -> TrustRow:
    facts: dict[str, object] = {
        "target": BASE, "category": category, "suite": "traps", "judge": judge, "judge_hash": "h", "labels": 120,
        "reviewers": ("anna", "ben"), "blind": True, "is_third_party": False, "accuracy": (0.92, 0.86, 0.96),
        "sensitivity": (0.95, 0.88, 0.98), "specificity": (0.9, 0.8, 0.95), "kappa": 0.83, "corrected": None,
        "why_not": "",
    }  # fmt: skip
    return TrustRow(**{**facts, **changes})  # type: ignore[arg-type]


@pytest.fixture
def run() -> Callable[..., RunFigures]:
    """Makes the figures of a run: targets, categories, trials each, scores, pass shares, roles."""
    return make_run


@pytest.fixture
def steps() -> Callable[..., tuple[StepRow, ...]]:
    """Makes checkpoints: series, steps."""
    return make_steps


@pytest.fixture
def trust() -> Callable[..., TrustRow]:
    """Makes a judge's row: judge, category, any field."""
    return make_trust


@pytest.fixture(scope="session")
def everything() -> RunFigures:
    """A run that has figures for all five kinds of plot."""
    rows = (make_trust(category="fraud", labels=44), make_trust(), make_trust("heuristic", blind=False))
    series = ("gemma2-27b+a-checkpoint-…:nf4:naked:greedy", "gemma2-27b+b-checkpoint-…:nf4:naked:greedy")
    return replace(make_run(scores=True, n=20), trust=rows, steps=make_steps(series))


@pytest.fixture(scope="session")
def plots(everything: RunFigures) -> tuple[Plot, ...]:
    """All of them, drawn once."""
    return run_plots(everything)
