"""What the host judges before a client comes to it, and what it leaves to the client."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from evalkit.generation import Failure, Generation, Reply
from evalkit.host import judging_ahead
from evalkit.host.judging_ahead import JudgingAhead
from evalkit.host.messages import Expect, Settled
from evalkit.host.plan import Plan
from evalkit.matrix import Trial
from evalkit.probe import Expectation, Generate, JsonExpectation, JudgeUse, Message, Probe
from evalkit.target import Model, Quantisation, Target
from evalkit.trial_judging import TrialJudging
from evalkit.workspace import Workspace

TARGET = Target(Model("one", "/model", True, "model"), Quantisation("fp32", "fp32"))
RIGHT, WRONG = "It is in the lighthouse.", "It is on the table."


def trial(
    name: str, expect: Expectation | None = None, judges: tuple[JudgeUse, ...] = (JudgeUse("degeneration"),)
) -> Trial:
    probe = Probe(
        id=name, suite="s", file="suites/s/a.yaml", line=1, category="c",
        turns=(Message("user", "Where is the lamp?"), Generate()),
        expect=expect or Expectation(contains=("lighthouse",)), judges=(*judges, JudgeUse("text")),
    )  # fmt: skip
    return Trial(probe, TARGET)


def answered(plan: Plan, one: Trial, reply: Reply | str = RIGHT) -> None:
    given = Generation(reply, reply, (1,), "stop", prompt_tokens=1, new_tokens=1) if isinstance(reply, str) else reply
    plan.settle([plan.add_answered(one, [given])])


def ahead(folder: Path, plan: Plan, order: Iterable[Trial]) -> JudgingAhead:
    return JudgingAhead(plan, Workspace(folder), Expect(tuple(one.id for one in order), "main"))


def run_dry(one: JudgingAhead) -> None:
    while one.step():
        continue


@pytest.fixture
def plan() -> Plan:
    return Plan(lambda trial: ())


def test_a_pass_is_as_its_client_would_find_it(plan: Plan, tmp_path: Path) -> None:
    """The record a client would have written."""
    one = trial("lamp")
    answered(plan, one)
    judging = ahead(tmp_path, plan, [one])

    run_dry(judging)

    passed = judging.passed(one.id)
    settled = plan.settled(plan.progress(one.id))
    assert passed is not None
    assert passed.record == TrialJudging(Workspace(tmp_path), "main").judged(one, settled).record
    assert (passed.trial, passed.record.outcome, passed.done, passed.total) == (one.id, "pass", 1, 1)


@pytest.mark.parametrize(
    ("one", "reply"),
    [
        (trial("wrong"), WRONG),
        (trial("broken"), "the the the the the the the the the the the the"),
        (trial("lost"), Failure("lost")),
        (trial("asks nothing", Expectation()), RIGHT),
        (trial("regex", Expectation(regex=("light",))), RIGHT),
        (trial("not regex", Expectation(not_regex=("table",))), RIGHT),
        (trial("schema", Expectation(json=JsonExpectation('{"type": "object"}'))), '{"lamp": "lighthouse"}'),
        (trial("settings", judges=(JudgeUse("degeneration", settings=(("min_words", 3),)),)), RIGHT),
        (trial("own policy", judges=(JudgeUse("degeneration"), JudgeUse("behaviour"))), RIGHT),
        (trial("own code", judges=(JudgeUse("degeneration"), JudgeUse("kind"))), RIGHT),
        (trial("gone", judges=(JudgeUse("degeneration"), JudgeUse("gone"))), RIGHT),
    ],
    ids=lambda value: value.probe.id if isinstance(value, Trial) else "",
)
def test_everything_else_is_the_clients(plan: Plan, tmp_path: Path, one: Trial, reply: Reply | str) -> None:
    """Failures, which are shown with what was judged; whatever is the user's, or cannot be judged; lost answers."""
    (tmp_path / "judges").mkdir()
    (tmp_path / "judges" / "behaviour.yaml").write_text("kind: behaviour\n")
    (tmp_path / "judges" / "kind.py").write_text("raise SystemExit('somebody ran it')\n")
    answered(plan, one, reply)
    judging = ahead(tmp_path, plan, [one])

    run_dry(judging)

    assert judging.passed(one.id) is None


