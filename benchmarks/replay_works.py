"""Workspaces of many probes with recorded answers, and as many plain parametrised tests beside them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

FILE_OF = 1_000
LENGTH = 60
LABEL = "one:fp32:naked:greedy"
TARGETS = """\
models: {one: {path: model}}
engines: {stored: {kind: replay}}
default: [{model: one, quantisation: fp32, engine: stored}]
"""
WORDS = (
    "amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "heron", "inlet", "jetty", "knoll", "larch", "maple",
    "north", "ocean", "prairie", "quarry", "river", "stone", "tundra",
)  # fmt: skip
PLAIN = """\
import pytest


@pytest.mark.parametrize("number", range({tests}))
def test_it(number):
    assert f"parcel {{number}}" in f"The parcel {{number}} lies by the river, next to the road to the town."
"""


def replay_workspace(folder: Path, probes: int) -> Path:
    """So many probes with a ``contains`` each, in files of 1,000, and a recording of 60 characters for every one."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("suites/large", "fixtures/recordings", "model"):
        (folder / name).mkdir(parents=True)
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (folder / "model/config.json").write_text("{}", encoding="utf-8")
    (folder / "fixtures/targets.yaml").write_text(TARGETS, encoding="utf-8")
    recordings: list[str] = []
    for start in range(0, probes, FILE_OF):
        lines = ["defaults: {category: LARGE}", "probes:"]
        for number in range(start, min(start + FILE_OF, probes)):
            prompt = f"Where does parcel {number} lie, and what is next to the {WORDS[number % 20]}?"
            expect = f"{{contains: parcel {number}}}"
            lines.append(f"  - {{id: p{number:05d}, prompt: {json.dumps(prompt)}, expect: {expect}}}")
            row = {"messages": [{"role": "user", "content": prompt}], "target": LABEL, "text": answer(number)}
            recordings.append(json.dumps(row))
        (folder / f"suites/large/part{start // FILE_OF:03d}.yaml").write_text("\n".join([*lines, ""]), encoding="utf-8")
    (folder / "fixtures/recordings/large.jsonl").write_text("\n".join([*recordings, ""]), encoding="utf-8")
    return folder


def answer(number: int) -> str:
    """Sixty characters of plain English that name the parcel."""
    first, second = WORDS[number % 20], WORDS[number * 7 % 20]
    text = f"Parcel {number} lies by the {first}, next to the {second} road and the mill"
    return f"{text[: LENGTH - 1].rstrip()}."


def plain_tests(folder: Path, tests: int) -> Path:
    """A folder with one parametrised test of so many cases."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "test_plain.py").write_text(PLAIN.format(tests=tests), encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    return folder
