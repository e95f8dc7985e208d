"""The page at a run's end beside the committed baseline."""

from __future__ import annotations

import base64
import gzip
import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.slow


def page_of(bench: Bench) -> tuple[str, dict[str, Any]]:
    """The newest page and the data in it."""
    newest = max((bench.root / "reports" / "out").iterdir(), key=lambda folder: folder.stat().st_mtime_ns)
    text = (newest / "report.html").read_text(encoding="utf-8")
    packed = next(found for found in re.findall(r">\s*([A-Za-z0-9+/=]{100,})\s*<", text))
    return text, json.loads(gzip.decompress(base64.b64decode(packed)))


def summary_of(bench: Bench) -> str:
    """The newest run's summary.md."""
    newest = max((bench.root / "reports" / "out").iterdir(), key=lambda folder: folder.stat().st_mtime_ns)
    return (newest / "summary.md").read_text(encoding="utf-8")


def test_the_page_shows_the_baseline_s_answers(bench: Bench) -> None:
    """Without a second command, and where the baseline cannot be read without more than a sentence."""
    bench.suite("What does the kettle cost?")
    bench.run("suites/small")
    before, data = page_of(bench)
    assert ("Changes since" in before, data["baseline"]) == (False, None)
    assert "## Against" not in summary_of(bench)
    keep = [sys.executable, "-m", "evalkit", "baseline", "latest", "main"]
    subprocess.run(keep, cwd=bench.root, check=True, capture_output=True)
    bench.recorded.clear()
    bench.record("What does the kettle cost?", "I will not say.")

    bench.run("suites/small")

    after, data = page_of(bench)
    (trial,) = data["trials"]
    then, now = (data["texts"][one["answers"][0]["text"]] for one in (trial["before"], trial))
    assert "<h3>Changes since baseline main</h3>" in after
    assert "## Against baseline main\n" in summary_of(bench)
    assert "| pass rate: one:fp32:naked:greedy |       1 |  100.0 % |   0.0 % |" in summary_of(bench)
    assert (then, now) == ("The price list by the door says it; please check there.", "I will not say.")
    assert (data["baseline"], trial["before"]["outcome"], trial["outcome"]) == ("baseline main", "pass", "fail")

    (bench.root / "reports/baselines/main.json").write_text("{", encoding="utf-8")
    result = bench.run("suites/small")

    output = " ".join("\n".join(result.outlines).split())
    assert result.ret == 1
    assert "report.html shows no answers of the baseline: reports/baselines/main.json:1: is no JSON" in output
    assert page_of(bench)[1]["baseline"] is None
    assert "## Against" not in summary_of(bench)
