"""How trials are driven through their turns and their judges' questions."""

from __future__ import annotations

from dataclasses import dataclass, field

from evalkit.generation import Failure, Generation, Reply, Request
from evalkit.host.plan import Plan, case_of
from evalkit.host.stages import deliver, next_stage
from evalkit.judging.base import Judge
from evalkit.matrix import Trial
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe
from evalkit.target import Decoding, Model, Quantisation, Target
from evalkit.transcript import Case
from evalkit.verdict import Verdict

NF4 = Quantisation("nf4", "nf4")


def target(name: str) -> Target:
    return Target(model=Model(name, f"/{name}", True, name), quantisation=NF4)


def trial(name: str, model: str = "m", turns: int = 1) -> Trial:
    said = [turn for number in range(turns) for turn in (Message("user", f"{name} {number}"), Generate())]
    probe = Probe(
        id=name, suite="s", file="suites/s/a.yaml", line=1, category="c", turns=tuple(said),
        expect=Expectation(), judges=(JudgeUse("degeneration"),),
    )  # fmt: skip
    return Trial(probe, target(model))


def reply(text: str) -> Generation:
    return Generation(text=text, raw_text=text, token_ids=(1,), finish="stop", prompt_tokens=1, new_tokens=1)


def identify(request: Request) -> str:
    return f"{request.target.label}|{'|'.join(message.content for message in request.messages)}"


def no_judges(_: Trial) -> tuple[tuple[int, Judge], ...]:
    return ()


def drive(plan: Plan, answer: object = None) -> list[list[str]]:
    """Works a plan to its end; the prompts of each stage."""
    stages, loaded = [], None
    while (stage := next_stage(list(plan.turns()) or plan.questions(), loaded, identify)) is not None:
        loaded = stage.target.weights
        stages.append(list(stage.asked))
        touched = []
        for identity in list(stage.asked):
            said: Reply = answer(identity) if callable(answer) else reply(f"re {identity.split('|')[-1]}")
            touched += [ask.progress for ask in stage.take(identity, said)]
        plan.settle(touched)
    return stages


def test_a_stage_holds_every_trial_of_one_weight_set() -> None:
    """All first turns of a weight set go together, then the next weight set."""
    plan = Plan(no_judges)
    plan.add([trial("a", "m"), trial("b", "n"), trial("c", "m")])

    stages = drive(plan)

    assert [[identity.split("|")[-1] for identity in stage] for stage in stages] == [["a 0", "c 0"], ["b 0"]]


def test_later_turns_see_earlier_answers() -> None:
    """The second turn of a trial is asked with the first answer in the conversation."""
    plan = Plan(no_judges)
    plan.add([trial("a", turns=2)])

    drive(plan)

    item = plan.progress(trial("a", turns=2).id)
    case = case_of(item.trial, tuple(item.replies))
    assert [message.content for message in case.transcript.messages] == ["a 0", "re a 0", "a 1", "re a 1"]
    assert [answer.answer for answer in case.transcript.answers] == ["re a 0", "re a 1"]


def test_thinking_stays_out_of_the_conversation() -> None:
    """The next turn sees the answer alone; the transcript keeps both."""
    plan = Plan(no_judges)
    plan.add([trial("a", turns=2)])

    stages = drive(plan, lambda identity: reply("<think>hm</think>yes"))

    assert stages[1] == ["m:nf4:naked:greedy|a 0|yes|a 1"]


def test_weights_in_memory_come_first() -> None:
    """Second turns of the loaded weights go before first turns of others."""
    plan = Plan(no_judges)
    plan.add([trial("a", "m", turns=2), trial("b", "n")])

    stages = drive(plan)

    assert [stage[0].split(":")[0] for stage in stages] == ["m", "m", "n"]


def test_equal_requests_are_asked_once() -> None:
    """Two trials that ask the same share one generation."""
    plan = Plan(no_judges)
    twin = trial("a")
    other = Trial(twin.probe, twin.target, sample=1)
    plan.add([twin, other])

    stages = drive(plan)

    assert [len(stage) for stage in stages] == [1]
    assert plan.settled_count == 2


