"""Subjects at a server that does everything servers do: each trial has what its last reply gives it, and no other."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from evalkit.engines.servers.health import UNREACHABLE_S

if TYPE_CHECKING:
    from conftest import Bench

TARGETS = """\
models:
  far: {engine: KIND, id: far-1, price: {input: 1, output: 5}}
engines:
  KIND: {base_url: "URL", timeout_s: 120, attempts: 3, concurrency: CONCURRENCY}
default: [far]
"""
KINDS = ("anthropic", "openai")
CONCURRENCY = 4
NOTING_PAUSES = """\
import asyncio
import sys

if any("evalkit.host.server" in word for word in sys.orig_argv):
    from evalkit.engines.servers import engine
    from evalkit.engines.servers.clock import LoopClock

    async def sleep(seconds):
        with open({file!r}, "a") as file:
            file.write(f"{{seconds}}\\n")
        await asyncio.sleep(seconds)

    engine.LoopClock = lambda: LoopClock(sleep=sleep)
"""

pytestmark = [pytest.mark.slow, pytest.mark.long]


def asked(bench: Bench, kind: str, server: Any, words: list[str]) -> None:
    """A probe for each word, which is to be answered by a server."""
    url = server.url + ("/v1" if kind == "openai" else "")
    bench.write(
        "fixtures/targets.yaml",
        TARGETS.replace("KIND", kind).replace("URL", url).replace("CONCURRENCY", str(CONCURRENCY)),
    )
    lines = [f"  - {{id: {word}, prompt: What of the {word}?, expect: {{contains: check}}}}" for word in words]
    bench.write("suites/small/faults.yaml", "probes:\n" + "\n".join(lines) + "\n")


def answer(word: str) -> str:
    return f"Please check the list for the {word}."


def script(server: Any, api: ModuleType) -> dict[str, str]:
    """What becomes of each probe's request, and the outcome that must come of it."""

    def once(word: str, behaviour: Any) -> None:
        server.when(f"of the {word}", behaviour, api.ok(answer(word)))

    once("kettle", api.failing(429))
    once("lamp", api.failing(429, retry_after="1"))
    once("chair", api.failing(500))
    once("table", api.failing(529))
    once("desk", api.failing(503, retry_after_ms="200"))
    once("clock", api.hanging())
    once("river", api.dripping("So slow. " * 20))
    once("stove", api.dropped())
    once("mirror", api.malformed())
    once("carpet", api.truncated(usage_first=True))
    server.when("of the candle", api.ok(answer("candle")))
    server.when("of the spoon", api.twice(answer("spoon")))
    server.when("of the fork", api.twice(answer("fork")))
    server.when("of the window", api.refusing("I will not."))
    server.when("of the drawer", api.empty())
    server.when("of the ladder", api.failing(500, "down for the day"))
    server.when("of the gate", api.failing(400, "top_q?"))
    passing = ["kettle", "lamp", "chair", "table", "desk", "clock", "river", "stove", "mirror", "carpet"]
    return {
        **dict.fromkeys([*passing, "candle", "spoon", "fork"], "pass"), "window": "fail", "drawer": "fail",
        "ladder": "error", "gate": "error",
    }  # fmt: skip


def posts(server: Any) -> Counter[str]:
    return Counter(one.prompt.removeprefix("What of the ").removesuffix("?") for one in server.posts)


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_fault_of_a_subjects_server(
    bench: Bench, api: ModuleType, api_server: Any, give_up_soon: Callable[..., None], kind: str, workers: str
) -> None:
    """No answer is lost, made up, or given to another; what the engine could not get is an ERROR, never exit 0."""
    wanted = script(api_server, api)
    give_up_soon("clock", "river")
    asked(bench, kind, api_server, list(wanted))

    result = bench.run("suites/small", "-n", workers, "--eval-max-unscored", "1")

    lines = {str(line["probe"]): line for line in bench.results()}
    assert {probe: line["outcome"] for probe, line in lines.items()} == wanted
    assert result.ret == 1
    counts = posts(api_server)
    assert max(counts.values()) == 3
    assert {word: counts[word] for word in ("candle", "spoon", "fork", "ladder", "gate", "window")} == {
        "candle": 1, "spoon": 1, "fork": 1, "ladder": 3, "gate": 1, "window": 1,
    }  # fmt: skip
    for word, outcome in wanted.items():
        if outcome == "pass":
            assert answer(word) in str(lines[word]["answers"])
    assert "down for the day" in str(lines["ladder"]["reason"])
    before = len(api_server.posts)

    again = bench.run("suites/small", "-n", workers, "--eval-max-unscored", "1")

    assert {str(line["probe"]): line["outcome"] for line in bench.results()} == wanted
    assert set(posts(api_server)) - set(counts) == set()
    assert Counter(one.prompt for one in api_server.posts[before:]).keys() == {
        "What of the ladder?", "What of the gate?",
    }  # fmt: skip
    assert again.ret == 1


