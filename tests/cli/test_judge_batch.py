"""``evalkit judge --batch``: questions at half the price, paid once whatever happens to the command."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from evalkit.cli.batch_news import BatchScreen, news_text
from evalkit.engines.servers import batches
from evalkit.engines.servers.batch_engine import BatchNews
from evalkit.engines.servers.clock import Clock
from evalkit.host.messages import Run, Status
from evalkit.probe import JudgeUse
from evalkit.reading.answer_rows import AnswerRow, read_rows
from evalkit.reading.judge_targets import with_targets
from evalkit.reading.targets import read_targets
from evalkit.rejudging import Rejudging, stored_trial
from evalkit.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command

    Write = Callable[[str, str], Path]

KIND = """\
kind: rubric
model: grader
question: Is it kind?
labels:
  kind: {means: Kind., outcome: pass}
  unkind: {means: Unkind., outcome: fail}
"""
TARGETS = """\
models:
  grader: {engine: anthropic, id: judge-1, price: {input: 1, output: 5, cache_read: 0.1, cache_write: 1.25}}
  other: {engine: local-server, id: judge-2}
engines:
  anthropic: {base_url: "URL", timeout_s: 60}
  local-server: {kind: openai, base_url: "URL/v1"}
"""
SENT = (
    "Batch msgbatch_1 is sent: {} to grader, at most {}; it ends within 24 h 0 min. This command may be stopped: "
    "run again, it takes up the results."
)
TAKEN_UP = "Batch msgbatch_1 of an earlier command is taken up: {} to grader, "


def opinion(label: str) -> dict[str, str]:
    return {"reason": f"It is plainly {label}.", "label": label}


@dataclass
class Place:
    """A workspace with a rubric whose model is at the scripted server, and rows to judge."""

    root: Path
    server: Any
    api: ModuleType

    def rows(self, *texts: str) -> None:
        lines = [json.dumps({"id": f"r{number}", "response": text}) for number, text in enumerate(texts)]
        (self.root / "answers.jsonl").write_text("\n".join(lines) + "\n")
        for text in texts:
            self.server.when(text, self.api.ok(answer=opinion("unkind" if "again" in text else "kind")))

    def outcomes(self, text: str) -> list[tuple[str, str]]:
        return [(line["id"], line["outcome"]) for line in map(json.loads, text.splitlines())]

    @property
    def made(self) -> list[Any]:
        """The batches that were asked for."""
        return [one for one in self.server.posts if one.path == "/v1/messages/batches"]

    def sql(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(self.root / ".evalkit/store.sqlite3")) as connection:
            return connection.execute(query).fetchall()

    def start(self, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "evalkit", "judge", "answers.jsonl", "--judge", "kind", "--batch", *words]
        return subprocess.Popen(
            command, cwd=self.root, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ)
        )

    def until(self, happened: Callable[[], object]) -> None:
        """Waits for the command and the server to come so far."""
        until = time.monotonic() + 120
        while not happened():
            assert time.monotonic() < until, "it never happened"
            time.sleep(0.01)


@pytest.fixture
def place(write: Write, tmp_path: Path, api_server: Any, api: ModuleType) -> Place:
    write("fixtures/targets.yaml", TARGETS.replace("URL", api_server.url))
    write("judges/kind.yaml", KIND)
    made = Place(tmp_path, api_server, api)
    made.rows("Welcome, friend.", "You again.", "Good day to you.")
    return made


JUDGE = ("judge", "answers.jsonl", "--judge", "kind")
RIGHT = [("r0", "pass"), ("r1", "fail"), ("r2", "pass")]


def test_half_the_price_and_the_same_verdicts(evalkit: Command, place: Place) -> None:
    """One batch, nothing asked singly; the replies are stored, so that without --batch they are there too."""
    done = evalkit(*JUDGE, "--batch")
    again = evalkit(*JUDGE)

    assert (done.status, place.outcomes(done.out)) == (0, RIGHT)
    assert again.out == done.out
    assert (len(place.made), len(place.server.posts), len(place.server.bills)) == (1, 1, 3)
    costs = [json.loads(row[0])["cost_usd"] for row in place.sql("SELECT reply FROM generations")]
    assert sum(costs) == pytest.approx(place.server.billed_usd, abs=1e-12)
    assert place.sql("SELECT id, engine, model, identities, state FROM batches") == [
        ("msgbatch_1", place.server.url, "judge-1", "[]", "done")
    ]
    shown = done.err.splitlines()
    assert shown[0].startswith("Batch msgbatch_1 is sent: 3 questions to grader, at most $0.0")
    assert shown[1] == "Batch msgbatch_1 has ended: 3 of 3 questions finished."


def test_a_reply_that_cannot_be_read_is_repaired_in_a_second_batch(evalkit: Command, place: Place) -> None:
    """Each round of questions is a batch of its own."""
    place.server.script(place.api.ok("Hm."), place.api.ok("Hm."), place.api.ok(answer=opinion("kind")))

    done = evalkit(*JUDGE, "--batch")

    assert place.outcomes(done.out) == RIGHT
    assert [len(one.body["requests"]) for one in place.made] == [3, 2]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_command_comes_back_to_its_batch(evalkit: Command, place: Place, how: signal.Signals) -> None:
    """Killed or stopped between sending and results; run again it pays nothing more and has all verdicts."""
    place.server.polls_until_ended = 1000
    begun = place.start()
    place.until(lambda: any(one.method == "GET" for one in place.server.received))
    begun.send_signal(how)
    out, err = begun.communicate(timeout=120)
    assert out == ""
    assert begun.returncode == (-9 if how == signal.SIGKILL else 130)
    if how == signal.SIGINT:
        assert err.splitlines()[-1] == (
            "Batch msgbatch_1 goes on without this command. Run it again to take up the results."
        )
    assert place.sql("SELECT id, state FROM batches") == [("msgbatch_1", "open")]

    place.server.polls_until_ended = 0
    done = evalkit(*JUDGE, "--batch")

    assert (done.status, place.outcomes(done.out)) == (0, RIGHT)
    assert (len(place.made), len(place.server.bills)) == (1, 3)
    assert done.err.splitlines()[0].startswith(TAKEN_UP.format("3 questions"))
    assert done.err.splitlines()[0].endswith(" left. Nothing is sent or paid again.")
    assert place.sql("SELECT state FROM batches") == [("done",)]
    costs = [json.loads(row[0])["cost_usd"] for row in place.sql("SELECT reply FROM generations")]
    assert sum(costs) == pytest.approx(place.server.billed_usd, abs=1e-12)


def test_killed_while_the_batch_is_sent(evalkit: Command, place: Place) -> None:
    """Nobody knows whether it was made: the next command says so, and asks."""
    place.server.batches_are_delayed = True
    begun = place.start()
    place.until(lambda: place.made)
    begun.kill()
    begun.communicate(timeout=120)
    assert place.sql("SELECT id, state FROM batches") == [(str(begun.pid), "sending")]

    place.server.batches_are_delayed = False
    done = evalkit(*JUDGE, "--batch")

    assert place.outcomes(done.out) == RIGHT
    assert (
        "A command ended while it sent a batch of 3 questions to judge-1. The batch may have been made and billed, and "
        "its id is not known: see the provider's console. They are asked again."
    ) in done.err.splitlines()
    assert place.sql("SELECT state FROM batches") == [("lost",), ("done",)]


def test_new_rows_beside_an_open_batch(evalkit: Command, place: Place) -> None:
    """What the open batch holds is taken from it, the rest is sent; what is not asked any more stays there."""
    place.server.polls_until_ended = 1000
    begun = place.start()
    place.until(lambda: any(one.method == "GET" for one in place.server.received))
    begun.kill()
    begun.communicate(timeout=120)
    place.rows("Good day to you.", "Be my guest.")
    place.server.polls_until_ended = 0

    done = evalkit(*JUDGE, "--batch")

    assert place.outcomes(done.out) == [("r0", "pass"), ("r1", "pass")]
    assert [len(one.body["requests"]) for one in place.made] == [3, 1]
    (first, second) = place.sql("SELECT identities, state FROM batches ORDER BY number")
    assert (len(json.loads(first[0])), first[1], second) == (2, "open", ("[]", "done"))


def test_what_was_not_answered_is_asked_again(evalkit: Command, place: Place) -> None:
    """Errored and expired rows are no verdicts; the next command asks those alone, and every verdict is there."""
    place.server.script(place.api.failing(500, "went wrong"), place.api.hanging(), place.api.ok(answer=opinion("kind")))

    first = evalkit(*JUDGE, "--batch")
    second = evalkit(*JUDGE, "--batch")

    assert first.status == 1
    lines = [json.loads(line) for line in first.out.splitlines()]
    assert [(line["outcome"], line["flags"]) for line in lines] == [
        ("unscored", ["error"]), ("unscored", ["error"]), ("pass", []),
    ]  # fmt: skip
    asked = "Judge 'kind' got no reply from grader:served:naked:greedy: Batch msgbatch_1: "
    assert [line["reason"] for line in lines[:2]] == [
        f"{asked}the server could not answer: went wrong.",
        f"{asked}it ended before this was asked. Judge it again to ask it.",
    ]
    assert (second.status, place.outcomes(second.out)) == (0, RIGHT)
    assert [len(one.body["requests"]) for one in place.made] == [3, 2]
    assert len(place.server.bills) == 3


def test_results_that_cannot_be_fetched_are_kept(evalkit: Command, place: Place) -> None:
    """A server that breaks off: no verdict, and the next command has them without paying."""
    targets = (place.root / "fixtures/targets.yaml").read_text()
    (place.root / "fixtures/targets.yaml").write_text(targets.replace("timeout_s: 60", "timeout_s: 60, attempts: 1"))
    place.server.results_break = 1

    first = evalkit(*JUDGE, "--batch")
    second = evalkit(*JUDGE, "--batch")

    assert first.status == 1
    assert first.out.count("Run the same command again: batch msgbatch_1 is kept.") == 3
    assert place.outcomes(second.out) == RIGHT
    assert (len(place.made), len(place.server.bills)) == (1, 3)


def test_a_batch_that_the_server_does_not_know(evalkit: Command, place: Place) -> None:
    """Of another account, say: said once, and asked anew by the next command."""
    place.server.polls_until_ended = 1000
    begun = place.start()
    place.until(lambda: any(one.method == "GET" for one in place.server.received))
    begun.kill()
    begun.communicate(timeout=120)
    place.server.batches["msgbatch_x"] = place.server.batches.pop("msgbatch_1")
    place.server.polls_until_ended = 0

    first = evalkit(*JUDGE, "--batch")
    second = evalkit(*JUDGE, "--batch")

    assert json.loads(first.out.splitlines()[0])["reason"] == (
        f"Judge 'kind' got no reply from grader:served:naked:greedy: Server 'anthropic' ({place.server.url}): no news "
        "of it: HTTP 404: no such batch. It may be of another account, or over a month old. Judge it again to ask anew."
    )
    assert place.outcomes(second.out) == RIGHT
    assert place.sql("SELECT state FROM batches") == [("lost",), ("done",)]


def test_money_bounds_what_is_sent(evalkit: Command, place: Place) -> None:
    """Nothing is sent that could cost more than is allowed; the trials are unscored and asked with more money."""
    done = evalkit(*JUDGE, "--batch", "--max-usd", "0.0001")

    assert (done.status, place.server.received) == (0, [])
    reasons = {json.loads(line)["reason"] for line in done.out.splitlines()}
    assert len(reasons) == 3 or len(reasons) == 1
    for reason in reasons:
        assert reason.startswith("Asking grader once more in a batch could cost $0.0")
        assert reason.endswith(
            ", and $0.0001 is left of the $0.0001 that --max-usd allows. Run the same command again with a higher one: "
            "what was answered is kept."
        )
    assert place.sql("SELECT * FROM batches") == []


def test_little_money_sends_what_it_pays_for(evalkit: Command, place: Place) -> None:
    """The rest follows once the first batch is settled at what it really cost; the limit holds throughout."""
    asked = evalkit(*JUDGE, "--batch", "--max-usd", "0.0001").out
    one = float(json.loads(asked.splitlines()[0])["reason"].split("$")[1].split(",")[0])
    limit = 1.9 * one

    done = evalkit(*JUDGE, "--batch", "--max-usd", str(limit))

    assert place.outcomes(done.out) == RIGHT
    assert [len(one.body["requests"]) for one in place.made] == [1, 1, 1]
    assert place.server.billed_usd < limit


def test_without_a_key(evalkit: Command, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unscored with the sentence that says how to enable it; nothing is sent."""
    monkeypatch.delenv("ANTHROPIC_API_KEY")

    done = evalkit(*JUDGE, "--batch")

    assert done.status == 0
    assert {json.loads(line)["reason"] for line in done.out.splitlines()} == {
        f"Engine 'anthropic' has no key for {place.server.url}. To enable it, set ANTHROPIC_API_KEY to an API key in "
        "the environment."
    }
    assert place.server.received == []


