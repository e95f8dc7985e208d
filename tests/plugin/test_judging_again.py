"""``evalkit judge`` on what a run stored, and with judges that ask a model: everything real but the weights."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import Bench

ASKING = """\
from evalkit.generation import Generation, Request
from evalkit.judging.base import RuleJudge
from evalkit.probe import Message

class judge(RuleJudge):
    name = "opinion"
    def __init__(self, target):
        self.target = target
    def ask(self, case, replies):
        if replies:
            return ()
        text = f"Is this kind? {case.answers[0].answer}"
        return (Request(self.target, (Message("user", text),), self.target.decoding),)
    def read(self, case, replies):
        said = replies[0].text if isinstance(replies[0], Generation) else "nothing"
        return self.verdict("pass" if said == "Yes." else "fail", f"it said {said}")
"""

pytestmark = pytest.mark.slow


def evalkit(bench: Bench, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "evalkit", *words]
    done = subprocess.run(command, cwd=bench.root, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert done.returncode == status, done.stderr
    return done


def stored(bench: Bench) -> int:
    with closing(sqlite3.connect(bench.root / ".evalkit" / "store.sqlite3")) as connection:
        return int(connection.execute("SELECT count(*) FROM generations").fetchone()[0])


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def ran(bench: Bench) -> Bench:
    """A finished run of two probes, judged by a judge that wants the word door."""
    bench.write("judges/door.py", "def judge(case):\n    return 'door' in case.answers[0].answer, 'looked for door'\n")
    bench.suite("What is the price?", "What is the weight?")
    text = (bench.root / "suites/small/first.yaml").read_text()
    bench.write("suites/small/first.yaml", f"defaults: {{judges: [door]}}\n{text}")
    bench.run("suites/small").assert_outcomes(passed=2)
    return bench


def test_a_run_is_judged_again_and_compared(ran: Bench) -> None:
    """The stored answers, the judges of today; old outcome against new, and what changed."""
    ran.write("judges/door.py", "def judge(case):\n    return 'weight' in case.prompt, 'looked for weight'\n")
    done = evalkit(ran, "judge", "latest", "--judge", "door", "--out", "again.jsonl")
    found = lines((ran.root / "again.jsonl").read_text())

    assert [(line["id"], line["outcome"]) for line in found] == [("first-0", "fail"), ("first-1", "pass")]
    assert found[0]["answer"] == "The price list by the door says it; please check there."
    assert [" ".join(line.split()) for line in done.stdout.splitlines() if "---" not in line] == [
        "judge pass fail unscored collapsed",
        "door 1 1 0 0",
        "wrote again.jsonl",
        "judge then now trials",
        "door pass fail 1",
        "door pass pass 1",
        "changed: 1 of 2 verdicts",
        "door: pass → fail suites/small/first.yaml::first-0[one:fp32:naked:greedy] — looked for weight",
    ]


def test_without_a_judge_the_probes_own_judges_decide(ran: Bench) -> None:
    """Every judge of every probe, degeneration and text included."""
    done = evalkit(ran, "judge", "latest")

    assert [(line["id"], line["judge"]) for line in lines(done.stdout)] == [
        (probe, judge) for probe in ("first-0", "first-1") for judge in ("degeneration", "text", "door")
    ]


def test_probes_that_changed_or_went_are_named(ran: Bench) -> None:
    """An edited prompt is judged as it was asked then; a probe that is gone is left out, and both are said."""
    text = (ran.root / "suites/small/first.yaml").read_text()
    ran.write("suites/small/first.yaml", text.replace("price?", "cost?").replace("id: first-1", "id: other"))
    done = evalkit(ran, "judge", "latest", "--judge", "door")

    assert [line["id"] for line in lines(done.stdout)] == ["first-0"]
    assert done.stderr.splitlines()[:2] == [
        "1 of 2 trials are not judged: the probe is gone",
        "1 probe was edited since: judged as it was asked, by what it expects today",
    ]


def test_judges_that_ask_a_model_are_asked_and_remembered(ran: Bench) -> None:
    """Questions go through the store: the second time nothing is asked, and the verdicts are the same."""
    ran.write("judges/opinion.py", ASKING)
    targets = (ran.root / "fixtures/targets.yaml").read_text()
    arbiter = "targets:\n  arbiter: {model: two, quantisation: fp32, engine: stored}\n"
    ran.write("fixtures/targets.yaml", targets + arbiter)
    ran.write("judges/kind.yaml", "kind: panel\nrule: all\nmembers: [{use: opinion, model: arbiter}, degeneration]\n")
    rows = [{"id": "a", "response": "Hello."}, {"id": "b", "response": "Go away."}]
    ran.write("answers.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    ran.record("Is this kind? Hello.", "Yes.", "two:fp32:naked:greedy")
    ran.record("Is this kind? Go away.", "No.", "two:fp32:naked:greedy")
    first = evalkit(ran, "judge", "answers.jsonl", "--judge", "kind")
    asked = stored(ran)
    second = evalkit(ran, "judge", "answers.jsonl", "--judge", "kind")

    assert [(line["id"], line["outcome"]) for line in lines(first.stdout)] == [("a", "pass"), ("b", "fail")]
    assert second.stdout == first.stdout
    assert stored(ran) == asked == 4


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["judge", "20200101-x"], "There is no file and no run '20200101-x'. See: evalkit list runs"),
        (["judge", "latest", "--suite", "small"], "--suite is for files; a run knows its probes. Take it out."),
    ],
)
def test_a_run_that_is_not_there_is_said(ran: Bench, words: list[str], sentence: str) -> None:
    """One sentence, exit status 2."""
    assert evalkit(ran, *words, status=2).stderr == sentence + "\n"


KIND = """\
kind: rubric
model: grader
question: Is it kind?
labels:
  kind: {means: Kind., outcome: pass}
  unkind: {means: Unkind., outcome: fail}
