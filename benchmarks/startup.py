"""What having evalkit installed adds to a pytest run that has nothing to do with it.

Runs one trivial test file again and again, in pairs: without the plugin (``-p no:evalkit``) and with it, in turn and in
both orders, so that a machine that gets slower meanwhile hurts both alike. Other third-party plugins stay loaded.

    python benchmarks/startup.py [--pairs 15]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tabulate import tabulate

GOAL_MS = 50
TEST_FILE = "import pytest\n\n\n@pytest.mark.parametrize('n', range(10))\ndef test_it(n):\n    assert n < 10\n"
WORKERS = (("no -n", ()), ("-n 0", ("-n", "0")), ("-n 2", ("-n", "2")))


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one pytest process with its workers, in milliseconds."""

    wall_ms: float
    cpu_ms: float


def measured(folder: Path, *options: str) -> Cost:
    """One run of pytest; ``cpu_ms`` is user and system time of the process and the workers it waited for."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return Cost(1000 * wall, 1000 * (usage.ru_utime + usage.ru_stime))


def pairs_of(folder: Path, workers: tuple[str, ...], pairs: int) -> list[tuple[Cost, Cost]]:
    """(without, with) for each pair, after one warm-up of each; every second pair runs the other way round."""
    without, within = (*workers, "-p", "no:evalkit"), workers
    measured(folder, *without), measured(folder, *within)
    found = []
    for number in range(pairs):
        if number % 2:
            late = measured(folder, *within)
            found.append((measured(folder, *without), late))
        else:
            found.append((measured(folder, *without), measured(folder, *within)))
    return found


def row(label: str, found: list[tuple[Cost, Cost]]) -> list[object]:
    """Medians; what is added is the median of the differences within the pairs, with its quartiles."""
    added = [late.wall_ms - early.wall_ms for early, late in found]
    quartiles = statistics.quantiles(added, n=4)
    return [
        label,
        statistics.median(early.wall_ms for early, _ in found),
        statistics.median(late.wall_ms for _, late in found),
        statistics.median(added),
        f"{quartiles[0]:.0f} to {quartiles[2]:.0f}",
        statistics.median(late.cpu_ms - early.cpu_ms for early, late in found),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--pairs", type=int, default=15, help="pairs of runs for each row (15)")
    pairs = parser.parse_args().pairs
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_unrelated.py").write_text(TEST_FILE, encoding="utf-8")
        (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
        rows = [row(label, pairs_of(folder, workers, pairs)) for label, workers in WORKERS]
    headers = ["run", "without", "with", "added", "middle half", "added CPU"]
    print(f"milliseconds, medians of {pairs} pairs, {os.cpu_count()} cores, Python {sys.version.split()[0]}")
    print(tabulate(rows, headers=headers, floatfmt=".0f"))
    print(f"goal: under {GOAL_MS} ms of wall time added")


if __name__ == "__main__":
    main()
