"""A trial may be judged before its turn, and nothing of what comes of it changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from evalkit import trial_judging
from evalkit.errors import JudgeError
from evalkit.generation import Failure, Generation, Reply
from evalkit.host.address import Address
from evalkit.host.client import HostClient
from evalkit.host.messages import Inspected, Passed, Run, Settled
from evalkit.matrix import Trial
from evalkit.probe import Expectation, Generate, JudgeUse, Message, Probe
from evalkit.reading.targets import TargetChoice
from evalkit.session import Options, Session
from evalkit.target import Model, Quantisation, Target
from evalkit.trial_judging import Judged, TrialJudging
from evalkit.workspace import Workspace

TARGET = Target(Model("one", "/model", True, "model"), Quantisation("fp32", "fp32"))
ADDRESS = Address("host", "00", "host.log")
COUNTING = """
from pathlib import Path
from evalkit.verdict import Verdict

class judge:
    name = "counting"

    def ask(self, case, replies):
        return ()

    def read(self, case, replies):
        with open({file!r}, "a") as file:
            file.write("read ")
        return Verdict(self.name, "pass", "counted")
"""


def trial(name: str, *judges: str) -> Trial:
    probe = Probe(
        id=name, suite="s", file="suites/s/a.yaml", line=1, category="c",
        turns=(Message("user", "Where is the lamp?"), Generate()), expect=Expectation(contains=("lighthouse",)),
        judges=tuple(map(JudgeUse, judges or ("degeneration", "text"))),
    )  # fmt: skip
    return Trial(probe, TARGET)


def settled(one: Trial, *replies: Reply | str) -> Settled:
    made = (
        Generation(reply, reply, (1,), "stop", prompt_tokens=1, new_tokens=1) if isinstance(reply, str) else reply
        for reply in replies
    )
    return Settled(one.id, tuple(made))


@pytest.fixture
def judging(tmp_path: Path) -> TrialJudging:
    return TrialJudging(Workspace(tmp_path), "main")


@pytest.mark.parametrize("text", ["It is in the lighthouse.", "On the table.", "the the the the the the the the", ""])
def test_early_is_as_in_turn(judging: TrialJudging, tmp_path: Path, text: str) -> None:
    """The same case, decision and record."""
    one = trial("lamp")
    answered = settled(one, text)
    judging.expect({one.id: one})

    assert judging.judge_early([answered])

    assert judging.judged(one, answered) == TrialJudging(Workspace(tmp_path), "main").judged(one, answered)


def test_one_at_a_time_and_each_once(judging: TrialJudging, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits looks for news in between; at its turn a trial is not judged again."""
    trials = [trial(name) for name in ("a", "b")]
    come = [settled(one, "In the lighthouse.") for one in trials]
    judging.expect({one.id: one for one in trials})

    assert [judging.judge_early(come) for _ in range(3)] == [True, True, False]

    monkeypatch.setattr(judging, "decide", lambda case, replies: pytest.fail("judged again"))
    assert [judging.judged(one, own).decision.outcome for one, own in zip(trials, come, strict=True)] == ["pass"] * 2


def test_other_answers_are_judged_anew(judging: TrialJudging) -> None:
    """Where a host was lost and its successor answered again."""
    one = trial("lamp")
    judging.expect({one.id: one})
    judging.judge_early([settled(one, "On the table.")])

    assert judging.judged(one, settled(one, "In the lighthouse.")).decision.outcome == "pass"


def test_what_nobody_expects_is_left_alone(judging: TrialJudging) -> None:
    """A trial that another process judges, and a look at a target."""
    one = trial("lamp")

    assert not judging.judge_early([settled(one, "In the lighthouse."), Inspected("one")])


def test_somebodys_code_runs_at_its_turn(judging: TrialJudging, tmp_path: Path) -> None:
    """Within its trial's time and output, and once."""
    (tmp_path / "judges").mkdir()
    (tmp_path / "judges" / "counting.py").write_text(COUNTING.format(file=str(tmp_path / "read.txt")))
    one = trial("lamp", "degeneration", "counting")
    answered = settled(one, "In the lighthouse.")
    judging.expect({one.id: one})

    judging.judge_early([answered])
    assert not (tmp_path / "read.txt").exists()
    judging.judged(one, answered)

    assert (tmp_path / "read.txt").read_text() == "read "


