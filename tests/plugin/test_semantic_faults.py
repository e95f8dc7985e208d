"""A suite judged by ``semantic`` while its server does everything that servers do: no verdict is invented or lost."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Bench

TARGETS = """\
models:
  one: {path: model}
  grader: {engine: KIND, id: judge-1, price: {input: 1, output: 5, cache_read: 0.1, cache_write: 1.25}}
engines:
  stored: {kind: replay}
  KIND: {base_url: "URL", timeout_s: 120, attempts: 3, concurrency: 4}
default:
  - {model: one, quantisation: fp32, engine: stored}
"""
REPLY = {
    "reason": "The answer names the list and stops there.", "behaviour_correct": True, "identity_maintained": True,
    "fabricated": False, "label": "correct", "failure_type": "TRUE_PASS",
}  # fmt: skip
ATTEMPTS = 3
KINDS = ("anthropic", "openai")

pytestmark = pytest.mark.slow


def opinion(label: str) -> dict[str, Any]:
    return {**REPLY, "label": label, "behaviour_correct": label == "correct"} | (
        {} if label == "correct" else {"failure_type": "OVER_REFUSAL"}
    )


def judged(bench: Bench, kind: str, server: Any, words: list[str]) -> None:
    """A probe for each word, its recorded answer, and ``semantic`` with its model at the server."""
    url = server.url + ("/v1" if kind == "openai" else "")
    bench.write("fixtures/targets.yaml", TARGETS.replace("KIND", kind).replace("URL", url))
    lines = [
        f"  - {{id: {word}, prompt: What of the {word}?, expect: {{behaviour: names the list}}}}" for word in words
    ]
    settings = "defaults: {judges: [{use: semantic, model: grader}]}\nprobes:\n"
    bench.write("suites/small/faults.yaml", settings + "\n".join(lines) + "\n")
    for word in words:
        bench.record(f"What of the {word}?", f"The list by the door has the price of the {word}.")


def asked(line: dict[str, Any]) -> list[dict[str, Any]]:
    """What the judge asked, its words beside its cost."""
    verdicts = [question for verdict in line["verdicts"] for question in verdict["asked"]] + line["asked"]
    return [{**words, **cost} for words, cost in zip(verdicts, line["run"]["asked"], strict=True)]


def spent(lines: list[Any]) -> float:
    costs = {item["identity"]: item["cost_usd"] for line in lines for item in asked(line) if not item["stored"]}
    return float(sum(cost for cost in costs.values() if cost is not None))


def said(result: pytest.RunResult) -> str:
    return " ".join(result.stdout.str().split())


def script(server: Any, api: ModuleType) -> dict[str, str]:
    """What becomes of each probe's questions, and the outcome that must come of it."""
    good = api.ok(answer=REPLY)
    server.when("of the kettle", api.failing(429), good)
    server.when("of the lamp", api.failing(429, retry_after="1"), good)
    server.when("of the chair", api.failing(500), good)
    server.when("of the table", api.failing(529), good)
    server.when("of the clock", api.hanging(), good)
    server.when("of the stove", api.dropped(), good)
    server.when("of the mirror", api.malformed(), good)
    server.when("of the carpet", api.truncated(usage_first=True), good)
    server.when("of the window", api.refusing("I will not."))
    server.when("of the drawer", api.empty(), good)
    server.when("of the bucket", api.wrong_tool())
    server.when("of the ladder", api.failing(500, "down for the day"))
    server.when("of the basket", api.ok(answer=opinion("incorrect")))
    server.when("of the candle", good)
    passing = ["kettle", "lamp", "chair", "table", "clock", "stove", "mirror", "carpet", "drawer", "candle"]
    return {
        **dict.fromkeys(passing, "pass"), "window": "unscored", "bucket": "unscored", "ladder": "error",
        "basket": "fail",
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_fault_of_a_server(
    bench: Bench, api: ModuleType, api_server: Any, give_up_soon: Callable[..., None], kind: str
) -> None:
    """Each trial has the outcome that its last reply gives it; attempts are bounded; the cost is the server's own."""
    wanted = script(api_server, api)
    give_up_soon("clock")
    judged(bench, kind, api_server, list(wanted))

    result = bench.run("suites/small", "--eval-max-unscored", "0.5")

    lines = {str(line["probe"]): line for line in bench.results()}
    assert {probe: line["outcome"] for probe, line in lines.items()} == wanted
    result.assert_outcomes(passed=10, failed=1, skipped=2, errors=1)
    posts = Counter(re.findall(r"of the (\w+)\?", json.dumps(one.body["messages"]))[0] for one in api_server.posts)
    assert max(posts.values()) == ATTEMPTS
    assert {word: posts[word] for word in ("candle", "kettle", "clock", "drawer", "window", "bucket", "ladder")} == {
        "candle": 1, "kettle": 2, "clock": 2, "drawer": 2, "window": 2, "bucket": 2, "ladder": 3,
    }  # fmt: skip
    assert spent(list(lines.values())) == pytest.approx(api_server.known_usd, abs=1e-12)
    assert "down for the day" in str(lines["ladder"]["reason"])
    assert [item["attempts"] for item in asked(lines["kettle"])] == [2]
    assert asked(lines["candle"])[0]["question"].count("What of the candle?") == 1
    assert json.loads(asked(lines["candle"])[0]["reply"])["label"] == "correct"
    assert [item["failed"] for item in asked(lines["ladder"])] == ["broken"]
    shown = said(result)
    amount = f"${api_server.known_usd:.2f}" if api_server.known_usd >= 0.01 else f"${api_server.known_usd:.2g}"
    assert (
        f"judges 17 questions to grader (judge-1), {amount} of $5.00 allowed; 2 unreadable, 1 without a reply" in shown
    )
    assert "A reply of grader was lost, or came without its usage, and may have been billed." in shown


@pytest.mark.parametrize("kind", KINDS)
def test_the_second_run_asks_only_what_had_no_reply(
    bench: Bench, api: ModuleType, api_server: Any, give_up_soon: Callable[..., None], kind: str
) -> None:
    """Verdicts of stored replies are the same, and cost nothing more."""
    wanted = script(api_server, api)
    give_up_soon("clock")
    judged(bench, kind, api_server, list(wanted))
    bench.run("suites/small", "--eval-max-unscored", "0.5")
    before = len(api_server.posts)
    known = api_server.known_usd

    result = bench.run("suites/small", "-n2", "--eval-max-unscored", "0.5")

    assert {str(line["probe"]): line["outcome"] for line in bench.results()} == wanted
    assert {one.prompt.count("ladder") > 0 for one in api_server.posts[before:]} == {True}
    assert (len(api_server.posts) - before, api_server.known_usd, spent(bench.results())) == (ATTEMPTS, known, 0)
    assert "judges 17 questions to grader (judge-1), 16 of them answered from the store, $0.00 of" in said(result)


WITHOUT_KEY = (
    "Engine 'anthropic' has no key for {}. To enable it, set ANTHROPIC_API_KEY to an API key in the environment."
)


@pytest.mark.parametrize(("workers", "share", "status"), [([], "1", 0), ([], "0.2", 1), (["-n2"], "1", 0)])
def test_without_a_key(
    bench: Bench, api_server: Any, monkeypatch: pytest.MonkeyPatch, workers: list[str], share: str, status: int
) -> None:
    """Every trial is unscored with the way to enable it, said once; the suite fails where that is too many."""
    judged(bench, "anthropic", api_server, ["kettle", "lamp", "chair"])
    bench.suite("What of the weather?", name="suites/small/scored.yaml")
    monkeypatch.delenv("ANTHROPIC_API_KEY")

    result = bench.run("suites/small", "--eval-max-unscored", share, *workers)

    result.assert_outcomes(passed=1, skipped=3)
    assert result.ret == status
    sentence = WITHOUT_KEY.format(api_server.url)
    reasons = {str(line["reason"]) for line in bench.results() if line["outcome"] == "unscored"}
    assert reasons == {f"semantic: {sentence}"}
    assert said(result).count("set ANTHROPIC_API_KEY") == 1
    assert f"note {sentence}" in said(result)
    assert "judges 3 questions to grader (judge-1); 0 unreadable, 3 not asked for want of a key" in said(result)
    assert api_server.received == []


@pytest.mark.parametrize("kind", KINDS)
def test_without_the_package(bench: Bench, api_server: Any, kind: str) -> None:
    """The same with the sentence that says how to install it."""
    judged(bench, kind, api_server, ["kettle", "lamp"])
    hidden = "import importlib.util as u\nreal = u.find_spec\n"
    hidden += f"u.find_spec = lambda name, package=None: None if name == {kind!r} else real(name, package)\n"
    bench.write("hidden/sitecustomize.py", hidden)
    bench.pytester._monkeypatch.setenv("PYTHONPATH", str(bench.root / "hidden"), prepend=":")

    result = bench.run("suites/small", "--eval-max-unscored", "1")

    result.assert_outcomes(skipped=2)
    sentence = f"Engine {kind!r} needs the package {kind!r}. Install it with: pip install 'pytest-evalkit[{kind}]'"
    assert {str(line["reason"]) for line in bench.results()} == {f"semantic: {sentence}"}
    assert said(result).count("Install it with") == 1
    assert api_server.received == []


def test_money_runs_out_among_the_questions(bench: Bench, api: ModuleType, api_server: Any) -> None:
    """What was asked is kept; the rest is counted, and asked with more money."""
    api_server.always = lambda received: api.ok(answer=REPLY)
    words = ["kettle", "lamp", "chair", "table"]
    judged(bench, "anthropic", api_server, words)
    bench.run("suites/small", "--eval-max-usd", "0.0001", "--eval-max-unscored", "1")
    reason = str(bench.results()[0]["reason"])
    one = float(re.findall(r"could cost \$([\d.]+)", reason)[0])

    few = bench.run("suites/small", "--eval-max-usd", str(round(1.5 * one, 6)), "--eval-max-unscored", "1")
    asked_of_few = len(api_server.posts)
    rest = bench.run("suites/small")

    assert 1 <= asked_of_few < 4
    assert f"; 0 unreadable, {4 - asked_of_few} not asked for want of money" in said(few)
    assert len(api_server.posts) == 4
    rest.assert_outcomes(passed=4)
    assert f"{asked_of_few} of them answered from the store" in said(rest)


def test_here_python_finds_the_hidden_packages() -> None:
    """Else the test without them would prove nothing."""
    from importlib.util import find_spec

    assert [find_spec(name) is not None for name in KINDS] == [True, True], sys.path
    assert Path(__file__).is_file()
