"""A report made from the store says what the run said when it ended."""

from __future__ import annotations

import base64
import gzip
import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.slow

SUITE = """\
gates:
  - {name: most, metric: pass_rate, at_least: 0.9}
  - {name: loops, metric: collapse_rate, at_most: 0.0}
"""
GOOD, BAD = "Please check the price list by the door.", "I could not tell you that at all, sorry."


def evalkit(bench: Bench, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "evalkit", *arguments]
    return subprocess.run(command, cwd=bench.root, capture_output=True, check=False)


def test_the_reports_of_a_run_can_be_made_again(bench: Bench) -> None:
    """Byte for byte: summary, results, page; also after another run saw other answers and the suite is gone."""
    bench.write("suites/small/suite.yaml", SUITE)
    lines = ["probes:"]
    for number in range(8):
        lines.append(
            f"  - {{id: p{number}, prompt: What of {number}?, expect: {{contains: check}}, category: C{number % 2}}}"
        )
        bench.record(f"What of {number}?", BAD if number == 3 else GOOD)
    bench.write("suites/small/first.yaml", "\n".join(lines) + "\n")
    bench.run("suites/small")
    (folder,) = (bench.root / "reports" / "out").iterdir()
    run = folder.name
    first = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert set(first) == {"report.html", "results.jsonl", "summary.md", "review.csv"}
    assert b"BREACHED" in first["summary.md"]
    bench.recorded.clear()
    for number in range(8):
        bench.record(f"What of {number}?", GOOD)
    bench.run("suites/small", "--eval-fresh")
    (bench.root / "suites" / "small" / "first.yaml").unlink()

    done = evalkit(bench, "report", run, "--format", "md", "--format", "jsonl", "--out", "again", "--json")

    assert (done.returncode, done.stderr) == (0, b"")
    assert [item["file"] for item in json.loads(done.stdout)["written"]] == [
        "again/summary.md", "again/results.jsonl",
    ]  # fmt: skip
    for name in ("summary.md", "results.jsonl"):
        assert (bench.root / "again" / name).read_bytes() == first[name], name
    printed = evalkit(bench, "report", run, "--format", "html", "--out", "-")
    assert (printed.returncode, printed.stderr) == (0, b"")
    assert BAD in page_texts(printed.stdout)
    assert page_texts(printed.stdout) == page_texts(first["report.html"])


def page_texts(page: bytes) -> list[str]:
    """The texts that the page's trials are made of."""
    (data,) = re.findall(rb'id="data">([A-Za-z0-9+/=]+)<', page)
    texts: list[str] = json.loads(gzip.decompress(base64.b64decode(data)))["texts"]
    return texts


@pytest.mark.long
def test_a_part_of_a_plan_has_a_page_without_plots(bench: Bench) -> None:
    """What one tries again and again is written at once; the report command draws."""
    bench.suite(*(f"What of {number}?" for number in range(31)))
    bench.run("suites/small", "-k", "first-1")
    (part,) = (bench.root / "reports" / "out").iterdir()
    bench.run("suites/small")
    (whole,) = set((bench.root / "reports" / "out").iterdir()) - {part}

    assert b'class="plot-card"' not in (part / "report.html").read_bytes()
    assert b'class="plot-card"' in (whole / "report.html").read_bytes()