def test_a_failure_ends_a_trial() -> None:
    """After a Failure no further turn is asked, and the trial is settled."""
    plan = Plan(no_judges)
    plan.add([trial("a", turns=2)])

    stages = drive(plan, lambda identity: Failure("no"))

    item = plan.progress(trial("a", turns=2).id)
    assert len(stages) == 1
    assert item.is_settled
    assert item.replies == [Failure("no")]


def test_a_target_that_cannot_be_identified_is_refused() -> None:
    """Its asks carry the reason instead of an identity."""
    plan = Plan(no_judges)
    plan.add([trial("a")])

    stage = next_stage(plan.turns(), None, lambda request: Failure("no such weights"))

    assert stage is not None
    assert [failure.reason for _, failure in stage.refused] == ["no such weights"]
    for ask, failure in stage.refused:
        deliver(ask, failure)
    assert [item.trial.id for item in plan.settle([ask.progress for ask, _ in stage.refused])] == [trial("a").id]


def test_adding_again_changes_nothing() -> None:
    """Every worker submits the same plan; trials are kept once and settled ones are reported."""
    plan = Plan(no_judges)
    plan.add([trial("a"), trial("b")])
    drive(plan)

    assert plan.add([trial("a"), trial("b")]) == [trial("a").id, trial("b").id]
    assert len(plan) == 2


@dataclass
class Asking:
    """A judge that asks its model ``rounds`` questions, one after the other."""

    rounds: int
    name: str = "asking"
    seen: list[int] = field(default_factory=list)

    def ask(self, case: Case, replies: tuple[Reply, ...]) -> tuple[Request, ...]:
        self.seen.append(len(replies))
        if len(replies) >= self.rounds:
            return ()
        question = Message("user", f"question {len(replies)} on {case.probe.id}")
        return (Request(target("judge"), (question,), Decoding()),)

    def read(self, case: Case, replies: tuple[Reply, ...]) -> Verdict:
        return Verdict(self.name, "pass", "")


def test_judges_ask_after_every_turn_of_every_trial() -> None:
    """A judge model loads once, after its subjects, and sees its own earlier replies."""
    judge = Asking(rounds=2)
    plan = Plan(lambda _: ((1, judge),))
    plan.add([trial("a", turns=2), trial("b", "n")])

    stages = drive(plan)

    assert [[identity.split(":")[0] for identity in stage] for stage in stages] == [
        ["m"], ["m"], ["n"], ["judge", "judge"], ["judge", "judge"],
    ]  # fmt: skip
    assert [[(judge, len(own)) for judge, own in plan.settled(item).judge_replies] for item in plan] == [
        [(1, 2)],
        [(1, 2)],
    ]
    assert plan.settled_count == 2


def test_a_judge_that_never_stops_asking_is_stopped() -> None:
    """After four rounds its last reply is a Failure that says so."""
    plan = Plan(lambda _: ((0, Asking(rounds=99)),))
    plan.add([trial("a")])

    drive(plan)

    [(_, replies)] = plan.settled(plan.progress(trial("a").id)).judge_replies
    assert replies[-1] == Failure(
        "judge 'asking' broke while asking: it still asks after 4 rounds; a judge must come to an end"
    )


def test_a_judge_that_breaks_while_asking_is_a_failure_of_its_own() -> None:
    """The trial settles, and the judge's replies say what broke."""

    class Broken(Asking):
        def ask(self, case: Case, replies: tuple[Reply, ...]) -> tuple[Request, ...]:
            raise KeyError("rubric")

    plan = Plan(lambda _: ((0, Broken(rounds=1)),))
    plan.add([trial("a")])

    drive(plan)

    assert plan.settled(plan.progress(trial("a").id)).judge_replies == (
        (0, (Failure("judge 'asking' broke while asking: KeyError: 'rubric'"),)),
    )
