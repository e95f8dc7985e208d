"""Large runs are compared in little memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "compare.py"


@pytest.mark.slow
@pytest.mark.long
def test_fifteen_thousand_trials_by_two_targets_fit_in_a_gigabyte() -> None:
    """The whole process, peak included; how long it takes is the benchmark's to say."""
    done = subprocess.run([sys.executable, str(BENCHMARK)], capture_output=True, text=True, check=False)

    found = json.loads(done.stdout)
    assert (found["trials"], done.stderr) == (60_000, "")
    assert found["peak_mb"] < 1024
