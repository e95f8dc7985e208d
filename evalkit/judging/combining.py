"""The ``panel`` judge: other judges whose verdicts become one, all asked at once or one after another."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from evalkit.errors import JudgeError
from evalkit.generation import Failure, Reply, Request
from evalkit.judging.base import MAX_ROUNDS, Judge
from evalkit.judging.panel import asks
from evalkit.transcript import Case
from evalkit.verdict import Outcome, Verdict

Rule = Literal["all", "any", "majority", "cascade"]

SCORE = "score"


@dataclass(frozen=True, slots=True)
class Near:
    """True of a verdict whose score, or other signal named ``signal``, is at most ``within`` from ``threshold``."""

    signal: str
    threshold: float
    within: float


@dataclass(frozen=True, slots=True)
class Escalation:
    """When a cascade asks its next member; ``audit`` is the share of the other cases that it asks all the same."""

    unscored: bool = True
    near: Near | None = None
    audit: float = 0.0


@dataclass(frozen=True, slots=True)
class Member:
    """One judge of a panel, under a name of its own."""

    name: str
    judge: Judge


@dataclass(frozen=True, slots=True)
class Ballot:
    """What one member said; ``is_audit`` when it was only asked to check the one before it."""

    member: str
    verdict: Verdict
    is_audit: bool = False


@dataclass(slots=True)
class _Seat:
    """A member at work: the replies that are its own, and whether it has asked all it wanted."""

    member: Member
    is_audit: bool = False
    replies: list[Reply] = field(default_factory=list)
    is_done: bool = False


class PanelJudge:
    """Lets every member ask and read its own replies, and counts their verdicts by ``rule``."""

    name = "panel"
    version = "1"

    def __init__(self, rule: Rule, members: tuple[Member, ...], escalation: Escalation = Escalation()) -> None:
        self._rule = rule
        self._members = members
        self._escalation = escalation
        each = [getattr(member.judge, "rounds", int(asks(member.judge))) for member in members]
        self.rounds: int = sum(each) if rule == "cascade" else max(each)
        if self.rounds > MAX_ROUNDS:
            raise JudgeError(
                f"The members of the cascade may ask for {self.rounds} rounds one after another; a judge has "
                f"{MAX_ROUNDS}. Leave a member out."
            )

    def ask(self, case: Case, replies: tuple[Reply, ...]) -> tuple[Request, ...]:
        return self._replay(case, replies)[1]

    def read(self, case: Case, replies: tuple[Reply, ...]) -> Verdict:
        """The panel's verdict.

        Raises:
            JudgeError: a member broke, its model cannot be reached, or it was never asked. An outage is an error of
                the trial, never a smaller panel; only an audit, which decides nothing, may fail without harm.
        """
        seats, questions = self._replay(case, replies)
        if questions:
            raise JudgeError(f"Judge {self.name!r} asks models, and was read before it could ask.")
        ballots = tuple(ballot for seat in seats if (ballot := _ballot(seat, case)) is not None)
        verdict = _counted(self._rule, ballots, self.name, self.version)
        return verdict if len(ballots) == len(seats) else replace(verdict, flags=(*verdict.flags, "audit_failed"))

    def _replay(self, case: Case, replies: tuple[Reply, ...]) -> tuple[list[_Seat], tuple[Request, ...]]:
        """The members with their own replies, and what they ask next.

        Replies carry no name, so every round is asked again of the members, which are pure, and its replies are dealt
        out in the order of its questions.
        """
        waiting = list(replies)
        seats = [_Seat(member) for member in (self._members[:1] if self._rule == "cascade" else self._members)]
        while True:
            asked = [(seat, request) for seat in seats for request in _questions(seat, case)]
            if not asked:
                following = self._following(seats, case)
                if following is None:
                    return seats, ()
                seats.append(following)
            elif not waiting:
                return seats, tuple(request for _, request in asked)
            elif len(waiting) < len(asked):
                raise JudgeError(_shortage(self.name, waiting, len(asked)))
            else:
                for seat, _ in asked:
                    seat.replies.append(waiting.pop(0))

    def _following(self, seats: Sequence[_Seat], case: Case) -> _Seat | None:
        """The next member of a cascade, if the last one's verdict is not enough or is to be checked."""
        last = seats[-1]
        if self._rule != "cascade" or len(seats) == len(self._members) or last.is_audit:
            return None
        if self._escalates(last.member.name, _read(last, case)):
            return _Seat(self._members[len(seats)])
        return _Seat(self._members[len(seats)], is_audit=True) if self._is_audited(case) else None

    def _escalates(self, member: str, verdict: Verdict) -> bool:
        near = self._escalation.near
        if verdict.outcome == "unscored":
            return self._escalation.unscored
        if near is None:
            return False
        value = verdict.score if near.signal == SCORE else dict(verdict.signals).get(near.signal)
        if value is None:
            raise JudgeError(
                f"Judge {self.name!r} looks at {near.signal!r} of {member!r}, which gives no such value. "
                "Name another signal in escalate_when."
            )
        return bool(abs(value - near.threshold) <= near.within)

    def _is_audited(self, case: Case) -> bool:
        """The same cases on every machine: a share of the hashes of probe, answer and judge."""
        texts = (self.name, case.probe.id, *(answer.text for answer in case.answers))
        digest = hashlib.sha256()
        for text in texts:
            data = text.encode("utf-8", "surrogatepass")
            digest.update(len(data).to_bytes(8, "big") + data)
        return int.from_bytes(digest.digest()[:8], "big") < self._escalation.audit * 2**64


