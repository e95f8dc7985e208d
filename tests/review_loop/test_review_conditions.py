"""A run under a condition: its system prompt stays out of what reviewers read until they have judged."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = pytest.mark.slow
KERNEL = "You are Zed, and you check everything."
TARGETS = """\
models:
  one: {path: model}
conditions:
  zed: {file: fixtures/zed.txt}
engines:
  stored: {kind: replay}
default:
  - {model: one, quantisation: fp32, engine: stored}
  - {model: one, quantisation: fp32, engine: stored, condition: zed}
"""


def test_the_systems_prompt_of_a_condition_is_apart(loop: Any) -> None:
    """Both arms' items read alike; the sheets of people do not hold the prompt, and the page shows it on demand."""
    probes, lines = ["probes:"], []
    for number in range(4):
        probes += [f"  - {{id: q{number}, category: dates, prompt: Who is {number}?, expect: {{contains: nobody}}}}"]
        asked = [{"role": "user", "content": f"Who is {number}?"}]
        under = [{"role": "system", "content": KERNEL}, *asked]
        for condition, messages in (("naked", asked), ("zed", under)):
            line = {"messages": messages, "target": f"one:fp32:{condition}:greedy", "sample": 0, "text": "It is me."}
            lines.append(json.dumps(line) + "\n")
    loop.write("fixtures/targets.yaml", TARGETS)
    loop.write("fixtures/zed.txt", KERNEL)
    loop.write("suites/few/first.yaml", "\n".join(probes) + "\n")
    loop.write("fixtures/recordings/answers.jsonl", "".join(lines))
    done = loop.pytest("--deselect", "suites/small")
    assert "8 failed" in done.out, done.out + done.err

    told = loop.evalkit("review", "latest", "--failures", "--format", "csv,jsonl", "--out", "sheets")
    items = [json.loads(line) for line in (loop.root / "sheets" / "review.jsonl").read_text().splitlines()]

    assert told.status == 0
    assert {(item["target"].split(":")[2], item["condition"]) for item in items} == {("naked", ""), ("zed", KERNEL)}
    assert {tuple(message["role"] for message in item["messages"]) for item in items} == {("user",)}
    assert len({item["text_hash"] for item in items}) == len(items) == 8
    assert "Zed" not in (loop.root / "sheets" / "review.csv").read_text(encoding="utf-8-sig")
