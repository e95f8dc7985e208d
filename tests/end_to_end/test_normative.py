"""The normative file of the documentation on the demo model, and every kind of broken file beside a good one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Desk

READING = Path(__file__).resolve().parents[1] / "reading"
BROKEN = READING / "broken"
KEEP_ERRORS = """\
import json
import os
import pathlib


def pytest_runtest_logreport(report):
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        line = json.dumps([report.nodeid, report.when, str(report.longrepr)])
        with pathlib.Path("errors.jsonl").open("a") as file:
            file.write(line + chr(10))
"""
REPLAYED = """\
models: {one: {path: model}}
engines: {stored: {kind: replay}}
default: [{model: one, quantisation: fp32, engine: stored}]
"""
RECORDED = [
    "What is two and two?",
    "Who are you?",
    "What does the kettle cost?",
    "Where is the lamp?",
    "Who?",
    "Paris?",
]


@pytest.mark.slow
def test_the_normative_file_runs_on_the_demo_model(desk: Desk) -> None:
    """One probe of one prompt, one of two turns, one of five samples: seven trials, each judged, no ERROR."""
    desk.write("suites/normative/first.yaml", (READING / "good" / "normative.yaml").read_text(encoding="utf-8"))
    desk.write("suites/normative/_data/metaphor.txt", "A river is like a conversation.\nSay how.\n")

    _, output = desk.run("suites/normative", "-n", "2", "--eval-target", "demo+steady:nf4:naked:greedy")

    results = desk.results()
    file, target = "suites/normative/first.yaml", "demo+steady:nf4:naked:greedy"
    assert [line["trial"] for line in results] == [
        f"{file}::what-does-the-blue-kettle-cost[{target}]",
        f"{file}::third-ask[{target}]",
        f"{file}::metaphor[{target}]",
        *(f"{file}::metaphor[{target}:s{sample}]" for sample in range(1, 5)),
    ], output
    assert "error" not in {line["outcome"] for line in results}
    kettle, talk, *metaphors = results
    assert sorted(verdict["judge"] for verdict in kettle["verdicts"]) == ["behaviour", "degeneration", "text"]
    assert [message["role"] for message in talk["messages"]] == ["system", "user", "assistant", "user", "assistant"]
    assert len(talk["answers"]) == 2
    assert (talk["cluster"], talk["category"], talk["tags"]) == ("rent-pressure", "ADVERSARIAL", ["multi_turn"])
    assert len({line["answers"][0]["text"] for line in metaphors}) > 1
    assert {line["messages"][0]["content"] for line in metaphors} == {"A river is like a conversation.\nSay how."}


@pytest.mark.parametrize("workers", ["0", pytest.param("2", marks=pytest.mark.slow)])
def test_each_broken_file_is_one_error_and_good_probes_run(workers: str, desk: Desk) -> None:
    """Every file of tests/reading/broken in one suite gives its exact messages, in the report and on the screen."""
    names = write_broken_suite(desk)

    status, output = desk.run("suites/broken", "-n", workers)

    lines = (desk.root / "errors.jsonl").read_text().splitlines()
    errors = {node: (when, text) for node, when, text in map(json.loads, lines)}
    assert len(lines) == len(errors) == len(names) >= 25, output
    printed = output.splitlines()
    for name in names:
        when, text = errors[f"suites/broken/{name}.yaml::<unreadable>"]
        expected = (BROKEN / f"{name}.txt").read_text(encoding="utf-8")
        assert (when, text + "\n") == ("setup", expected)
        assert [line for line in expected.splitlines() if line not in printed] == []
    outcomes = {line["probe"]: line["outcome"] for line in desk.results() if line["file"].endswith("good.yaml")}
    assert outcomes == {"kettle": "pass", "lamp": "pass"}
    assert not [line["reason"] for line in desk.results() if line["outcome"] != "pass"]
    assert status == 1


def write_broken_suite(desk: Desk) -> list[str]:
    """One suite of every broken file, a good one beside them, and recorded answers to all that can be read."""
    names = sorted(file.stem for file in BROKEN.glob("*.yaml"))
    desk.write(
        "suites/broken/good.yaml",
        "probes:\n"
        "  - {id: kettle, prompt: What does the kettle cost?, expect: {contains: check}}\n"
        "  - {id: lamp, prompt: Where is the lamp?, expect: {contains: check}}\n",
    )
    for name in names:
        shutil.copy(BROKEN / f"{name}.yaml", desk.root / "suites" / "broken")
    desk.write("suites/broken/_data/metaphor.txt", "A river.")
    desk.write("suites/broken/_data/empty.txt", "\n")
    desk.write("suites/broken/_data/latin1.txt", "").write_bytes(b"caf\xe9")
    desk.write("suites/broken/_data/asks.txt", "one\n\ntwo\n")
    desk.write("suites/broken/_data/asks.csv", "one,two\n")
    desk.write("suites/broken/_data/twice.txt", "one\n\ntwo\none\n")
    desk.write("suites/broken/_data/mapping.yaml", "asks: [one]\n")
    desk.write("suites/broken/_data/flawed.yaml", "- one\n- 2024-01-01\n")
    desk.write("fixtures/targets.yaml", REPLAYED)
    desk.write("model/config.json", "{}")
    answer = "I say four, but please check the list."
    recorded = [
        {"messages": [{"role": "user", "content": prompt}], "target": "one:fp32:naked:greedy", "text": answer}
        for prompt in RECORDED
    ]
    desk.write("fixtures/recordings/all.jsonl", "".join(json.dumps(line) + "\n" for line in recorded))
    desk.write("judges/rubric.py", "def judge(case):\n    return True\n")  # a message names it
    desk.write("conftest.py", KEEP_ERRORS)
    return names