def test_a_server_that_is_not_there(bench: Bench, api_server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every trial is an ERROR that says what to do; only the first few were waited for, and a few seconds."""
    asked(bench, "openai", api_server, [f"w{number}" for number in range(60)])
    api_server.go_away()
    pauses = bench.root / "pauses.txt"
    bench.write("host-only/sitecustomize.py", NOTING_PAUSES.format(file=str(pauses)))
    monkeypatch.setenv("PYTHONPATH", str(bench.root / "host-only"), prepend=":")

    result = bench.run("suites/small")

    result.assert_outcomes(errors=60)
    assert result.ret == 1
    assert all("could not be reached (" in str(line["reason"]) for line in bench.results())
    assert all("Start it, or correct base_url" in str(line["reason"]) for line in bench.results())
    assert 0 < sum(map(float, pauses.read_text().split())) <= CONCURRENCY * UNREACHABLE_S


def test_a_base_models_completions(bench: Bench, api: ModuleType, api_server: Any) -> None:
    """With an adapter, over both turns, in the forms that the engine declares."""
    bench.write(
        "fixtures/targets.yaml",
        "models: {raw: {engine: base, id: raw-1}}\n"
        "adapters: {tuned: {id: raw-1-tuned}}\n"
        "engines:\n"
        f"  base: {{kind: openai, base_url: '{api_server.url}/v1', api: completions,\n"
        '         rendering: {user: "Q: {text}\\n", assistant: "A: {text}\\n", answer: \'A:\'}}\n'
        "default: [raw, raw+tuned]\n",
    )
    bench.write(
        "suites/small/talk.yaml",
        "probes:\n  - id: talk\n    turns: [{user: First?}, generate, {user: Then?}, generate]\n"
        "    expect: {contains: check}\n",
    )
    api_server.always = lambda received: api.ok(f"check {received.body['model']}.")

    bench.run("suites/small").assert_outcomes(passed=2)

    prompts = {(one.body["model"], one.body["prompt"]) for one in api_server.posts}
    assert prompts == {
        (model, prompt)
        for model in ("raw-1", "raw-1-tuned")
        for prompt in ("Q: First?\nA:", f"Q: First?\nA: check {model}.\nQ: Then?\nA:")
    }


def test_nothing_is_left_of_a_run_that_is_stopped_while_a_server_hangs(
    bench: Bench, api: ModuleType, api_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """-x ends the run at the first failing probe, although the server still owes most replies."""
    asked(bench, "openai", api_server, ["kettle", *(f"w{number}" for number in range(8))])
    text = (bench.root / "fixtures/targets.yaml").read_text().replace("timeout_s: 120,", "timeout_s: 600,")
    bench.write("fixtures/targets.yaml", text)
    api_server.when("of the kettle", api.ok("No idea."))
    api_server.always = lambda received: api.hanging()
    usage = api_server.usage

    def usage_once_another_hangs(*arguments: Any) -> Any:
        while api_server.inside < 2 and not api_server.is_closing(0.01):
            pass
        return usage(*arguments)

    monkeypatch.setattr(api_server, "usage", usage_once_another_hangs)

    result = bench.run("suites/small", "-x")

    result.assert_outcomes(failed=1)
    assert api_server.inside > 0
    own = Path("/proc", str(os.getpid()), "cwd")  # pytester has moved there
    assert [link for link in Path("/proc").glob("[0-9]*/cwd") if _is_in(link, bench.root)] == [own]


def _is_in(link: Path, folder: Path) -> bool:
    try:
        return link.readlink() == folder
    except OSError:
        return False