def test_judges_that_have_no_use_for_batches(evalkit: Command, place: Place, write: Write) -> None:
    """Refused in a sentence before anything is read or asked."""
    write("judges/elsewhere.yaml", KIND.replace("grader", "other"))

    rules = evalkit("judge", "answers.jsonl", "--judge", "degeneration", "--batch")
    elsewhere = evalkit("judge", "answers.jsonl", "--judge", "kind", "--judge", "elsewhere", "--batch")

    assert (rules.status, rules.err) == (
        2, "--batch is for judges that ask a model, and none of these does. Take it out.\n",
    )  # fmt: skip
    assert (elsewhere.status, elsewhere.err) == (
        2,
        "--batch is for models at engines of kind anthropic; judge 'elsewhere' asks other (engine of kind openai). "
        "Take --batch out, or let it judge in a command of its own.\n",
    )
    assert place.server.received == []


def test_calibrating_says_what_it_cost(evalkit: Command, place: Place) -> None:
    """A judge that asks a model is measured like any other; its replies are stored."""
    rows = [json.loads(line) for line in (place.root / "answers.jsonl").read_text().splitlines()]
    labels = ["pass", "fail", "pass"]
    lines = [json.dumps({**row, "label": label}) for row, label in zip(rows, labels, strict=True)]
    (place.root / "labels.jsonl").write_text("\n".join(lines) + "\n")
    evalkit(*JUDGE)

    done = evalkit("calibrate", "labels.jsonl", "--judge", "kind")

    assert done.status == 0
    assert done.err == (
        "judges  3 questions to grader (judge-1), 3 of them answered from the store, $0.00 of $5.00 allowed; "
        "0 unreadable\n"
    )


