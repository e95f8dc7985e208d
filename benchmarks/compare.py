"""How long ``evalkit compare`` takes for 15,000 stored trials on each of 2 targets, against only reading the rows.

Two runs of 30,000 trials each are stored in a scratch workspace. One process compares them, another parses the JSON of
the same rows; the ratio of their CPU times does not depend on the machine, the peak of memory hardly.

    python benchmarks/compare.py [--probes 15000]
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from evalkit.record import TrialRecord
from evalkit.store.runs import RunStore

GOAL_S, GOAL_MB, GOAL_RATIO = 10.0, 1024, 8.0
TARGETS = ("m+a:nf4:naked:greedy", "m+b:nf4:naked:greedy")
CATEGORIES = ("ADVERSARIAL", "CONTROL", "HUMILITY", "IDENTITY")
MEASURED = """
import resource, sys, time
{work}
print(time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, file=sys.stderr)
"""
COMPARING = "from evalkit.cli import main; main(['compare', 'first', 'second'])"
PARSING = """
import json, sqlite3
rows = sqlite3.connect('.evalkit/store.sqlite3').execute('SELECT record FROM trials')
for row in rows: json.loads(row[0])
"""


def record(number: int, target: str, outcome: str, chance: random.Random) -> TrialRecord:
    """A record as three judges leave it."""
    verdicts: list[dict[str, Any]] = [
        {
            "judge": judge, "outcome": outcome, "reason": "what it found, in a sentence of the usual length",
            "score": chance.random() if judge == "lek" else None, "flags": [], "labels": {"failure_type": "TRUE_PASS"},
            "signals": {f"signal_{place}": chance.random() for place in range(12)},
            "spans": [{"start": 1, "end": 9, "why": "contains", "answer": 0}] * 3, "judge_version": "1",
            "judge_hash": "ab" * 32, "required": True, "asked": [],
        }
        for judge in ("degeneration", "text", "lek")
    ]  # fmt: skip
    file = f"suites/s/a{number // 100}.yaml"
    return TrialRecord(
        trial=f"{file}::p{number}[{target}]", suite="s", file=file, line=number % 100 + 2, probe=f"p{number}",
        category=CATEGORIES[number % 4], target=target, outcome="pass" if outcome == "pass" else "fail",
        reason="text: contains: 'check' was not found", cluster=f"c{number // 4}" if number % 8 < 4 else None,
        verdicts=tuple(verdicts), generations=(f"{number:064x}",), finishes=("stop",), probe_hash=f"{number:064x}",
        words=chance.randint(10, 200),
    )  # fmt: skip


def store(root: Path, probes: int) -> None:
    """Two runs, the second a little worse."""
    chance = random.Random(0)
    (root / "suites").mkdir()
    with closing(RunStore.open(root / ".evalkit" / "store.sqlite3")) as runs:
        for begun, (name, worse) in enumerate((("first", 0.0), ("second", 0.02))):
            runs.begin(name, float(begun), {"argv": ["suites/s"]})
            for target in TARGETS:
                outcomes = ("pass" if number % 10 and chance.random() >= worse else "fail" for number in range(probes))
                runs.put(name, [record(number, target, outcome, chance) for number, outcome in enumerate(outcomes)])
            runs.finish(name, begun + 0.5, 0)


def measured(work: str, root: Path) -> tuple[float, float]:
    """CPU seconds and peak MB of a process that does ``work`` in ``root``."""
    command = [sys.executable, "-c", MEASURED.format(work=work)]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    seconds, peak = done.stderr.split()[-2:]
    return float(seconds), float(peak)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--probes", type=int, default=15_000, help="probes of each run (15000)")
    probes = parser.parse_args().probes
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        store(root, probes)
        begun = time.perf_counter()
        seconds, peak = measured(COMPARING, root)
        wall = time.perf_counter() - begun
        parsing, _ = measured(PARSING, root)
    ratio = seconds / parsing
    print(json.dumps({
        "trials": 2 * len(TARGETS) * probes, "wall_s": round(wall, 2), "cpu_s": round(seconds, 2),
        "parsing_cpu_s": round(parsing, 2), "ratio": round(ratio, 2), "peak_mb": round(peak),
    }))  # fmt: skip
    return int(peak > GOAL_MB or ratio > GOAL_RATIO or seconds > GOAL_S)


if __name__ == "__main__":
    sys.exit(main())
