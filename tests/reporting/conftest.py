"""Records and run facts that the tests of reporting share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from evalkit.record import TrialRecord
from evalkit.reporting.summary import RunFacts

STEADY = "demo+steady:fp32:naked:greedy"


def _record(**changes: Any) -> TrialRecord:
    settings: dict[str, Any] = {
        "suite": "it",
        "file": "suites/it/control.yaml",
        "line": 3,
        "probe": "tides",
        "category": "CONTROL",
        "target": STEADY,
        "outcome": "pass",
        "reason": "ok",
    } | changes
    sample = f":s{settings['sample']}" if settings.get("sample") else ""
    trial = f"{settings['file']}::{settings['probe']}[{settings['target']}{sample}]"
    return TrialRecord(**{"trial": trial, **settings})


def _run(**changes: Any) -> RunFacts:
    settings: dict[str, Any] = {
        "run_id": "20251121-3f",
        "started_at": 1_763_690_000.0,
        "wall_s": 312.2,
        "targets": (STEADY,),
        "categories": ("CONTROL",),
    } | changes
    return RunFacts(**settings)


@pytest.fixture(scope="session")
def make_record() -> Callable[..., TrialRecord]:
    """A passing record with some fields changed."""
    return _record


@pytest.fixture(scope="session")
def make_run() -> Callable[..., RunFacts]:
    """Facts of a run over one target with some fields changed."""
    return _run


def _mixed_run() -> tuple[list[TrialRecord], RunFacts]:
    targets = (STEADY, "demo+looping:fp32:naked:greedy", "demo+steady:nf4:naked:greedy")
    categories = ("ADVERSARIAL", "CONTROL", "MYSTERY")
    outcomes = ("pass", "fail", "pass", "unscored", "error", "pass", "fail")
    records = []
    for number in range(63):
        target, category = targets[number % 3], categories[number // 3 % 3]
        outcome = outcomes[(5 * number + number // 7) % 7]
        records.append(
            _record(
                target=target, category=category, file=f"suites/it/{category.lower()}.yaml", line=number + 1,
                probe=f"p{number}", outcome=outcome, reason=f"reason {number}",
                role="reference" if "looping" in target else "subject",
                flags=("collapsed",) * (number % 4 == 0) + ("fabricated",) * (number % 5 == 0),
                finishes=("length",) if number % 6 == 0 else ("stop", "stop"),
                prompt_tokens=10 + number, new_tokens=number, generation_s=0.25 * number if number % 8 else None,
                stored=number % 2 == 0, stored_age_s=60.0 * number if number % 2 == 0 else None,
                worker=f"gw{number % 2}",
            )
        )  # fmt: skip
    return records, _run(targets=targets, categories=categories, out="reports/out/20251121-3f")


@pytest.fixture
def mixed_run() -> tuple[list[TrialRecord], RunFacts]:
    """Three targets, three categories, every outcome, some of everything that is counted."""
    return _mixed_run()


HOSTILE = (
    "<script>alert(1)</script>",
    "]]>",
    "a\u202egnp.exe",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07after",
    "\x1b]8;;http://evil\x1b\\link",
    "\x1b]never closed",
    "\x9b2Jcleared",
    "\x90dcs\x9cafter",
    "lone \ud800 surrogate \udfff",
    "nul\x00inside",
    "=cmd|' /C calc'!A0",
    "\t=1",
    "\r=1",
    " \"'=1",
    "+1",
    "-1",
    "@SUM(A1)",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    "\ufeff=1",
    "\u200b=1",
    "a | b `c` *d* _e_ [f](g) ~h~ \\",
    "line one\nline two\r\nline three\u2028four\x85five",
    "![x](http://evil/x.png) www.evil.example @octocat #1",
    "- item",
    "# heading",
    "1. first",
    "&lt;b&gt;",
    "$x^2$",
    "\u200b\u2060\ufeff",
    "e\u0301 中文字 한국어 👩\u200d👩\u200d👧 \ufe0f",
    "\ue000\U000f0000\uffff",
    "",
)


@pytest.fixture(params=HOSTILE, ids=[ascii(text)[:20] for text in HOSTILE])
def hostile(request: pytest.FixtureRequest) -> str:
    """One text that does harm where it is shown as it is."""
    text: str = request.param
    return text
