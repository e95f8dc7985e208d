"""At -n 0 the host judges ahead of pytest, and nothing of what a run says changes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from evalkit.host.client import MOST_EARLY
from evalkit.host.judging_ahead import has_idle_core

if TYPE_CHECKING:
    from conftest import Bench

NOTING = """
import time

from evalkit.host import client

kept = client._replies

def noting(message):
    replies = kept(message)
    with open({file!r}, "a") as file:
        file.writelines(f"{{type(reply).__name__}} {{reply.trial}}\\n" for reply in replies)
    return replies

client._replies = noting

def pytest_runtest_logfinish(nodeid):
    # Only once: until the host has nothing left to answer, and judges ahead.
    while not waited and line._status.phase != "idle":
        time.sleep(0.01)
    waited.append(nodeid)

def pytest_collection_finish(session):
    global line
    line = session.config.pluginmanager.getplugin("evalkit-controller")._line

waited = []
"""
KINDS = ("plain", "wrong", "regex", "custom", "broken")
CUSTOM = """
from evalkit.verdict import Verdict

class judge:
    name = "custom"

    def ask(self, case, replies):
        return ()

    def read(self, case, replies):
        import os
        with open({file!r}, "a") as file:
            file.write(f"{{os.getpid()}} ")
        return Verdict(self.name, "pass", "it is custom")
"""


def write_probes(bench: Bench, kinds: Sequence[str]) -> None:
    expectations = {
        "plain": "{contains: check}", "wrong": "{contains: never}", "regex": "{regex: 'che+ck'}",
        "custom": "{contains: check}", "broken": "{contains: the}",
    }  # fmt: skip
    lines, recordings = ["probes:"], []
    for number, kind in enumerate(kinds):
        prompt = f"What does kettle number {number} cost?"
        lines += [f"  - id: {kind}-{number}", f"    prompt: {prompt}", f"    expect: {expectations[kind]}"]
        lines += ["    judges: [text, custom]"] if kind == "custom" else []
        answer = "the " * 40 if kind == "broken" else f"Please check line {number} of the price list."
        messages = [{"role": "user", "content": prompt}]
        recordings.append(json.dumps({"messages": messages, "target": "one:fp32:naked:greedy", "text": answer}))
    bench.write("suites/kettles/kettles.yaml", "\n".join(lines) + "\n")
    bench.write("fixtures/recordings/answers.jsonl", "\n".join(recordings) + "\n")


def lines_of(bench: Bench) -> list[dict[str, object]]:
    return [{key: value for key, value in line.items() if key not in ("run", "worker")} for line in bench.results()]


@pytest.mark.slow
@pytest.mark.skipif(not has_idle_core(), reason="the host judges ahead only where there is a second core")
def test_results_are_those_of_a_worker(bench: Bench, tmp_path: Path) -> None:
    """Passes of rule judges come judged; failures, patterns and code of the user's are judged where pytest runs."""
    write_probes(bench, [*KINDS * 6, *["plain"] * 2 * MOST_EARLY, *KINDS * 6])
    bench.write("judges/custom.py", CUSTOM.format(file=str(tmp_path / "pids")))

    bench.run("suites/kettles", "-n", "1").assert_outcomes(passed=548, failed=24)
    by_worker = lines_of(bench)
    bench.write("conftest.py", NOTING.format(file=str(tmp_path / "come")))
    (tmp_path / "pids").unlink()
    bench.run("suites/kettles", "-n", "0", "--eval-fresh").assert_outcomes(passed=548, failed=24)

    come = [line.split(" ", 1) for line in (tmp_path / "come").read_text().splitlines()]
    judged_ahead = {trial.partition("::")[2].partition("-")[0] for kind, trial in come if kind == "Passed"}
    assert judged_ahead == {"plain"}
    assert len(set((tmp_path / "pids").read_text().split())) == 1
    assert json.dumps(lines_of(bench)) == json.dumps(by_worker)
