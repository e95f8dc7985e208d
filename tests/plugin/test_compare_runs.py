"""Real runs compared: a changed answer, an edited probe, a renamed one."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.slow

SUITE = "suites/small/first.yaml"


def evalkit(bench: Bench, *arguments: str) -> tuple[int, list[str], str]:
    command = [sys.executable, "-m", "evalkit", *arguments]
    done = subprocess.run(command, cwd=bench.root, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.splitlines(), done.stderr


def suite(bench: Bench, answers: dict[str, str], **keys: str) -> None:
    """A suite of probes that want ``check``, each with this recorded answer and further keys by id."""
    bench.recorded.clear()
    lines = ["probes:"]
    for name, answer in answers.items():
        prompt = f"What about {name.removeprefix('new-')}?"
        lines.append(f"  - {{id: {name}, prompt: {prompt!r}, expect: {{contains: check}}{keys.get(name, '')}}}")
        bench.record(prompt, answer)
    bench.write(SUITE, "\n".join(lines) + "\n")


GOOD, BAD = "Please check the price list by the door.", "I could not tell you that at all, sorry."


def test_two_runs_and_a_baseline(bench: Bench) -> None:
    """What changed is found by id, with the line of today; formerly keeps a renamed probe's history."""
    suite(bench, {"lamp": GOOD, "kettle": GOOD, "rent": GOOD})
    bench.run("suites/small")
    evalkit(bench, "baseline", "latest")
    renamed = {"new-lamp": ", formerly: lamp", "rent": ", language: de"}
    suite(bench, {"kettle": GOOD, "new-lamp": BAD, "rent": BAD}, **renamed)
    bench.run("suites/small")

    for words in (("previous", "latest"), ("main", "latest")):
        status, lines, error = evalkit(bench, "compare", *words)

        assert (status, error) == (0, "")
        assert lines[0] == (
            "UNDERPOWERED: pass rate of one:fp32:naked:greedy fell from 100.0 % to 50.0 %, −50.0 points [−90.5, 48.6], "
            "1 probe worse, 0 better of 2, p 1.00; margin 3 points; about 14 pairs would decide, there are 2"
        )
        assert f"  {SUITE}:3 new-lamp (first) pass → fail: text: " in "\n".join(lines)
        assert lines[-2:] == ["1 probe edited since and left out: rent", "1 probe compared under a former id"]


def test_the_same_run_again_has_the_very_same_answers(bench: Bench) -> None:
    """They come from the store."""
    suite(bench, {"lamp": GOOD, "kettle": GOOD})
    bench.run("suites/small")
    bench.run("suites/small")

    status, lines, _ = evalkit(bench, "compare", "previous", "latest")

    assert status == 0
    assert lines[-1] == "2 of 2 probes have the very same stored answers on both sides"
