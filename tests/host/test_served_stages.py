"""What the host says and does when a judge's model is at a server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from evalkit.generation import Failure
from evalkit.host.messages import Run, Settled, Status
from evalkit.host.work import Work
from evalkit.matrix import Trial
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe
from evalkit.target import Engine, Model, Price, Quantisation, Served, Target

JUDGE = """
from evalkit.generation import Failure, Request
from evalkit.probe import Message
from evalkit.target import Decoding
from evalkit.verdict import Verdict


class judge:
    name = "twice"

    def __init__(self, target):
        self.target = target

    def ask(self, case, replies):
        if len(replies) == 2 or any(isinstance(reply, Failure) for reply in replies):
            return ()
        question = f"Round {len(replies)}: is {case.answers[-1].answer!r} kind?"
        return (Request(self.target, (Message("user", question),), Decoding(max_new_tokens=8)),)

    def read(self, case, replies):
        return Verdict(self.name, "pass", "fine")
"""


class House:
    """A workspace with three recorded answers, and everything its Work said and settled."""

    def __init__(self, root: Path, server: Any) -> None:
        self.root = root
        self.server = server
        self.statuses: list[Status] = []
        self.settled: list[tuple[Settled, float]] = []
        self.works: list[Work] = []
        (root / "model").mkdir()
        (root / "judges").mkdir()
        (root / "judges" / "twice.py").write_text(JUDGE)
        recordings = root / "fixtures" / "recordings"
        recordings.mkdir(parents=True)
        asked = [[{"role": "user", "content": f"Ask {number}"}] for number in range(3)]
        lines = [
            {"messages": messages, "target": "one:fp32:naked:greedy", "text": f"A {number}."}
            for number, messages in enumerate(asked)
        ]
        (recordings / "all.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))

    def trials(self) -> list[Trial]:
        price = Price(Decimal(1), Decimal(5), Decimal("0.1"), Decimal("1.25"))
        subject = Target(
            Model("one", str(self.root / "model"), True, "model"), Quantisation("fp32", "fp32"),
            engine=Engine("stored", "replay"),
        )  # fmt: skip
        grader = Target(
            Model("grader", "judge-1", False, "judge-1", served=Served(price)), Quantisation("served", "served"),
            engine=Engine("srv", "anthropic", (("base_url", self.server.url), ("attempts", 1))),
        )  # fmt: skip
        use = JudgeUse("twice", settings=(("model", "grader"),), targets=(("grader", grader),))
        return [
            Trial(
                Probe(
                    id=f"p{n}", suite="s", file="suites/s/a.yaml", line=n, category="c",
                    turns=(Message("user", f"Ask {n}"), Generate()), expect=Expectation(), judges=(use,),
                ),
                subject,
            )
            for n in range(3)
        ]  # fmt: skip

    def run(self, **changes: Any) -> None:
        work = Work(
            Run(f"run{len(self.works)}", str(self.root), **changes),
            lambda settled: self.settled.append((settled, self.statuses[-1].usd)), lambda: None, self.statuses.append,
        )  # fmt: skip
        self.works.append(work)
        work.add(self.trials())
        while work.step():
            pass


@pytest.fixture
def house(tmp_path: Path, api_server: Any) -> Iterator[House]:
    made = House(tmp_path, api_server)
    yield made
    for work in made.works:
        work.close()


def test_judging_is_shown_with_what_was_spent(house: House) -> None:
    """Questions are counted apart from answers; weights here are loaded once and stay; money is told before the end."""
    house.run()

    last = house.statuses[-1]
    assert (last.done, last.total, last.judged, last.questions, last.loads) == (3, 3, 6, 6, 1)
    assert last.usd == house.server.billed_usd > 0
    judging = [status.target for status in house.statuses if status.phase == "judging"]
    assert set(judging) == {"grader:served:naked:greedy"}
    assert house.settled[-1][1] == last.usd
    assert len(house.settled) == 3


def test_the_estimate_is_told_before_each_stage(house: House) -> None:
    """Once for each round of questions, and never for what the store has."""
    house.run()
    house.run()

    notes = [status.note for status in house.statuses if status.note]
    assert notes == [
        "Asking grader 3 times: about 21 tokens in, up to 24 out, up to about $0.00014 of the $5.00 left.",
        "Asking grader 3 times: about 21 tokens in, up to 24 out, up to about $0.00014 of the $5.00 left.",
    ]
    assert len(house.server.posts) == 6


def test_fresh_asks_servers_again(house: House) -> None:
    """``--eval-fresh`` holds for judges too."""
    house.run()
    house.run(fresh=True)

    assert len(house.server.posts) == 12


def test_equal_questions_are_asked_once(house: House, api: ModuleType) -> None:
    """The same identity, however many trials want it."""
    recordings = house.root / "fixtures/recordings/all.jsonl"
    recordings.write_text(recordings.read_text().replace("A 1.", "A 0.").replace("A 2.", "A 0."))

    house.run()

    assert len(house.server.posts) == 2
    assert len(house.settled) == 3


def test_what_is_lost_is_told_and_every_trial_is_settled(house: House, api: ModuleType) -> None:
    """One reply is lost: its trial has the Failure, the others go on."""
    house.server.when("'A 1.'", api.dropped())

    house.run()

    replies = {settled.trial[-30:]: settled.judge_replies[0][1] for settled, _ in house.settled}
    failures = [reply for each in replies.values() for reply in each if isinstance(reply, Failure)]
    assert (len(replies), len(failures)) == (3, 1)
    assert any("may have been billed" in (status.note or "") for status in house.statuses)


def test_what_an_earlier_host_spent_is_gone(house: House) -> None:
    """The second host of a run has what is left, and goes on counting from there."""
    work = Work(
        Run("r", str(house.root), max_usd=1.0), lambda settled: house.settled.append((settled, 0.0)), lambda: None,
        house.statuses.append, spent_usd=0.9995,
    )  # fmt: skip
    house.works.append(work)
    work.add(house.trials())
    while work.step():
        pass

    replies = [reply for settled, _ in house.settled for _, each in settled.judge_replies for reply in each]
    assert {reply.kind for reply in replies if isinstance(reply, Failure)} == {"no_money"}
    assert house.statuses[-1].usd == 0.9995
    assert house.server.received == []


def test_the_tokens_of_servers_are_counted_apart(house: House) -> None:
    """What was generated here, and its seconds, hold none of theirs; each question knows whom it went to."""
    house.run()

    last = house.statuses[-1]
    recorded = sum(reply.new_tokens for settled, _ in house.settled for reply in settled.replies)  # type: ignore[union-attr]
    assert (last.tokens, last.served_tokens) == (recorded, 6)
    settled = house.settled[0][0]
    assert [[target.label for target in targets if target] for _, targets in settled.judge_targets] == [
        ["grader:served:naked:greedy"] * 2
    ]


def test_a_missing_key_is_told_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many questions it would have answered."""
    monkeypatch.delenv("ANTHROPIC_API_KEY")

    house.run()

    assert [status.note for status in house.statuses if status.note] == [
        f"Engine 'srv' has no key for {house.server.url}. To enable it, set ANTHROPIC_API_KEY to an API key in the "
        "environment."
    ]


def test_a_small_limit_holds_over_rounds(house: House) -> None:
    """What the first round spent is gone for the second."""
    house.run(max_usd=0.00138)

    kinds = [
        reply.kind for settled, _ in house.settled for _, each in settled.judge_replies for reply in each
        if isinstance(reply, Failure)
    ]  # fmt: skip
    assert set(kinds) == {"no_money"}
    assert house.server.billed_usd <= 0.00138