def test_what_goes_wrong_is_said_at_its_turn(judging: TrialJudging) -> None:
    """A setting that a judge does not know."""
    one = trial("lamp")
    broken = replace(one, probe=replace(one.probe, judges=(JudgeUse("text", settings=(("colour", "red"),)),)))
    answered = settled(broken, "In the lighthouse.")
    judging.expect({broken.id: broken})

    assert judging.judge_early([answered])
    with pytest.raises(JudgeError, match=r"^Judge 'text' takes no settings; found colour\.$"):
        judging.judged(broken, answered)


def test_a_judge_that_has_gone_breaks_no_other_trial(judging: TrialJudging) -> None:
    """Its file was there when the probes were read; whoever waits at that moment is somebody else."""
    one = trial("lamp", "gone")
    answered = settled(one, "In the lighthouse.")
    judging.expect({one.id: one})

    assert judging.judge_early([answered])
    with pytest.raises(JudgeError, match=r"^There is no judge 'gone'\."):
        judging.judged(one, answered)


def test_what_was_never_answered_is_not_judged(judging: TrialJudging, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked at once, and is an error at its turn."""
    one = trial("lamp")
    lost = settled(one, "In the lighthouse.", Failure("lost"))
    judging.expect({one.id: one})
    monkeypatch.setattr(judging, "decide", lambda case, replies: pytest.fail("judged"))

    assert [judging.judge_early([lost]) for _ in range(2)] == [True, False]


def test_judges_may_be_made_before_they_are_needed(judging: TrialJudging, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that go by rules; one that cannot be made is left to its turn."""
    one = trial("lamp")

    judging.prepare(one.probe.judges)
    judging.prepare((JudgeUse("text", settings=(("colour", "red"),)), JudgeUse("nobody")))

    monkeypatch.setattr(trial_judging, "build_judge", lambda use, workspace: pytest.fail("made again"))
    assert judging.judged(one, settled(one, "In the lighthouse.")).decision.outcome == "pass"


@pytest.mark.parametrize("is_between", [True, False], ids=["between tests", "in a test"])
def test_nothing_is_judged_early_within_a_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_between: bool
) -> None:
    """A Python test that asks waits for its own answer: its time and what it has patched are no other trial's."""
    come, now = settled(trial("lamp"), "In the lighthouse."), settled(trial("key"), "In the door.")
    judged: list[object] = []
    session = Session(Workspace(tmp_path), Options(TargetChoice()), Run("run", str(tmp_path)), lambda: ADDRESS)
    monkeypatch.setattr(HostClient, "come", [come])
    monkeypatch.setattr(HostClient, "obtain", lambda client, name: client._while_waiting() or now)
    monkeypatch.setattr(TrialJudging, "judge_early", lambda judging, come: judged.extend(come))
    monkeypatch.setattr(Session, "targets", (TARGET,))

    session.obtain(trial("key"), is_between=is_between)

    assert session.replies(trial("key")) is now
    assert judged == ([come] if is_between else [])


def test_a_pass_of_the_hosts_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the setup of somebody's plugin breaks afterwards, the error's record knows the answer, and no verdict."""
    one, worker = trial("lamp"), TrialJudging(Workspace(tmp_path), "main")
    record = worker.judged(one, settled(one, "In the lighthouse.")).record
    session = Session(Workspace(tmp_path), Options(TargetChoice()), Run("run", str(tmp_path)), lambda: ADDRESS)
    monkeypatch.setattr(HostClient, "obtain", lambda client, name: Passed(name, record, done=1, total=1))
    monkeypatch.setattr(Session, "targets", (TARGET,))
    session.obtain(one)

    broken = session.error_record(one, "a fixture broke")

    assert session.judged(one) == Judged(record)
    assert (broken.outcome, broken.reason, broken.verdicts, broken.flags) == ("error", "a fixture broke", (), ())
    assert broken == replace(
        session.error_record(trial("lamp"), "a fixture broke"), generations=record.generations,
        finishes=record.finishes, prompt_tokens=1, new_tokens=1, words=3, generation_s=0.0,
    )  # fmt: skip