def test_rule_judges_may_stand_beside_it(evalkit: Command, place: Place) -> None:
    """As they do in every run."""
    done = evalkit(*JUDGE, "--judge", "degeneration", "--batch")

    lines = [json.loads(line) for line in done.out.splitlines()]
    assert [(line["id"], line["judge"]) for line in lines] == [
        (f"r{number}", judge) for number in range(3) for judge in ("kind", "degeneration")
    ]


@pytest.mark.parametrize("amount", ["nan", "-1", "much"])
def test_an_amount_that_is_none(evalkit: Command, place: Place, amount: str) -> None:
    """Exit 2."""
    done = evalkit(*JUDGE, f"--max-usd={amount}")

    assert done.status == 2
    assert done.err.splitlines()[-1] == (
        f"evalkit judge: error: argument --max-usd: expected an amount in US dollars, such as 2.50; found {amount!r}"
    )


@dataclass
class Hours:
    """A clock that moves only when somebody sleeps."""

    now_s: float = field(default_factory=time.time)
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now_s += seconds


def test_polls_come_slower_and_tell_how_far_it_is(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """At first after two seconds, then up to a minute; several batches at once where one cannot hold all."""
    monkeypatch.setattr(batches, "MOST_REQUESTS", 2)
    place.server.polls_until_ended = 12
    workspace = Workspace(place.root)
    hours, news, notes = Hours(), list[BatchNews](), list[Status]()
    use = with_targets(JudgeUse("kind"), workspace, lambda: read_targets(workspace))
    with (place.root / "answers.jsonl").open("rb") as lines:
        rows = [row for row in read_rows(lines, "answers.jsonl", {}) if isinstance(row, AnswerRow)]
    trials = [stored_trial(row, (use,), number) for number, row in enumerate(rows)]
    rejudging = Rejudging(
        workspace, Run("r", str(place.root)), notes.append, news.append, Clock(lambda: hours.now_s, hours.sleep)
    )

    judged = list(rejudging.judged_with_questions(trials))

    assert [verdict.outcome for _, (each,) in judged if (verdict := each.verdict)] == ["pass", "fail", "pass"]
    assert hours.slept[:3] == [2.0, 3.0, 4.5]
    assert hours.slept[-1] == 60.0
    assert len(hours.slept) == 11
    phases = [(item.phase, item.batch) for item in news]
    assert phases[:4] == [
        ("submitted", "msgbatch_1"), ("submitted", "msgbatch_2"), ("processing", "msgbatch_1"),
        ("processing", "msgbatch_2"),
    ]  # fmt: skip
    assert phases[-2:] == [("ended", "msgbatch_1"), ("ended", "msgbatch_2")]
    assert news[-1].left_s == pytest.approx(86_400 - sum(hours.slept))
    assert notes[-1].usd == pytest.approx(place.server.billed_usd, abs=1e-12)


def test_how_a_batch_goes_on_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is no terminal, only when a number has changed."""
    screen = BatchScreen()
    for done in (0, 0, 40, 40):
        screen.take(BatchNews("processing", "msgbatch_7", "grader", done, 96, 86_340))

    assert capsys.readouterr().err.splitlines() == [
        "evalkit: batch msgbatch_7  grader  0/96 finished  23 h 59 min left",
        "evalkit: batch msgbatch_7  grader  40/96 finished  23 h 59 min left",
    ]
    assert news_text(BatchNews("submitted", "msgbatch_7", "grader", 0, 1, 86_400)) == SENT.replace(
        "msgbatch_1", "msgbatch_7"
    ).replace(", at most {}", "").format("1 question")
