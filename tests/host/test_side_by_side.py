"""A real server and an engine of this process at work at the same time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evalkit.engines import base, table
from evalkit.engines.servers.budget import Budget
from evalkit.generation import Failure, Generation, Request
from evalkit.host.lanes import ENOUGH
from evalkit.host.messages import Run, Settled, Status
from evalkit.host.work import Work
from evalkit.matrix import Trial
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe
from evalkit.target import Engine, Model, Quantisation, Served, Target

JUDGE = """
from evalkit.generation import Request
from evalkit.probe import Message
from evalkit.target import Decoding
from evalkit.verdict import Verdict


class judge:
    name = "once"

    def __init__(self, target):
        self.target = target

    def ask(self, case, replies):
        question = f"Is {case.probe.id} kind?"
        return () if replies else (Request(self.target, (Message("user", question),), Decoding(max_new_tokens=8)),)

    def read(self, case, replies):
        return Verdict(self.name, "pass", "fine")
"""
PATIENCE_S = 300.0


class Slow:
    """An engine of this process that answers ``at_once`` requests, and the others when ``may_go_on`` says so."""

    capabilities = frozenset[str]()

    def __init__(self, pulse: base.Pulse, at_once: int, may_go_on: Callable[[], bool]) -> None:
        self.pulse = pulse
        self.left = at_once
        self.may_go_on = may_go_on
        self.queue: dict[str, Request] = {}
        self.until = time.monotonic() + PATIENCE_S
        self.is_out_of_patience = False

    def identity_facts(self, target: Target) -> tuple[tuple[str, str], ...]:
        return (("model", target.model.name),)

    def load(self, target: Target, adapters: Any) -> None: ...

    def submit(self, request_id: str, request: Request) -> None:
        self.queue[request_id] = request

    def step(self) -> list[tuple[str, Generation]]:
        self.is_out_of_patience = time.monotonic() > self.until
        is_free = self.may_go_on() or self.is_out_of_patience
        names = list(self.queue)[: len(self.queue) if is_free else self.left]
        self.left -= len(names)
        if not names:
            time.sleep(0.002)  # leaves the processor to the servers' loop, as a model on a device does
        for name in names:
            del self.queue[name]
        self.pulse(len(names))
        answer = Generation("Kind words.", "Kind words.", (1,), "stop", prompt_tokens=3, new_tokens=1)
        return [(name, answer) for name in names]

    def cancel(self, request_id: str) -> None: ...

    def close(self) -> None: ...


class House:
    """A workspace, the scripted server, and everything that a Work said and settled."""

    def __init__(self, root: Path, server: Any) -> None:
        self.root = root
        self.server = server
        self.statuses: list[Status] = []
        self.settled: list[Settled] = []
        self.here: Slow | None = None
        self.works: list[Work] = []
        (root / "judges").mkdir()
        (root / "judges" / "once.py").write_text(JUDGE)
        engine = Engine("srv", "openai", (("base_url", f"{server.url}/v1"), ("attempts", 1)))
        model = Model("far", "far-1", False, "far-1", served=Served())
        self.far = Target(model, Quantisation("served", "served"), engine=engine)
        self.near = Target(Model("near", "/near", True, "near"), Quantisation("fp32", "fp32"))

    def trial(self, name: str, subject: Target, judge: Target | None = None) -> Trial:
        uses = (JudgeUse("once", settings=(("model", "far"),), targets=(("far", judge),)),) if judge else ()
        return Trial(
            Probe(
                id=name, suite="s", file="suites/s/a.yaml", line=1, category="c",
                turns=(Message("user", f"Ask {name}"), Generate()), expect=Expectation(), judges=uses,
            ),
            subject,
        )  # fmt: skip

    def run(self, trials: list[Trial], at_once: int, may_go_on: Callable[[], bool]) -> None:
        def make(engine: Engine, pulse: base.Pulse, root: Path, budget: Budget | None = None) -> base.Engine:
            if engine.is_server:
                return table.create(engine, pulse, root, budget)
            self.here = Slow(pulse, at_once, may_go_on)
            return self.here  # type: ignore[return-value]

        work = Work(Run("r", str(self.root)), self.settled.append, lambda: None, self.statuses.append, make)  # type: ignore[arg-type]
        self.works.append(work)
        work.add(trials)
        while work.step():
            pass


@pytest.fixture
def house(tmp_path: Path, api_server: Any) -> Iterator[House]:
    made = House(tmp_path, api_server)
    yield made
    for work in made.works:
        work.close()


def test_a_server_subject_does_not_wait_for_a_local_one(house: House) -> None:
    """The engine here answers nothing before the server has been asked."""
    trials = [house.trial("a", house.near), house.trial("b", house.far)]

    house.run(trials, at_once=0, may_go_on=lambda: len(house.server.posts) == 1)

    assert len(house.settled) == 2
    assert house.here is not None
    assert not house.here.is_out_of_patience


def test_a_servers_questions_do_not_wait_for_the_stage_they_are_about(house: House) -> None:
    """The engine here answers the last one only when the server was asked about the first ones."""
    trials = [house.trial(f"p{number}", house.near, judge=house.far) for number in range(ENOUGH + 1)]

    house.run(trials, at_once=ENOUGH, may_go_on=lambda: len(house.server.posts) == ENOUGH)

    assert len(house.settled) == ENOUGH + 1
    assert house.here is not None
    assert not house.here.is_out_of_patience


def test_a_hanging_server_holds_up_nothing_here(
    house: House, api: Any, api_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything here is settled while the server's one reply is still out; only then it is given up."""

    def hang() -> None:
        while len(house.settled) < 20 and not api_server.is_closing(0.01):
            pass

    monkeypatch.setattr(api_server, "wait_until_closed", hang)
    api_server.always = lambda received: api.hanging()
    trials = [house.trial("far", house.far), *(house.trial(f"p{number}", house.near) for number in range(20))]

    house.run(trials, at_once=1, may_go_on=lambda: len(house.settled) >= 1)

    assert [settled.trial.split("::")[0] for settled in house.settled][-1] == trials[0].id.split("::")[0]
    assert isinstance(house.settled[-1].replies[0], Failure)
    assert len(house.settled) == 21


def test_tokens_and_questions_of_both_are_told_apart(house: House) -> None:
    """What was generated here, at the server, and how many questions there are."""
    trials = [house.trial(f"p{number}", house.near, judge=house.far) for number in range(ENOUGH + 1)]

    house.run(trials, at_once=ENOUGH, may_go_on=lambda: len(house.server.posts) == ENOUGH)

    last = house.statuses[-1]
    assert (last.done, last.total, last.judged, last.questions) == (ENOUGH + 1,) * 4
    assert (last.tokens, last.served_tokens) == (ENOUGH + 1, ENOUGH + 1)
    assert last.loads == 1