def _questions(seat: _Seat, case: Case) -> tuple[Request, ...]:
    questions = () if seat.is_done else seat.member.judge.ask(case, tuple(seat.replies))
    seat.is_done = not questions
    return questions


def _ballot(seat: _Seat, case: Case) -> Ballot | None:
    """What the member said; None for an audit that failed."""
    try:
        return Ballot(seat.member.name, _read(seat, case), seat.is_audit)
    except JudgeError:
        if seat.is_audit:
            return None
        raise


def _read(seat: _Seat, case: Case) -> Verdict:
    verdict = seat.member.judge.read(case, tuple(seat.replies))
    if not isinstance(verdict, Verdict):
        raise JudgeError(f"Member {seat.member.name!r} must return a Verdict; found {verdict!r}.")
    return verdict


def _shortage(name: str, waiting: Sequence[Reply], count: int) -> str:
    failure = next((reply for reply in waiting if isinstance(reply, Failure)), None)
    return failure.reason if failure else f"Judge {name!r} asked {count} questions and got {len(waiting)} replies."


def outcome_of(rule: Rule, outcomes: Sequence[Outcome]) -> Outcome:
    """What verdicts come to: ``cascade`` takes the last one, ``majority`` counts only those that were scored."""
    if rule == "cascade":
        return outcomes[-1]
    if rule == "majority":
        ahead = outcomes.count("pass") - outcomes.count("fail")
        return "pass" if ahead > 0 else "fail" if ahead < 0 else "unscored"
    order: tuple[Outcome, ...] = ("fail", "unscored", "pass") if rule == "all" else ("pass", "unscored", "fail")
    return next(outcome for outcome in order if outcome in outcomes)


def _counted(rule: Rule, ballots: tuple[Ballot, ...], name: str, version: str) -> Verdict:
    voting = [ballot for ballot in ballots if not ballot.is_audit]
    outcome = outcome_of(rule, [ballot.verdict.outcome for ballot in voting])
    agreeing = [ballot for ballot in voting if ballot.verdict.outcome == outcome]
    decider = (agreeing[-1] if rule == "cascade" else agreeing[0]) if agreeing else None
    deciding = decider.verdict if decider else None
    return Verdict(
        judge=name, judge_version=version, outcome=outcome, reason=_reason(rule, voting, decider),
        score=deciding.score if deciding else None,
        signals=deciding.signals if deciding else (),
        flags=_flags(rule, ballots, len(voting)),
        labels=tuple(_labels(ballots, decider).items()),
        spans=tuple(dict.fromkeys(span for ballot in ballots for span in ballot.verdict.spans)),
    )  # fmt: skip


def _reason(rule: Rule, voting: Sequence[Ballot], decider: Ballot | None) -> str:
    said = f"{decider.member}: {decider.verdict.reason}" if decider else ""
    if rule == "cascade":
        return f"asked after {', '.join(ballot.member for ballot in voting[:-1])}, {said}" if len(voting) > 1 else said
    if rule != "majority":
        return said
    outcomes = [ballot.verdict.outcome for ballot in voting]
    count = f"{outcomes.count('pass')} pass, {outcomes.count('fail')} fail, {outcomes.count('unscored')} unscored"
    if outcomes.count("pass") == outcomes.count("fail"):
        unscored = next((ballot for ballot in voting if ballot.verdict.outcome == "unscored"), None)
        why = f"; {unscored.member}: {unscored.verdict.reason}" if unscored else ""
        return f"no majority ({count}){why}"
    return f"{count}; {said}"


def _flags(rule: Rule, ballots: Sequence[Ballot], voting: int) -> tuple[str, ...]:
    """What the panel itself has to say, and every member's flags."""
    claims = {
        "disagreement": {"pass", "fail"} <= {ballot.verdict.outcome for ballot in ballots},
        "escalated": rule == "cascade" and voting > 1,
        "audited": voting < len(ballots),
    }
    own = [claim for claim, holds in claims.items() if holds]
    return tuple(dict.fromkeys([*own, *(flag for ballot in ballots for flag in ballot.verdict.flags)]))


def _labels(ballots: Sequence[Ballot], decider: Ballot | None) -> dict[str, object]:
    """The deciding member's labels, who decided, and what each member said."""
    labels: dict[str, object] = {}
    if decider is not None:
        inner = dict(decider.verdict.labels)
        labels = {f"{decider.member}.decided_by" if key == "decided_by" else key: inner[key] for key in inner}
        labels["decided_by"] = decider.member
    return labels | {f"{ballot.member}.outcome": ballot.verdict.outcome for ballot in ballots}
