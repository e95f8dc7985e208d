"""What is still to be asked: trials in plan order, each driven through its turns and its judges' questions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from evalkit.errors import EvalkitError, JudgeError
from evalkit.generation import Failure, Generation, Reply, Request
from evalkit.host.messages import Settled
from evalkit.judging.base import MAX_ROUNDS, Judge
from evalkit.judging.thinking import segments
from evalkit.matrix import Trial
from evalkit.probe import Generate, Message
from evalkit.target import Target
from evalkit.transcript import Answer, Case, Transcript

if TYPE_CHECKING:
    from evalkit.store.generations import Said

AskingJudges = Callable[[Trial], tuple[tuple[int, Judge], ...]]
_segments = lru_cache(maxsize=256)(segments)
"""Asked several times for the trial at hand."""


def answer_of(generation: Generation | Said) -> Answer:
    """The generation as judges see it: thinking and answer kept apart."""
    found = _segments(generation.text)
    thought = "\n".join([part for part in (generation.thinking, found.thinking) if part])
    return Answer(
        text=generation.text, answer=found.answer, thinking=thought, answer_start=found.start,
        raw_text=generation.raw_text, finish=generation.finish, new_tokens=generation.new_tokens,
        identity=generation.identity, pieces=found.pieces, thinking_flags=found.flags,
    )  # fmt: skip


def split_text(text: str) -> Answer:
    """A bare text as judges see an answer."""
    found = _segments(text)
    return Answer(
        text=text, answer=found.answer, thinking=found.thinking, answer_start=found.start, raw_text=text,
        pieces=found.pieces, thinking_flags=found.flags,
    )  # fmt: skip


def conversation(trial: Trial, replies: Iterable[Reply]) -> tuple[tuple[Message, ...], Generate | None]:
    """The messages so far and the turn that waits for an answer, None when there is none left.

    Earlier answers enter the conversation without their thinking, as chat templates expect.
    """
    return _said(trial, [answer_of(reply) for reply in replies if isinstance(reply, Generation)])


def answers_wanted(trial: Trial) -> int:
    """How many turns of a trial are the target's."""
    return sum([isinstance(turn, Generate) for turn in trial.probe.turns])


def case_of(trial: Trial, replies: tuple[Reply, ...]) -> Case:
    """What judges see of a trial whose every turn was answered."""
    answers = tuple([answer_of(reply) for reply in replies if isinstance(reply, Generation)])
    messages, _ = _said(trial, answers)
    return Case(trial.probe, trial.target.label, Transcript(messages, answers), system_text(trial, messages))


def _said(trial: Trial, answers: Sequence[Answer]) -> tuple[tuple[Message, ...], Generate | None]:
    messages: list[Message] = []
    come = iter(answers)
    for turn in trial.probe.turns:
        if isinstance(turn, Message):
            messages.append(turn)
            continue
        answer = next(come, None)
        if answer is None:
            return tuple(messages), turn
        messages.append(Message("assistant", answer.answer))
    return tuple(messages), None


def system_text(trial: Trial, messages: tuple[Message, ...]) -> str:
    """What stood in front of the conversation: the condition, then the probe's own system message."""
    own = (message.content for message in messages[:1] if message.role == "system")
    return "\n\n".join(text for text in (trial.target.condition.system, *own) if text)


@dataclass(slots=True)
class Hearing:
    """What the judges of one trial that ask models have been told.

    ``heard`` holds the round's replies under (judge, place) until it is over: they may come in any order, and go to
    ``replies`` in the order they were asked in, and whom they are from to ``targets``.
    """

    replies: dict[int, list[Reply]] = field(default_factory=dict)
    targets: dict[int, list[Target | None]] = field(default_factory=dict)
    rounds: dict[int, int] = field(default_factory=dict)
    heard: dict[tuple[int, int], tuple[Target, Reply]] = field(default_factory=dict)

    def end_round(self) -> None:
        """Hands this round's replies to their judges."""
        for judge, place in sorted(self.heard):
            target, reply = self.heard[judge, place]
            self.hear(judge, target, reply)
        self.heard = {}

    def hear(self, judge: int, target: Target | None, reply: Reply) -> None:
        """Hands a judge one reply; ``target`` None: nobody was asked."""
        self.replies.setdefault(judge, []).append(reply)
        self.targets.setdefault(judge, []).append(target)


@dataclass(slots=True)
class Progress:
    """One trial on its way: the replies so far, and the judges that still have questions.

    ``questions`` are those of this round that no stage took yet. ``hearing`` is there once a judge asks, which few
    trials have and thousands would carry. ``next_known`` is the next turn after so many replies: plans are looked
    through often.
    """

    trial: Trial
    replies: list[Reply] = field(default_factory=list)
    asking: tuple[tuple[int, Judge], ...] | None = None
    hearing: Hearing | None = None
    questions: tuple[Ask, ...] = ()
    pending: int = 0
    is_settled: bool = False
    next_known: tuple[int, Request | None] | None = None

    @property
    def failed(self) -> bool:
        return bool(self.replies) and isinstance(self.replies[-1], Failure)

    @property
    def next_request(self) -> Request | None:
        """The target's next turn, None when all turns are answered or one failed."""
        if self.next_known is None or self.next_known[0] != len(self.replies):
            self.next_known = len(self.replies), self._next_request()
        return self.next_known[1]

    def _next_request(self) -> Request | None:
        if self.failed or len(self.replies) >= answers_wanted(self.trial):
            return None
        messages, turn = conversation(self.trial, self.replies)
        return None if turn is None else self.trial.request(messages, turn)

    def take(self, ask: Ask) -> None:
        """A stage asks this now."""
        self.pending += 1
        self.questions = tuple([question for question in self.questions if question is not ask])


