"""A run whose judge was measured against labels shows how far it can be trusted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.slow


def calibrate(bench: Bench, *words: str) -> str:
    command = [sys.executable, "-m", "evalkit", "calibrate", *words]
    done = subprocess.run(command, cwd=bench.root, capture_output=True, text=True, check=True, env=dict(os.environ))
    return done.stdout


def test_trust_appears_beside_the_rate(bench: Bench) -> None:
    """Calibrated for the suite, the judge's agreement is in the table; changed, it is no longer quoted."""
    bench.write("judges/polite.py", "def judge(case):\n    return 'please' in case.answers[0].answer, 'looked'\n")
    bench.suite("What is the price?")
    bench.write("suites/small/first.yaml", "defaults: {judges: [polite]}\n" + bench_text(bench))
    labels = [("please do", True)] * 40 + [("no", False)] * 36 + [("please no", False)] * 4
    rows = (
        {"id": number, "response": text, "category": "first", "label": label, "reviewer": "ann", "blind": True}
        for number, (text, label) in enumerate(labels)
    )
    bench.write("labels.jsonl", "".join(json.dumps(row) + "\n" for row in rows))

    calibrate(bench, "labels.jsonl", "--judge", "polite", "--suite", "small")
    measured = bench.run("suites/small")
    bench.write("judges/polite.py", "def judge(case):\n    return True, 'changed'\n")
    changed = bench.run("suites/small")

    measured.stdout.fnmatch_lines(["*category*judge right", "*first*95 % of 80"])
    measured.stdout.fnmatch_lines(["*judge polite, measured on 80 labels by ann, blind; its pass rate corrected*"])
    changed.stdout.no_fnmatch_line("*judge right*")


def bench_text(bench: Bench) -> str:
    return (bench.root / "suites/small/first.yaml").read_text(encoding="utf-8")
