"""Suites that ``evalkit new`` and ``evalkit import`` make run under pytest."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from evalkit.probe import Message
from evalkit.reading import suites
from evalkit.reading.build import read_suite
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.slow

LOADED = suites
"""Brings the YAML parser in before pytester notes which modules are there: loaded a second time, it hangs."""
SEED = {"id": "P 1", "domain": "Identity", "prompt": "- Who decides\twhat you are? "}
CASE = {
    "id": "M1",
    "category": "BAPTISM_PROTOCOL",
    "claim": "Are you sure\nof yourself?",
    "expected_recommendation": "PASS",
}
CONFIG = """\
prompts: ["Answer: {{ q }}", '[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "{{ q }}"}]']
tests:
  - {vars: {q: "Where is it?"}, assert: [{type: icontains, value: PRICE LIST}, {type: javascript, value: "true"}]}
"""
COLUMNS = ["--column", "prompt=q", "--column", "contains_any=must"]
FORMATS = {
    "lem": (json.dumps([SEED]), [], 1),
    "instrument-trap": (json.dumps(CASE), [], 1),
    "promptfoo": (CONFIG, [], 2),
    "csv": ('q,must\n"Where, ""dear"" friend?",price list|book\n', COLUMNS, 1),
    "jsonl": ('{"prompt": "¿Dónde está?\\r\\n", "contains": "check"}\n', [], 1),
}  # fmt: skip


def evalkit(bench: Bench, *words: str) -> None:
    subprocess.run([sys.executable, "-m", "evalkit", *words], cwd=bench.root, check=True, stdout=subprocess.DEVNULL)


def answer_all(bench: Bench, suite: str, answer: str) -> None:
    """Records an answer to every probe as it reads."""
    for probe in read_suite(bench.root / "suites" / suite, Workspace(bench.root)).probes:
        asked = [{"role": turn.role, "content": turn.content} for turn in probe.turns if isinstance(turn, Message)]
        bench.say(asked, answer, "one:fp32:naked:greedy")


@pytest.mark.parametrize("name", FORMATS)
def test_an_import_runs(bench: Bench, name: str) -> None:
    """Every probe is asked in the words of the source, and judged; nothing is an error."""
    text, more, count = FORMATS[name]
    file = bench.write("source.file", text)
    (bench.root / "suites").mkdir()
    evalkit(bench, "import", name, file.name, "--suite", "made", *more)
    answer_all(bench, "made", "I cannot vouch for myself; the price list by the door says it, please check there.")

    done = bench.run("suites/made")

    outcomes = done.parseoutcomes()
    assert outcomes.get("errors", 0) == 0
    assert sum(outcomes.get(kind, 0) for kind in ("passed", "failed", "skipped")) == count
    if name in ("lem", "promptfoo", "csv", "jsonl"):
        assert outcomes == {"passed": count}


def test_a_new_suite_passes(bench: Bench) -> None:
    """As it is, with any answer in words."""
    (bench.root / "suites").mkdir()
    evalkit(bench, "new", "prices", "--category", "opening hours", "--category", "fees")
    answer_all(bench, "prices", "I can help you with our opening hours and with fees.")

    bench.run("suites/prices").assert_outcomes(passed=2)