@dataclass(frozen=True, slots=True)
class Ask:
    """A request of one trial, with where its reply goes: a turn (judge None), or a place in a judge's round."""

    progress: Progress
    request: Request
    judge: int | None = None
    place: int = 0


class Plan:
    """Every trial submitted so far, in the order of the first submission; no device, no clock, no files."""

    def __init__(self, asking_judges: AskingJudges) -> None:
        self._asking_judges = asking_judges
        self._trials: dict[str, Progress] = {}
        self._open: dict[str, Progress] = {}
        self.answer_count = 0
        """How many answers the plan's turns want in all (questions of judges come on top)."""

    def add(self, trials: Iterable[Trial]) -> list[str]:
        """Adds what is new and returns the ids of trials that were already settled."""
        settled = []
        for trial in trials:
            name = trial.id
            known = self._trials.get(name)
            if known is None:
                self._trials[name] = self._open[name] = Progress(trial)
                self.answer_count += answers_wanted(trial)
            elif known.is_settled:
                settled.append(name)
        return settled

    def add_answered(self, trial: Trial, replies: Iterable[Reply]) -> Progress:
        """Adds a new trial whose turns are all answered already: only its judges may still ask."""
        item = self._trials[trial.id] = self._open[trial.id] = Progress(trial, list(replies))
        return item

    def __len__(self) -> int:
        return len(self._trials)

    @property
    def settled_count(self) -> int:
        return len(self._trials) - len(self._open)

    def progress(self, trial: str) -> Progress:
        return self._trials[trial]

    def __iter__(self) -> Iterator[Progress]:
        return iter(self._trials.values())

    def __contains__(self, trial: object) -> bool:
        return trial in self._trials

    def turns(self) -> Iterator[Ask]:
        """The next turn of every trial that waits for none, in plan order."""
        for item in self._open.values():
            if not item.pending and item.asking is None and (request := item.next_request) is not None:
                yield Ask(item, request)

    def questions(self) -> Iterator[Ask]:
        """What judges of trials whose turns are over want to know now, in plan order."""
        for item in self._open.values():
            yield from item.questions

    def settle(self, touched: Iterable[Progress]) -> list[Progress]:
        """Those of the ``touched`` trials that have nothing left to ask, taken out of the open ones."""
        candidates = {id(item): item for item in touched}.values()
        idle = [item for item in candidates if not (item.pending or item.questions or item.is_settled)]
        done = [item for item in idle if self._is_finished(item)]
        for item in done:
            item.is_settled, item.next_known = True, None
            del self._open[item.trial.id]
        return done

    def settled(self, item: Progress) -> Settled:
        """What clients are told of a trial that is done."""
        hearing = item.hearing or Hearing()
        return Settled(
            trial=item.trial.id,
            replies=tuple(item.replies),
            judge_replies=tuple((index, tuple(replies)) for index, replies in sorted(hearing.replies.items())),
            judge_targets=tuple((index, tuple(targets)) for index, targets in sorted(hearing.targets.items())),
            done=self.settled_count,
            total=len(self),
        )

    def _is_finished(self, item: Progress) -> bool:
        if item.failed:
            return True
        if item.next_request is not None:
            return False
        if item.asking is None:
            item.asking = self._asking_judges(item.trial)
            item.hearing = Hearing() if item.asking else None
        if item.hearing is None:
            return True
        item.hearing.end_round()
        item.questions = tuple(self._questions(item, item.hearing))
        return not item.questions

    def _questions(self, item: Progress, hearing: Hearing) -> list[Ask]:
        """What the trial's judges want to know now, given the replies so far."""
        if not item.asking:
            return []
        found: list[Ask] = []
        case = case_of(item.trial, tuple(item.replies))
        for index, judge in item.asking:
            so_far = hearing.replies.setdefault(index, [])
            rounds = hearing.rounds.get(index, 0)
            try:
                questions = judge.ask(case, tuple(so_far))
                if questions and rounds >= MAX_ROUNDS:
                    raise JudgeError(f"it still asks after {MAX_ROUNDS} rounds; a judge must come to an end")
            except Exception as error:
                reason = str(error) if isinstance(error, EvalkitError) else f"{type(error).__name__}: {error}"
                hearing.hear(index, None, Failure(f"judge {judge.name!r} broke while asking: {reason}"))
                item.asking = tuple(pair for pair in item.asking if pair[0] != index)
                continue
            if questions:
                hearing.rounds[index] = rounds + 1
                found += [Ask(item, question, index, place) for place, question in enumerate(questions)]
        return found
