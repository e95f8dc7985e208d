"""Runs to export: the records of the tests of reporting, and one run with something of everything."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

import pytest

from evalkit.agreement import Agreement, Labelled
from evalkit.calibration import Calibration, LabelSource
from evalkit.record import TrialRecord
from evalkit.reporting.exports import TrialTexts
from evalkit.reporting.finished import FinishedRun
from evalkit.reporting.summary import summarise
from evalkit.review import Label
from evalkit.reviewing import PopulationTrial, RateRow, ReviewedRates, corrected_rates
from evalkit.transcript import Answer


def _reporting() -> ModuleType:
    """The fixtures of the tests of reporting, which are about the same records."""
    spec = spec_from_file_location(
        "evalkit_tests_reporting_fixtures", Path(__file__).parents[1] / "reporting" / "conftest.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


reporting = _reporting()
make_record, make_run, hostile = reporting.make_record, reporting.make_run, reporting.hostile

TARGETS = (
    "m:bf16:naked:greedy", "m+run/checkpoint-100:bf16:naked:greedy", "m+run/checkpoint-200:bf16:naked:greedy",
    "m:bf16:calm:greedy",
)  # fmt: skip
STEPS = (None, 100, 200, None)
CATEGORIES = ("ADVERSARIAL", "CONTROL", "MYSTERY")
HASH = "1f" * 8


def _verdict(random: Random, outcome: str, kind: str) -> dict[str, Any]:
    return {
        "judge": "behaviour", "judge_version": "3", "judge_hash": HASH, "outcome": outcome, "required": True,
        "reason": "said so", "score": round(random.uniform(0, 10), 2), "labels": {"failure_type": kind},
        "signals": {}, "flags": [], "spans": [], "asked": [],
    }  # fmt: skip


def _records() -> list[TrialRecord]:
    random, records = Random(7), []
    for suite, probes, of_cluster in (("alone", 45, 0), ("families", 36, 4)):
        for target, step in zip(TARGETS, STEPS, strict=True):
            for number in range(probes):
                outcome = random.choices(("pass", "fail", "unscored", "error"), (70, 18, 8, 4))[0]
                kind = random.choice(("OVER_REFUSAL", "HALLUCINATION")) if outcome == "fail" else "TRUE_PASS"
                flags = ("collapsed",) * (random.random() < 0.1) + ("fabricated",) * (kind == "HALLUCINATION")
                judged = outcome != "error"
                records.append(
                    reporting._record(
                        suite=suite, file=f"suites/{suite}/a.yaml", line=number + 1, probe=f"{suite}-p{number}",
                        category=CATEGORIES[number % 3], target=target, outcome=outcome, reason=f"reason {number}",
                        cluster=f"c{number // of_cluster}" if of_cluster else None, step=step, probe_hash=f"h{number}",
                        role="reference" if "calm" in target else "subject", flags=flags if judged else (),
                        verdicts=(_verdict(random, outcome, kind),) if judged else (),
                        finishes=("length",) if number % 9 == 0 else ("stop",), words=20 + number,
                        prompt_tokens=10 + number, new_tokens=30 + number, generations=(f"g{number}",) * judged,
                        stored=number % 4 == 0, stored_age_s=60.0 if number % 4 == 0 else None,
                    )
                )  # fmt: skip
    return records


def _texts(record: TrialRecord) -> TrialTexts:
    asked = (("user", f"What of {record.probe}?"), ("assistant", f"It is {record.probe}."))
    return TrialTexts(asked, (Answer(asked[1][1], asked[1][1]),), {}, f"text of {record.trial}")


def _reviewed(records: list[TrialRecord], labels: tuple[Label, ...]) -> ReviewedRates:
    """As evalkit.reviewed makes it of subjects that nobody made a queue of."""
    own = [
        PopulationTrial(
            record.trial, f"text of {record.trial}", record.outcome, record.category,
            ("", "cluster", record.cluster) if record.cluster else (record.suite, "probe", record.probe),
            record.suite, record.target,
        )
        for record in records
        if record.outcome != "error" and record.role == "subject"
    ]  # fmt: skip
    rows = tuple(
        RateRow(target, category, corrected_rates([t for t in own if fits(t, target, category)], labels))
        for target in TARGETS[:3]
        for category in (None, *CATEGORIES)
    )
    return ReviewedRates("20251121-3f", len(labels), len(own), ("anna", "ben"), rows)


def fits(trial: PopulationTrial, target: str, category: str | None) -> bool:
    return trial.target == target and category in (None, trial.category)


def _calibration() -> Calibration:
    """What the judge's hash is worth on the suite that stands alone; nobody asked about families."""
    labelled = [Labelled(truth, outcome) for truth, outcome in ((True, "pass"), (False, "fail")) for _ in range(40)]
    labelled += [Labelled(True, "fail"), Labelled(False, "pass"), Labelled(False, "pass")]
    source = LabelSource("labels.jsonl", ("anna",), len(labelled), True)
    return Calibration("behaviour", HASH, "alone", "all", ("en",), source, Agreement.of(labelled))


@pytest.fixture(scope="session")
def rich_run() -> FinishedRun:
    """Two suites, four targets (a reference, two checkpoints), families, every outcome, scores, labels, steps."""
    records = _records()
    read = [record for record in records if record.role == "subject" and record.outcome == "fail"][::2]
    labels = tuple(
        Label(f"text of {r.trial}", r.trial, "20251121-3f", "correct" if n % 3 == 0 else "wrong", "anna", 1.0)
        for n, r in enumerate(read)
    )
    run = reporting._run(targets=TARGETS, categories=CATEGORIES, out="reports/out/r1", provenance=(("torch", "2.13"),))
    texts = {record.trial: _texts(record) for record in records}
    summary = summarise(records, run=run, calibrations=[_calibration()])
    return FinishedRun(
        summary, texts, (), 1, ("alone: 3 failing probes and no gates",), labels, _reviewed(records, labels)
    )
