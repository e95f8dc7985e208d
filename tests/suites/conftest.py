"""The suites of this repository: read once, and run on the demo model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evalkit.host.plan import split_text
from evalkit.judging.text import TextJudge
from evalkit.probe import Probe
from evalkit.reading.build import read_suite
from evalkit.transcript import Case, Transcript
from evalkit.verdict import Verdict
from evalkit.workspace import Workspace

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def generated() -> Callable[[str], Iterator[tuple[Probe, Callable[[str], Verdict]]]]:
    """The ten probes of a generated kind of suites/capability, each with what its text assertion says of an answer."""
    suite = read_suite(ROOT / "suites" / "capability", Workspace(ROOT))
    every = [probe for file in suite.files for probe in file.probes if "generated" in probe.tags]

    def of_kind(kind: str) -> Iterator[tuple[Probe, Callable[[str], Verdict]]]:
        found = [probe for probe in every if probe.cluster == kind]
        assert len(found) == 10
        for probe in found:
            yield probe, lambda answer, probe=probe: TextJudge().read(_case(probe, answer), ())

    return of_kind


@pytest.fixture
def smoke_run(tmp_path: Path) -> Callable[[str], tuple[str, list[dict[str, Any]]]]:
    """Runs the plan ``smoke`` of a suite on the demo model: what the terminal says, and the lines of results.jsonl."""

    def run(suite: str) -> tuple[str, list[dict[str, Any]]]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        words = [
            f"suites/{suite}",
            "--eval-plan",
            "smoke",
            "-n",
            "2",
            "--eval-model",
            "demo",
            "--eval-adapter",
            "steady",
        ]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *words, "-q", "-p", "no:cacheprovider", "--eval-out", str(tmp_path)],
            cwd=ROOT, env={**environment, "OMP_NUM_THREADS": "1", "COLUMNS": "100"}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert done.returncode in (0, 1), done.stdout + done.stderr
        (results,) = tmp_path.glob("*/results.jsonl")
        return done.stdout, [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]

    return run


def _case(probe: Probe, answer: str) -> Case:
    return Case(probe, "t", Transcript((), (split_text(answer),)))
