"""``--eval-noise``: a part of the run is asked again, and what flips is told by its source."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.slow

TARGETS = """\
models:
  one: {path: model}
  grader: {engine: anthropic, id: judge-1, price: {input: 1, output: 5}}
engines:
  stored: {kind: replay}
  anthropic: {base_url: "URL", timeout_s: 120, attempts: 1}
default:
  - {model: one, quantisation: fp32, engine: stored}
"""
REPLY = {
    "reason": "It names the list.", "behaviour_correct": True, "identity_maintained": True,
    "fabricated": False, "label": "correct", "failure_type": "TRUE_PASS",
}  # fmt: skip
REVISED = {**REPLY, "behaviour_correct": False, "label": "incorrect", "failure_type": "OVER_REFUSAL"}


def said(result: pytest.RunResult) -> str:
    return " ".join(result.stdout.str().split())


def graded(bench: Bench, server: Any) -> None:
    """Two probes with recorded answers, judged by a model at the server."""
    bench.write("fixtures/targets.yaml", TARGETS.replace("URL", server.url))
    lines = [
        f"  - {{id: {word}, prompt: What of the {word}?, expect: {{behaviour: names the list}}}}\n"
        for word in ("kettle", "lamp")
    ]
    settings = "defaults: {judges: [{use: semantic, model: grader}]}\nprobes:\n"
    bench.write("suites/small/graded.yaml", settings + "".join(lines))
    for word in ("kettle", "lamp"):
        bench.record(f"What of the {word}?", f"The list by the door has the price of the {word}.")


def test_a_judge_that_changes_its_mind_is_the_noise(
    bench: Bench, api: ModuleType, api_server: Any, workers: list[str]
) -> None:
    """The first outcome stands and is stored; the second opinion is only counted."""
    graded(bench, api_server)
    api_server.when("of the kettle", api.ok(answer=REPLY), api.ok(answer=REVISED))
    api_server.when("of the lamp", api.ok(answer=REPLY))

    result = bench.run("suites/small", "--eval-noise", "9", *workers)

    result.assert_outcomes(passed=2)
    assert (
        "noise 50.0 % of verdicts flip by themselves [9.5–90.5]: 2 probes asked again, 2 trials in batches of at most "
        "5: 0 answers came out differently and flipped 0 verdicts; judges that ask a model read an unchanged answer "
        "otherwise 1 time in 2 trials; 2 trials replayed, whose answers cannot change."
    ) in said(result)
    assert len(api_server.posts) == 4
    again = bench.run("suites/small")
    again.assert_outcomes(passed=2)
    assert len(api_server.posts) == 4, "what counted is stored, and the second opinion did not replace it"


def test_only_as_many_probes_as_asked_for(bench: Bench) -> None:
    """Three probes, one asked again."""
    bench.suite("What does the kettle cost?", "And the lamp?", "And the chair?")

    result = bench.run("suites/small", "--eval-noise", "1")

    assert "0.0 % of verdicts flip by themselves [0.0–79.3]: 1 probe asked again, 1 trial in batches" in said(result)


def test_nothing_is_asked_again_after_an_early_stop(bench: Bench) -> None:
    """-x leaves the plan unfinished."""
    bench.suite("What does the kettle cost?", "And the lamp?", contains="lighthouse")

    result = bench.run("suites/small", "--eval-noise", "1", "-x")

    assert "flip by themselves" not in said(result)


def test_a_number_that_cannot_be(bench: Bench) -> None:
    """pytest's own usage error, with the option named."""
    result = bench.run("suites/small", "--eval-noise", "0")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--eval-noise: expected a whole number from 1 up; found '0'*"])


def test_nobody_keeps_the_host_waiting_meanwhile(bench: Bench) -> None:
    """The run's own line is closed: a long answer that came twice, and is never read, would hold up the host."""
    bench.suite("What does the kettle cost?")
    bench.write(
        "conftest.py",
        "from evalkit import noise_measuring\n\n\n"
        "def measure_noise(config, *rest):\n"
        "    client = config.pluginmanager.getplugin('evalkit-run').session._client\n"
        "    print('still open:', client._connection)\n\n\n"
        "noise_measuring.measure_noise = measure_noise\n",
    )

    result = bench.run("suites/small", "--eval-noise", "1", "-s")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*still open: None"])
