"""What collecting 15,000 expanded probes costs, beside plain pytest collecting as many parametrised tests.

One template, crossed with two lists, on one replay target: collected cold (no kept reading), collected again, and the
same number of plain tests, in turn within each round and every second round the other way, so that a machine that gets
slower meanwhile hurts all alike. CPU time of the whole process, start included. Beside that the time of reading alone
for 1,000 and for all probes, each in a process of its own, which shows whether it is linear.

    python benchmarks/collection.py [--rounds 7] [--probes 15000]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tabulate import tabulate

GOAL_COLD, GOAL_CACHED, GOAL_LINEAR = 2.5, 1.5, 1.1
SMALL = 1_000
ASKS = 100
PLAIN = """\
import pytest


@pytest.mark.parametrize("ask", [f"ask-{{number}}" for number in range({asks})])
@pytest.mark.parametrize("city", [f"city-{{number}}" for number in range({cities})])
def test_it(city, ask):
    assert city != ask
"""
TARGETS = """\
models: {one: {path: model}}
engines: {stored: {kind: replay}}
default: [{model: one, quantisation: fp32, engine: stored}]
"""
SUITE = """\
probes:
  - id: visit
    category: TRAVEL
    expand: {{city: [{cities}], ask: {{file: _data/asks.txt}}}}
    prompt: What would you tell somebody who arrives in {{{{ city }}}} and asks for {{{{ ask }}}}?
    expect: {{contains: "{{{{ city }}}}", not_contains: as an AI}}
    why: "what is known of {{{{ ask }}}} there"
"""
READING = """
import sys, time
from pathlib import Path
from evalkit.reading.build import read_suite
from evalkit.reading.expanding import crossing
from evalkit.workspace import Workspace
root = Path.cwd()
for _ in range(2):
    read_suite(root / "suites" / "visits", Workspace(root), frozenset())
begun = time.process_time()
reading = read_suite(root / "suites" / "visits", Workspace(root), frozenset())
print(time.process_time() - begun, len(reading.probes))
"""


def workspace(folder: Path, probes: int) -> Path:
    """A workspace with one suite of so many probes."""
    for name in ("suites/visits/_data", "fixtures", "model"):
        (folder / name).mkdir(parents=True)
    cities = ", ".join(f"city-{number}" for number in range(probes // ASKS))
    (folder / "suites/visits/cities.yaml").write_text(SUITE.format(cities=cities), encoding="utf-8")
    asks = "\n".join(f"the ask-{number}" for number in range(ASKS))
    (folder / "suites/visits/_data/asks.txt").write_text(asks, encoding="utf-8")
    (folder / "fixtures/targets.yaml").write_text(TARGETS, encoding="utf-8")
    (folder / "model/config.json").write_text("{}", encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    return folder


def plain_tests(folder: Path, tests: int) -> Path:
    """A folder with one parametrised test of so many cases."""
    folder.mkdir()
    (folder / "test_plain.py").write_text(PLAIN.format(asks=ASKS, cities=tests // ASKS), encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    return folder


def collected(folder: Path, *arguments: str) -> float:
    """CPU seconds of one ``pytest --co -q``."""
    command = [sys.executable, "-m", "pytest", "--co", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", *arguments]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


def read(folder: Path) -> float:
    """CPU seconds a probe of reading the suite alone, in microseconds."""
    done = subprocess.run([sys.executable, "-c", READING], cwd=folder, capture_output=True, text=True, check=True)
    seconds, probes = done.stdout.split()
    return 1e6 * float(seconds) / int(probes)


def one_round(plain: Path, suite: Path, backwards: bool) -> tuple[float, float, float]:
    """CPU seconds of plain pytest, of a cold collection and of one with a kept reading."""

    def ours() -> tuple[float, float]:
        shutil.rmtree(suite / ".evalkit", ignore_errors=True)
        return collected(suite, "suites/visits"), collected(suite, "suites/visits")

    if backwards:
        cold, cached = ours()
        return collected(plain), cold, cached
    return collected(plain), *ours()


def main() -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="rounds of the three runs (7)")
    parser.add_argument("--probes", type=int, default=15_000, help="probes and tests (15000)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        plain, suite = plain_tests(folder / "plain", options.probes), workspace(folder / "large", options.probes)
        small = workspace(folder / "small", SMALL)
        one_round(plain, suite, False)
        rounds = [one_round(plain, suite, number % 2 == 1) for number in range(options.rounds)]
        costs = [(read(small), read(suite)) for _ in range(options.rounds)]
    cold = statistics.median(one[1] / one[0] for one in rounds)
    cached = statistics.median(one[2] / one[0] for one in rounds)
    linear = statistics.median(large for _, large in costs) / statistics.median(little for little, _ in costs)
    rows = [
        ["plain pytest", statistics.median(one[0] for one in rounds), 1.0, None],
        ["cold", statistics.median(one[1] for one in rounds), cold, GOAL_COLD],
        ["cached", statistics.median(one[2] for one in rounds), cached, GOAL_CACHED],
    ]
    print(f"{options.probes} collected, medians of {options.rounds} rounds, {time.strftime('%Y-%m-%d')}")
    print(tabulate(rows, headers=["run", "CPU s", "times plain", "goal"], floatfmt=".2f"))
    each = [round(statistics.median(column), 1) for column in zip(*costs, strict=True)]
    ratios = {"cold": round(cold, 2), "cached": round(cached, 2), "linear": round(linear, 2)}
    print(json.dumps({**ratios, "reading_us_a_probe": each}))
    return int(cold > GOAL_COLD or cached > GOAL_CACHED or linear > GOAL_LINEAR)


if __name__ == "__main__":
    sys.exit(main())
