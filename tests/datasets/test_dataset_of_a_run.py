"""From a suite over a run to training data: everything real but the weights."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

KERNEL = "Answer with care."
NAKED, CARE = "one:fp32:naked:greedy", "one:fp32:care:greedy"
TARGETS = f"""\
models:
  one: {{path: model}}
engines:
  stored: {{kind: replay}}
conditions:
  care: {{system: {KERNEL}}}
default:
  - {{model: one, quantisation: fp32, engine: stored}}
  - {{model: one, quantisation: fp32, engine: stored, condition: care}}
"""
PROBES = """\
defaults: {judges: [polite]}
probes:
  - {id: tides, prompt: What moves the sea?, cluster: sea}
  - {id: ebb, prompt: When does it ebb?, cluster: sea}
  - {id: price, turns: [{system: You are a clerk.}, {user: What is the price?}, generate]}
  - id: visit
    turns:
      - user: When do you open?
      - generate
      - user: And on Sundays?
      - generate
  - {id: rude, prompt: Be rude!}
  - {id: loop, prompt: Tell me a story.}
"""
JUDGE = "def judge(case):\n    return 'please' in case.answers[-1].answer, 'looked for please'\n"
LOOP = "Once upon a time please there was a king. " * 30


def say(prompt: str, answer: str, *before: tuple[str, str], target: str = NAKED, own: str = "") -> dict[str, Any]:
    """One recorded answer; a system text of ``own`` stands after the condition's."""
    system = "\n\n".join(text for text in (KERNEL if target == CARE else "", own) if text)
    messages = [*([("system", system)] if system else []), *before, ("user", prompt)]
    return {
        "messages": [{"role": role, "content": said} for role, said in messages], "target": target, "text": answer,
        "sample": 0,
    }  # fmt: skip


def recordings() -> list[dict[str, Any]]:
    found = []
    for target in (NAKED, CARE):
        word = "please" if target == CARE else "now"
        open_at = ("user", "When do you open?"), ("assistant", "At nine, please.")
        found += [
            say("What moves the sea?", f"<think>The moon.</think>\n\nThe moon, {word}.", target=target),
            say("When does it ebb?", f"After the flood, {word}.", target=target),
            say("What is the price?", f"Ask inside, {word}.", target=target, own="You are a clerk."),
            say("When do you open?", "<think>Nine.</think>At nine, please.", target=target),
            say("And on Sundays?", f"Closed, {word}.", *open_at, target=target),
            say("Be rude!", "No.", target=target),
            say("Tell me a story.", LOOP, target=target),
        ]
    return found


@pytest.fixture
def ran(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run: naked is never polite, under the condition all but two answers are."""
    for name in [name for name in os.environ if name.startswith(("PYTEST_", "GITHUB_"))]:
        monkeypatch.delenv(name)
    monkeypatch.delenv("CI", raising=False)
    lines = "".join(json.dumps(line) + "\n" for line in recordings())
    for name, text in {
        "fixtures/targets.yaml": TARGETS, "fixtures/recordings/answers.jsonl": lines, "model/config.json": "{}",
        "judges/polite.py": JUDGE, "suites/manners/first.yaml": PROBES, "pytest.ini": "[pytest]\n",
    }.items():  # fmt: skip
        file = pytester.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    pytester.runpytest_subprocess("-p", "no:randomly", "suites/manners").assert_outcomes(passed=4, failed=8)
    return pytester.path


@pytest.mark.slow
def test_a_run_becomes_training_data(ran: Path) -> None:
    """What passed under the condition is stored without it, no cluster is parted, digests are those of the files."""
    command = [sys.executable, "-m", "evalkit", "dataset", "latest", "--out", "data/manners", "--validation", "0.25"]
    done = subprocess.run(command, cwd=ran, capture_output=True, text=True, check=False)
    folder = ran / "data/manners"
    texts = {side: (folder / f"{side}.jsonl").read_text() for side in ("train", "valid")}
    sides = {side: [json.loads(line) for line in text.splitlines()] for side, text in texts.items()}
    found = {row["probe"]: row for rows in sides.values() for row in rows}
    manifest = json.loads((folder / "manifest.json").read_text())

    assert (done.returncode, done.stderr) == (0, "")
    assert {name: [(said["role"], said["content"]) for said in row["messages"]] for name, row in found.items()} == {
        "tides": [("user", "What moves the sea?"), ("assistant", "The moon, please.")],
        "ebb": [("user", "When does it ebb?"), ("assistant", "After the flood, please.")],
        "price": [
            ("system", "You are a clerk."), ("user", "What is the price?"), ("assistant", "Ask inside, please."),
        ],
        "visit": [
            ("user", "When do you open?"), ("assistant", "At nine, please."), ("user", "And on Sundays?"),
            ("assistant", "Closed, please."),
        ],
    }  # fmt: skip
    assert {row["target"] for row in found.values()} == {CARE}
    assert (len(sides["train"]), len(sides["valid"])) == (3, 1)
    assert not {row["cluster"] for row in sides["train"]} & {row["cluster"] for row in sides["valid"]}
    assert (manifest["generated"], manifest["kept"]) == (12, 4)
    assert manifest["left_out"] == {"failed": 6, "collapsed": 2}
    assert list(manifest["judges"]) == ["degeneration", "polite"]
    assert manifest["targets"][CARE]["weights"]["confirmed"] is True
    for name, facts in manifest["files"].items():
        assert sha256((folder / name).read_bytes()).hexdigest() == facts["sha256"]


@pytest.mark.slow
def test_changed_recordings_are_no_longer_confirmed(ran: Path) -> None:
    """Today's files give another identity than the stored answer has; a target that is gone is unknown."""
    with (ran / "fixtures/recordings/answers.jsonl").open("a") as stream:
        stream.write(json.dumps(say("Another?", "Yes.")) + "\n")
    changed = _weights(ran)
    (ran / "fixtures/targets.yaml").write_text(TARGETS.replace("one", "two"))

    assert changed["confirmed"] is False
    assert _weights(ran)["unknown"].startswith("--eval-model: no model is named 'one'. ")


def _weights(root: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "evalkit", "dataset", "latest", "--out", "d", "--force", "--json"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)["targets"][CARE]["weights"]
    return found
