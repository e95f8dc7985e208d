"""Runs of few words, and labels of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from evalkit.record import TrialOutcome, TrialRecord
from evalkit.review import Label, LabelValue
from evalkit.reviewing import PopulationTrial, TrialText


def verdict(judge: str = "behaviour", outcome: str = "pass", **more: Any) -> dict[str, Any]:
    return {"judge": judge, "outcome": outcome, "reason": f"{judge} says {outcome}", "required": True, **more}


def record(number: int, outcome: TrialOutcome = "pass", **more: Any) -> TrialRecord:
    """Trial ``t<number>`` of probe ``p<number>``."""
    plain: dict[str, Any] = {
        "trial": f"t{number}", "suite": "honesty", "file": "suites/honesty/a.yaml", "line": 1, "probe": f"p{number}",
        "category": "dates", "target": "m:fp32:naked:greedy", "outcome": outcome, "reason": "",
        "verdicts": (verdict(outcome="fail" if outcome == "fail" else "pass"),),
    }  # fmt: skip
    return TrialRecord(**(plain | more))


def texts_of(records: Iterable[TrialRecord]) -> dict[str, TrialText]:
    """A text of its own for each."""
    return {
        record.trial: TrialText(f"h-{record.trial}", (("user", f"ask {record.trial}"),), "so", "hm")
        for record in records
    }


def label(text: str, value: LabelValue = "correct", **more: Any) -> Label:
    plain: dict[str, Any] = {"trial": "t", "run": "r1", "reviewer": "ana", "at": 1.0, "blind": True}
    return Label(text_hash=text, value=value, **(plain | more))


def population(passes: int, fails: int, unscored: int = 0, **more: Any) -> list[PopulationTrial]:
    """Passes, then fails, then unscored, numbered on: trial ``t0`` with text ``h0``, and so on."""
    outcomes: list[TrialOutcome] = [*["pass"] * passes, *["fail"] * fails, *["unscored"] * unscored]  # type: ignore[list-item]
    return [PopulationTrial(f"t{n}", f"h{n}", outcome, **more) for n, outcome in enumerate(outcomes)]


@pytest.fixture(scope="session")
def make_record() -> Callable[..., TrialRecord]:
    """A trial of number and outcome, with some fields changed."""
    return record


@pytest.fixture(scope="session")
def make_verdict() -> Callable[..., dict[str, Any]]:
    """A stored verdict of judge and outcome."""
    return verdict


@pytest.fixture(scope="session")
def make_texts() -> Callable[..., dict[str, TrialText]]:
    """A text of its own for each record, by trial."""
    return texts_of


@pytest.fixture(scope="session")
def make_label() -> Callable[..., Label]:
    """A blind label of ana's, with some fields changed."""
    return label


@pytest.fixture(scope="session")
def make_population() -> Callable[..., list[PopulationTrial]]:
    """So many passes, fails and unscored trials."""
    return population
