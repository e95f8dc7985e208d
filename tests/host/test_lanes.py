"""Which stages run side by side, and that what runs here does not depend on how fast servers are."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.generation import Generation, Reply, Request
from evalkit.host.lanes import ENOUGH, Lanes, lane_of
from evalkit.host.plan import Plan
from evalkit.judging.base import Judge
from evalkit.matrix import Trial
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe
from evalkit.target import Decoding, Engine, Model, Quantisation, Served, Target
from evalkit.transcript import Case
from evalkit.verdict import Verdict

SERVERS = {"far": Engine("far", "openai"), "away": Engine("away", "anthropic")}


def target(name: str) -> Target:
    """A model at the server of that name, else one that is loaded here."""
    if name in SERVERS:
        model = Model(name, name, False, name, served=Served())
        return Target(model, Quantisation("served", "served"), engine=SERVERS[name])
    return Target(Model(name, f"/{name}", True, name), Quantisation("nf4", "nf4"))


@dataclass
class Asking:
    """Asks the models of one round after those of the other."""

    rounds: tuple[tuple[str, ...], ...]
    name: str = "asking"

    def ask(self, case: Case, replies: tuple[Reply, ...]) -> tuple[Request, ...]:
        heard = 0
        for number, models in enumerate(self.rounds):
            if heard == len(replies):
                question = f"round {number} on {case.probe.id}"
                return tuple(Request(target(model), (Message("user", question),), Decoding()) for model in models)
            heard += len(models)
        return ()

    def read(self, case: Case, replies: tuple[Reply, ...]) -> Verdict:
        raise NotImplementedError


def trial(name: str, model: str, turns: int = 1) -> Trial:
    said = [turn for number in range(turns) for turn in (Message("user", f"{name} {number}"), Generate())]
    probe = Probe(
        id=name, suite="s", file="suites/s/a.yaml", line=1, category="c", turns=tuple(said),
        expect=Expectation(), judges=(JudgeUse("asking"),),
    )  # fmt: skip
    return Trial(probe, target(model))


def identify(request: Request) -> str:
    return f"{request.target.model.name}|{'|'.join(message.content for message in request.messages)}"


def reply() -> Generation:
    return Generation(text="re", raw_text="re", token_ids=(), finish="stop", prompt_tokens=1, new_tokens=1)


class Drive:
    """Works a plan to its end, each lane at a speed of its own, and keeps what each stage held."""

    def __init__(self, trials: list[Trial], judges: dict[str, Asking], chance: random.Random) -> None:
        def asking(asked: Trial) -> tuple[tuple[int, Judge], ...]:
            judge = judges.get(asked.probe.id)
            return ((0, judge),) if judge is not None else ()

        self.plan, self.lanes, self.loaded = Plan(asking), Lanes(), None
        self.here: list[tuple[str, ...]] = []
        self.side_by_side: set[frozenset[str]] = set()
        self.plan.add(trials)
        while self._step(chance):
            pass

    def _step(self, chance: random.Random) -> bool:
        for stage in self.lanes.begin(self.plan, self.loaded, identify):
            if lane_of(stage.target) is None:
                self.loaded = stage.target.weights
                self.here.append(tuple(stage.asked))
        if not self.lanes.running:
            return False
        names = frozenset(stage.target.model.name for stage in self.lanes.running.values())
        self.side_by_side.add(names)
        stage = chance.choice(list(self.lanes.running.values()))
        touched = []
        for identity in chance.sample(list(stage.asked), chance.randint(1, len(stage.asked))):
            touched += [ask.progress for ask in stage.take(identity, reply())]
        self.lanes.touch(len(touched))
        self.plan.settle(touched)
        self.lanes.end()
        return True


MODELS = st.sampled_from(["m", "n", "far", "away"])
ASKED = st.lists(st.sampled_from(["m", "j", "k", "far", "away"]), min_size=1, max_size=2, unique=True).map(tuple)
JUDGES = st.builds(Asking, st.lists(ASKED, min_size=1, max_size=3).map(tuple))
PLANS = st.lists(st.tuples(MODELS, st.integers(1, 3), st.none() | JUDGES), min_size=1, max_size=20)


@given(plan=PLANS, seeds=st.lists(st.integers(0, 10**6), min_size=2, max_size=4))
def test_what_shares_a_stage_here_does_not_depend_on_speed(
    plan: list[tuple[str, int, Asking | None]], seeds: list[int]
) -> None:
    """However servers and the model here take turns: the same stages here, in the same order, and all is settled."""
    trials = [trial(f"p{number}", model, turns) for number, (model, turns, _) in enumerate(plan)]
    judges = {f"p{number}": judge for number, (_, _, judge) in enumerate(plan) if judge is not None}

    drives = [Drive(trials, judges, random.Random(seed)) for seed in seeds]

    assert all(drive.plan.settled_count == len(trials) for drive in drives)
    assert all(drive.here == drives[0].here for drive in drives)


@pytest.mark.parametrize("seed", range(10))
def test_a_question_here_that_follows_one_far_away(seed: int) -> None:
    """Those of the first trials to be answered are not asked before those of the last."""
    trials = [trial(f"p{number}", "m") for number in range(3 * ENOUGH)]

    drive = Drive(trials, {one.probe.id: Asking((("far",), ("j",))) for one in trials}, random.Random(seed))

    assert [len(stage) for stage in drive.here] == [3 * ENOUGH, 3 * ENOUGH]


def test_a_server_subject_runs_beside_a_local_one() -> None:
    """From the first moment."""
    drive = Drive([trial("a", "m"), trial("b", "far"), trial("c", "away")], {}, random.Random(1))

    assert frozenset({"m", "far", "away"}) in drive.side_by_side


def test_a_servers_questions_do_not_wait_for_other_weights() -> None:
    """While n generates, the answers of m are judged far away."""
    trials = [trial("a", "m"), trial("b", "n", turns=3)]
    drive = Drive(trials, {"a": Asking((("far",),))}, random.Random(3))

    assert frozenset({"n", "far"}) in drive.side_by_side


def test_enough_answers_are_judged_beside_their_own_stage() -> None:
    """A server need not wait until the last answer of a long stage is there."""
    trials = [trial(f"p{number}", "m") for number in range(3 * ENOUGH)]
    judges = {one.probe.id: Asking((("far",),)) for one in trials}

    assert any(frozenset({"m", "far"}) in Drive(trials, judges, random.Random(seed)).side_by_side for seed in range(5))


@pytest.mark.parametrize("subject", ["m", "far"])
def test_a_judge_model_here_loads_after_all_subjects(subject: str) -> None:
    """Each weight set once, and never while a server still answers turns."""
    trials = [trial("a", subject, turns=2), trial("b", "n"), trial("c", "away", turns=3)]
    judges = {name: Asking((("j",), ("j",))) for name in "abc"}

    for seed in range(20):
        drive = Drive(trials, judges, random.Random(seed))
        judged = [stage for stage in drive.here if stage[0].startswith("j|")]
        assert [len(stage) for stage in judged] == [3, 3]
        assert drive.here[-2:] == judged
        assert not any("j" in names and len(names) > 1 for names in drive.side_by_side)
