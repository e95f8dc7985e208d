"""Whole runs whose judge, or whose subject, is a model at a server."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Bench

pytestmark = pytest.mark.slow

DOCS = Path(__file__).parents[2] / "docs" / "judges.md"
KINDS = ("anthropic", "openai")
SERVED = """\
models:
  one: {path: model}
  grader: {engine: KIND, id: judge-1, price: {input: 1, output: 5, cache_read: 0.1, cache_write: 1.25}}
engines:
  stored: {kind: replay}
  KIND: {base_url: "URL", timeout_s: 120}
default:
  - DEFAULT
"""
REPLAYED = "{model: one, quantisation: fp32, engine: stored}"


def declare(bench: Bench, kind: str, server: Any, default: str) -> None:
    url = server.url + ("/v1" if kind == "openai" else "")
    text = SERVED.replace("KIND", kind).replace("URL", url).replace("DEFAULT", default)
    bench.write("fixtures/targets.yaml", text)


def stored(bench: Bench) -> list[tuple[str, dict[str, Any]]]:
    """(target, reply) of every stored generation."""
    with closing(sqlite3.connect(bench.root / ".evalkit/store.sqlite3")) as connection:
        rows = connection.execute("SELECT target, reply FROM generations ORDER BY number").fetchall()
    return [(target, json.loads(reply)) for target, reply in rows]


@pytest.fixture
def judged(bench: Bench) -> Bench:
    """Three recorded answers, judged by the documented judge that asks a model."""
    blocks = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    bench.write("judges/second_opinion.py", next(block for block in blocks if "second_opinion" in block))
    bench.write(
        "suites/small/kind.yaml",
        "defaults: {judges: [{use: second_opinion, model: grader}]}\nprobes:\n"
        "  - {id: warm, prompt: Greet me warmly.}\n  - {id: cold, prompt: Greet me coldly.}\n"
        "  - {id: odd, prompt: Greet me oddly.}\n",
    )
    bench.record("Greet me warmly.", "Welcome, dear friend of the house!")
    bench.record("Greet me coldly.", "You again. What is it this time?")
    bench.record("Greet me oddly.", "Seven ducks to you and your hat.")
    return bench


@pytest.mark.parametrize(
    ("kind", "workers"), [("anthropic", []), pytest.param("anthropic", ["-n2"], marks=pytest.mark.slow), ("openai", [])]
)
def test_a_judge_at_a_server(judged: Bench, api: ModuleType, api_server: Any, kind: str, workers: list[str]) -> None:
    """Its replies decide, after a fault too; a second run asks nothing; the cost is stored to the cent's last digit."""
    declare(judged, kind, api_server, REPLAYED)
    api_server.when("Welcome", api.failing(529), api.ok("Yes, very."))
    api_server.when("You again", api.ok("No."))
    api_server.when("Seven ducks", api.refusing("Ask somebody else."))

    for _ in range(2):
        result = judged.run("suites/small", "--eval-max-unscored", "0.5", *workers)
        result.assert_outcomes(passed=1, failed=1, skipped=1)

    reasons = {str(line["probe"]): str(line["reason"]) for line in judged.results()}
    assert reasons["warm"] == "second_opinion: the arbiter said 'yes, very.'"
    assert reasons["odd"] == "second_opinion: the arbiter said 'ask somebody else.'"
    assert len(api_server.posts) == 4
    opinions = [reply for target, reply in stored(judged) if target == "grader:served:naked:greedy"]
    assert len(opinions) == 3
    assert sum(reply["cost_usd"] for reply in opinions) == pytest.approx(api_server.billed_usd, abs=1e-12)
    assert api.KEY not in "".join(file.read_text("utf-8", "replace") for file in judged.root.rglob("*.log"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_subject_at_a_server(bench: Bench, api: ModuleType, api_server: Any, kind: str) -> None:
    """Two turns, the first answer in the second's conversation."""
    declare(bench, kind, api_server, "grader")
    bench.write(
        "suites/small/talk.yaml",
        "probes:\n  - id: talk\n    turns:\n      - {user: 'What is the price?'}\n      - generate\n"
        "      - {user: 'And tomorrow?'}\n      - generate\n"
        "    expect: {contains: check}\n",
    )
    api_server.when("What is the price?", api.ok("Please check the list by the door."))
    api_server.when("And tomorrow?", api.ok("Please check it again tomorrow, for it may change."))

    result = bench.run("suites/small")

    result.assert_outcomes(passed=1)
    (line,) = bench.results()
    assert line["target"] == "grader:served:naked:greedy"
    last = api_server.posts[-1].body["messages"]
    assert [message["content"] for message in last] == [
        "What is the price?", "Please check the list by the door.", "And tomorrow?",
    ]  # fmt: skip


def test_without_a_key_judges_leave_trials_unscored(
    judged: Bench, api_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Skipped, with the sentence that says how to enable it; nothing is asked."""
    declare(judged, "anthropic", api_server, REPLAYED)
    monkeypatch.delenv("ANTHROPIC_API_KEY")

    result = judged.run("suites/small", "--eval-max-unscored", "1")

    result.assert_outcomes(skipped=3)
    assert {str(line["reason"]) for line in judged.results()} == {
        f"second_opinion: Engine 'anthropic' has no key for {api_server.url}. To enable it, set ANTHROPIC_API_KEY to "
        "an API key in the environment."
    }
    assert api_server.received == []


def test_money_runs_out(judged: Bench, api_server: Any) -> None:
    """Judging stops at the limit, which is no error; with more money only the rest is asked."""
    declare(judged, "anthropic", api_server, REPLAYED)

    result = judged.run("suites/small", "--eval-max-usd", "0", "--eval-max-unscored", "1")

    result.assert_outcomes(skipped=3)
    assert {"no money" if "--eval-max-usd allows" in str(line["reason"]) else "" for line in judged.results()} == {
        "no money"
    }
    assert api_server.received == []
    said = " ".join(result.stdout.str().split())
    assert "Asking grader 3 times: about 58 tokens in, up to 24 out, up to about $0.00018 of the $0.00 left." in said


def test_a_server_that_is_down_is_an_error_of_its_subjects(bench: Bench, api: ModuleType, api_server: Any) -> None:
    """After its attempts, with what to do; no probe fails for it."""
    declare(bench, "openai", api_server, "grader")
    text = (bench.root / "fixtures/targets.yaml").read_text().replace("timeout_s: 120", "timeout_s: 120, attempts: 1")
    bench.write("fixtures/targets.yaml", text)
    bench.write("suites/small/a.yaml", "probes: [{id: q, prompt: Hm?, expect: {contains: check}}]\n")
    api_server.always = lambda received: api.failing(500, "down")

    result = bench.run("suites/small")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*gave no answer in 1 attempt; the last: HTTP 500: down.*"])


@pytest.mark.slow
def test_old_answers_of_servers_are_asked_again(bench: Bench, api: ModuleType, api_server: Any) -> None:
    """Seven days after, unless set: what a server answers may have changed. Both answers are kept."""
    declare(bench, "openai", api_server, "grader")
    bench.write("suites/small/a.yaml", "probes: [{id: q, prompt: What is it?, expect: {contains: check}}]\n")
    api_server.script(api.ok("Please check the list by the door."), api.ok("Please check the list in the hall."))

    def age(days: float) -> None:
        with closing(sqlite3.connect(bench.root / ".evalkit/store.sqlite3")) as connection:
            connection.execute("UPDATE generations SET created_at = ?", (time.time() - days * 86_400,))
            connection.commit()

    bench.run("suites/small").assert_outcomes(passed=1)
    age(6.9)
    bench.run("suites/small").assert_outcomes(passed=1)
    asked_within = len(api_server.posts)
    age(7.1)
    bench.run("suites/small").assert_outcomes(passed=1)

    assert (asked_within, len(api_server.posts)) == (1, 2)
    assert [reply["text"] for _, reply in stored(bench)] == [
        "Please check the list by the door.", "Please check the list in the hall.",
    ]  # fmt: skip
