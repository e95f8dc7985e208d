"""The suite lek_p21 on the demo model: three conditions, a score table."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOMAINS = [
    ("compute", "2"), ("culture", "3"), ("education", "2"), ("governance", "2"), ("health", "1"), ("hypnos", "3"),
    ("identity", "2"), ("network", "2"), ("payment", "2"), ("storage", "2"),
]  # fmt: skip
"""The domains of the published P20 set with their counts, and the playful goodbye in culture."""


@pytest.mark.slow
def test_scores_under_three_conditions(tmp_path: Path) -> None:
    """Means, deltas and counts of each condition are printed, over all ten domains, and the kernels reach the model."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    for name in [name for name in environment if name.startswith("PYTEST_")]:
        del environment[name]
    words = ["suites/lek_p21", "--eval-model", "demo", "--eval-adapter", "steady", "--eval-quant", "fp32"]
    command = [sys.executable, "-m", "pytest", *words, "-p", "no:cacheprovider", "--eval-out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]

    assert done.returncode == 0, done.stdout
    assert "scores of lek_p21 by heuristic_v2: demo+steady:fp32:greedy, changes against" in " ".join(lines)
    start = lines.index("condition n mean sd median delta improved regressed unchanged")
    rows = [line.split() for line in lines[start + 2 : start + 5]]
    assert [row[0] for row in rows] == ["naked", "json", "text"]
    assert all(row[1] == "21" for row in rows)
    assert all(sum(map(int, row[6:])) == 21 for row in rows[1:])
    first = lines.index("category n naked json text") + 2
    assert sorted(tuple(line.split()[:2]) for line in lines[first : first + 10]) == DOMAINS