"""
GRADER = """
  grader: {engine: anthropic, id: judge-1, price: {input: 1, output: 5, cache_read: 0.1, cache_write: 1.25}}
"""


def test_a_run_is_judged_again_in_a_batch(ran: Bench, api: ModuleType, api_server: Any) -> None:
    """The judges of its probes ask in one batch at half the price; what it cost is said, and old stands against new."""
    targets = (ran.root / "fixtures/targets.yaml").read_text()
    targets = targets.replace("\nengines:\n", f'{GRADER}engines:\n  anthropic: {{base_url: "{api_server.url}"}}\n')
    ran.write("fixtures/targets.yaml", targets)
    ran.write("judges/kind.yaml", KIND)
    text = (ran.root / "suites/small/first.yaml").read_text()
    ran.write("suites/small/first.yaml", text.replace("judges: [door]", "judges: [door, kind]"))
    api_server.when("price?", api.ok(answer={"reason": "It is warm.", "label": "kind"}))
    api_server.when("weight?", api.ok(answer={"reason": "It is cold.", "label": "unkind"}))

    done = evalkit(ran, "judge", "latest", "--batch", "--out", "again.jsonl")
    again = evalkit(ran, "judge", "latest", "--json")

    found = {(line["id"], line["judge"]): line["outcome"] for line in lines((ran.root / "again.jsonl").read_text())}
    assert {judge: found["first-0", judge] for judge in ("door", "kind")} == {"door": "pass", "kind": "pass"}
    assert found["first-1", "kind"] == "fail"
    assert [one.path for one in api_server.posts] == ["/v1/messages/batches"]
    amount = f"${api_server.billed_usd:.2g}"
    assert f"judges  2 questions to grader (judge-1), {amount} of $5.00 allowed; 0 unreadable" in done.stdout
    plain = json.loads(again.stderr.splitlines()[-1])
    assert (plain["questions"], plain["usd"]) == (2, 0.0)
