"""What the host counts while it works, on a clock that the tests turn."""

from __future__ import annotations

import pytest

from evalkit.engines import base
from evalkit.generation import Failure, Generation, Reply
from evalkit.host.messages import Status
from evalkit.host.plan import Plan
from evalkit.host.progress import StatusKeeper
from evalkit.host.stages import Stage
from evalkit.matrix import Trial
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe
from evalkit.target import Engine, Model, Quantisation, Target

SUBJECT = Target(Model("m", "/m", True, "m"), Quantisation("nf4", "nf4"))
GRADER = Target(Model("g", "g", False, "g"), Quantisation("served", "served"), engine=Engine("srv", "openai"))
ANSWER = Generation("Yes.", "Yes.", (1,) * 10, "stop", prompt_tokens=3, new_tokens=10)


class Desk:
    """A keeper with its clock, and a plan of trials of one or two turns whose judge asks a served model."""

    def __init__(self) -> None:
        self.now = 100.0
        self.said: list[Status] = []
        self.keeper = StatusKeeper(self.said.append, 5.0, lambda: self.now)
        self.plan = Plan(lambda trial: ())

    def add(self, *names: str, turns: int = 1) -> None:
        talk = (Message("user", "Q?"), Generate()) * turns
        uses = (JudgeUse("grader", targets=(("g", GRADER),)),)
        self.plan.add(
            Trial(
                Probe(
                    id=name, suite="s", file="suites/s/a.yaml", line=1, category="c", turns=talk, expect=Expectation(),
                    judges=uses,
                ),
                SUBJECT,
            )
            for name in names
        )  # fmt: skip
        self.keeper.expect(self.plan)

    def stage(self) -> Stage:
        """All turns that can be asked now, begun."""
        made = Stage(SUBJECT)
        for number, ask in enumerate(self.plan.turns()):
            ask.progress.take(ask)
            made.asked[str(number)] = (ask.request, [ask])
        self.keeper.plan(made, len(made.asked))
        self.keeper.begin(made)
        self.keeper.show("generating", SUBJECT.label)
        return made

    def answer(self, stage: Stage, seconds: float, *replies: Reply) -> Status:
        """The first asks of a stage get these replies after so long."""
        self.keeper.tokens_came(sum(reply.new_tokens for reply in replies if isinstance(reply, Generation)))
        self.now += seconds
        touched = [ask.progress for reply in replies for ask in stage.take(next(iter(stage.asked)), reply)]
        self.keeper.came(stage, touched, replies)
        self.keeper.say()
        return self.said[-1]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_time_left_covers_turns_and_questions(desk: Desk) -> None:
    """A judge's questions are planned with the trials; of a server that was asked nothing no speed is known."""
    desk.add(*"abcdefghij", turns=2)
    stage = desk.stage()

    assert desk.said[-1].left_s is None
    status = desk.answer(stage, 8.0, *[ANSWER] * 8)

    assert (status.done, status.total, status.max_usd) == (8, 20, 5.0)
    assert status.left_s == pytest.approx(12.0)
    assert status.generating_s == pytest.approx(8.0)
    assert desk.keeper._forecast._servers[GRADER.engine].left == 10


def test_a_failed_trial_is_asked_no_more(desk: Desk) -> None:
    """Its later turns are left out of what is still to come."""
    desk.add(*"abcdefghij", turns=3)

    status = desk.answer(desk.stage(), 10.0, *[ANSWER] * 5, *[Failure("no")] * 5)

    assert status.left_s == pytest.approx(10.0)


def test_stored_answers_say_nothing_of_the_speed(desk: Desk) -> None:
    """They are done and need no time."""
    desk.add(*"abcdefghij")
    stage = desk.stage()
    known = [ask.progress for name in list(stage.asked)[:4] for ask in stage.take(name, ANSWER)]
    desk.keeper.known(stage, known)

    status = desk.answer(stage, 3.0, *[ANSWER] * 3)

    assert (status.done, status.stored) == (7, 4)
    assert status.left_s == pytest.approx(3.0)


def test_questions_are_not_planned_twice(desk: Desk) -> None:
    """Those that were expected with the trials come true; more than these add to them."""
    desk.add("a", "b")
    asking = Stage(GRADER, is_judging=True)
    desk.keeper.plan(asking, 1)
    server = desk.keeper._forecast._servers[GRADER.engine]
    assert server.left == 2

    desk.keeper.plan(asking, 4)
    assert server.left == 5
    assert desk.keeper.questions == 5


def test_a_plan_may_grow_and_begin_again(desk: Desk) -> None:
    """Workers hand in the same plan; each trial counts once, and a repetition counts from nothing."""
    desk.add("a", "b")
    desk.add("a", "b", "c")
    assert desk.keeper._forecast._here[SUBJECT.weights].left == 3
    assert desk.keeper.total == 3

    desk.keeper.begin_again()
    assert desk.keeper.total == 0
    assert desk.keeper._forecast.left(desk.now) is None


class Loader:
    """An engine as far as it loads."""

    loading = ("weights", 0.25)


def test_what_is_loading(desk: Desk) -> None:
    """Asked of the engine while files are read and weights come in, and of no other; forgotten afterwards."""
    engine: base.Engine = Loader()  # type: ignore[assignment]
    desk.keeper.read(SUBJECT)
    desk.keeper.placed(engine)
    desk.keeper.say()
    first = desk.said[-1]
    desk.keeper.load(SUBJECT, "about 2 GiB")
    fresh = desk.said[-1]
    desk.keeper.placed(engine)
    desk.keeper.say()
    later = desk.said[-1]
    desk.keeper.show("generating")
    desk.keeper.placed(engine)
    desk.keeper.read(SUBJECT)

    assert (first.phase, first.target, first.loaded) == ("starting", "m:nf4:naked:greedy", 0.25)
    assert (fresh.target, fresh.loading, fresh.loaded) == ("m:nf4:naked:greedy, about 2 GiB", "", None)
    assert (later.phase, later.loading, later.loaded) == ("loading", "weights", 0.25)
    assert (desk.said[-1].phase, desk.said[-1].loaded) == ("generating", None)


def test_it_is_said_five_times_a_second(desk: Desk) -> None:
    """Not with every token."""
    desk.add("a")
    desk.stage()
    before = len(desk.said)
    for _ in range(1000):
        desk.now += 0.001
        desk.keeper.tokens_came(1)

    assert len(desk.said) - before == 5
    assert desk.said[-1].rate == pytest.approx(1000, rel=0.05)