def test_it_waits_for_what_comes_next(plan: Plan, tmp_path: Path) -> None:
    """The order is the client's; what was never submitted is passed over."""
    first, second = trial("first"), trial("second")
    plan.add([first])
    answered(plan, second)
    judging = ahead(tmp_path, plan, [trial("nobody's"), first, second])

    run_dry(judging)
    assert judging.passed(second.id) is None

    item = plan.progress(first.id)
    item.replies.append(Generation(RIGHT, RIGHT, (1,), "stop", prompt_tokens=1, new_tokens=1))
    plan.settle([item])
    run_dry(judging)
    assert None not in (judging.passed(first.id), judging.passed(second.id))


def test_what_the_client_has_is_let_go_and_never_judged(plan: Plan, tmp_path: Path) -> None:
    """It goes on behind that, also where the client is quicker."""
    trials = [trial(name) for name in "abcd"]
    for one in trials:
        answered(plan, one)
    judging = ahead(tmp_path, plan, trials)
    judging.give([trials[0].id, trials[1].id])

    run_dry(judging)
    assert [judging.passed(one.id) is not None for one in trials] == [False, False, True, True]

    judging.give([trials[2].id])
    assert [judging.passed(one.id) is not None for one in trials] == [False, False, False, True]


def test_no_more_lies_ready_than_is_allowed(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that takes its time fills no memory."""
    monkeypatch.setattr(judging_ahead, "MOST_AHEAD", 2)
    trials = [trial(name) for name in "abc"]
    for one in trials:
        answered(plan, one)
    judging = ahead(tmp_path, plan, trials)

    run_dry(judging)
    assert judging.passed(trials[2].id) is None

    judging.give([trials[0].id])
    run_dry(judging)
    assert judging.passed(trials[2].id) is not None


def test_what_a_client_passed_over_takes_nobodys_place(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that calls anew in the middle of its run has the first trials already, and never comes to them."""
    monkeypatch.setattr(judging_ahead, "MOST_AHEAD", 2)
    trials = [trial(name) for name in "abcd"]
    for one in trials:
        answered(plan, one)
    judging = ahead(tmp_path, plan, trials)
    run_dry(judging)

    judging.give([trials[2].id])
    run_dry(judging)

    assert [judging.passed(one.id) is not None for one in trials] == [False, False, False, True]


def test_a_client_that_caught_up_gets_few(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that it does not judge all that follows itself; else all that was come to here goes along."""
    monkeypatch.setattr(judging_ahead, "_FEW", 2)
    trials = [trial(str(number)) for number in range(8)]
    for one in trials:
        answered(plan, one)
    names = tuple(one.id for one in trials)
    judging = ahead(tmp_path, plan, trials)

    assert judging.given_with(names[0], names[1:]) == names[1:3]
    run_dry(judging)
    assert judging.given_with(names[0], names[1:]) == names[1:]
    assert judging.given_with("a test of Python", names) == names[:2]


def test_a_look_at_other_trials_costs_nothing(plan: Plan, tmp_path: Path) -> None:
    """Nobody told this host that it may judge them."""
    one = trial("lamp")
    answered(plan, one)
    judging = ahead(tmp_path, plan, [])

    assert not judging.step()
    assert judging.passed(one.id) is None
    assert isinstance(plan.settled(plan.progress(one.id)), Settled)


@pytest.mark.parametrize(("cores", "made"), [(2, ["judging"]), (1, [])])
def test_judges_are_made_ready_where_there_is_a_core_for_it(
    monkeypatch: pytest.MonkeyPatch, cores: int, made: list[str]
) -> None:
    """Only where that is asked for."""
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(cores)), raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: cores)

    assert list(judging_ahead.preparations(["replay", "judging"])) == made
    assert list(judging_ahead.preparations(["replay", ""])) == []
