"""What `make bench` writes, out of runs that are made up here."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ModuleType, ModuleType]]:
    """The modules results_file and process_tree, which are scripts beside each other and no package."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import process_tree
    import results_file

    yield results_file, process_tree
    for name in ("results_file", "process_tree"):
        sys.modules.pop(name, None)


def test_bars_compare_medians_of_runs_taken_in_turn(benchmarks: tuple[ModuleType, ModuleType], tmp_path: Path) -> None:
    """A ratio of medians, brought to one thing where the sides did different numbers of them; every run is there."""
    results, tree = benchmarks

    def costs(*walls: float) -> list[object]:
        return [tree.Cost(wall, wall / 2, 40.0, 0.0, 0, 1.5) for wall in walls]

    bars = (
        results.Bar("ours against theirs", "ours", "theirs", 1.5),
        results.Bar("one of many against one of few", "ours", "theirs", 1.1, divided=(20, 10)),
        results.Bar("memory", "ours", None, 30, "pss_mib", unit="MiB"),
        results.Bar("not measured", "ours", "nobody", 1.0),
    )
    step = results.StepResult(
        "3. many", {"theirs": costs(2.0, 9.0, 1.0), "ours": costs(4.0, 3.0, 5.0)}, bars, ["a note"]
    )

    results.written(["commit abc"], [step], tmp_path / "RESULTS.md")

    lines = (tmp_path / "RESULTS.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert ["ours against theirs", "2.00 ×", "1.5 ×", "NO"] in cells
    assert ["one of many against one of few", "1.00 ×", "1.1 ×", "yes"] in cells
    assert ["memory", "40.00 MiB", "30 MiB", "NO"] in cells
    assert not any(row[0] == "not measured" for row in cells)
    assert ["theirs", "3", "2.00", "1.00", "40", "0"] in cells
    assert ["theirs", "2", "9.00", "4.50", "40", "1.5"] in cells
    assert {"- commit abc", "- a note", "## 3. many"} <= set(lines)


def test_the_cost_of_a_command_is_that_of_all_its_processes(tmp_path: Path) -> None:
    """The time of a process that its parent leaves behind is counted, and the exit status kept.

    Measured in a process of its own: it waits for whatever is left of its children.
    """
    burn = "import time\nwhile time.process_time() < 0.2: pass"
    leaves = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {burn!r}]); sys.exit(3)"
    measuring = f"""
import sys
from pathlib import Path
from process_tree import measured
cost = measured((sys.executable, "-c", {leaves!r}), cwd=Path(), log=Path("log"), limit_s=60)
print(cost.status, cost.cpu_s)
"""
    around = {**os.environ, "PYTHONPATH": str(BENCHMARKS)}

    done = subprocess.run(
        [sys.executable, "-c", measuring], cwd=tmp_path, env=around, capture_output=True, text=True, check=True
    )

    status, seconds = done.stdout.split()
    assert status == "3"
    assert float(seconds) > 0.2
