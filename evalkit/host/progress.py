"""What the host says of itself while it works: how much is done, how fast, how long still."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from itertools import groupby, islice
from operator import attrgetter

from evalkit.engines import base
from evalkit.generation import Generation, Reply
from evalkit.host.forecast import Forecast
from evalkit.host.messages import Phase, Status
from evalkit.host.plan import Plan, Progress, answers_wanted
from evalkit.host.stages import Stage
from evalkit.target import Target

_STATUS_EVERY_S = 0.2
_RATE_WINDOW_S = 5.0
_LOADING = ("starting", "loading")


class StatusKeeper:
    """Counts, and says the status at most every 0.2 s or when the phase changes."""

    def __init__(
        self, say: Callable[[Status], None], max_usd: float = 0.0, clock: Callable[[], float] = lambda: time.monotonic()
    ) -> None:
        """``max_usd`` is what servers may be paid."""
        self._say = say
        self._max_usd = max_usd
        self._now = clock
        self._phase: Phase = "starting"
        self._target = ""
        self._said_at = 0.0
        self._recent: deque[tuple[float, int]] = deque()
        self._is_here = True
        self._generating_since: float | None = None
        self._generating_s = 0.0
        self._loading: tuple[str, float | None] = ("", None)
        self._noted: set[str] = set()
        self.tokens = self.served_tokens = self.loads = 0
        self.usd = self.most_usd = 0.0
        self.asked = 0
        self.in_flight: int | None = None
        self.begin_again()

    def begin_again(self) -> None:
        """Counts a new plan from nothing; tokens, loads and money go on."""
        self.done = self.total = self.stored = self.judged = self.questions = 0
        self._forecast = Forecast()
        self._expected = 0
        self._owed: Counter[Target] = Counter()

    def expect(self, plan: Plan) -> None:
        """What was added to the plan is to be answered: turns, and a question to every model that its judges ask."""
        self.total = plan.answer_count
        turns: Counter[Target] = Counter()
        new = islice(plan, self._expected, None)
        for target, group in groupby(new, attrgetter("trial.target")):  # thousands of the same, which is slow to hash
            items = list(group)
            turns[target] += sum(map(_open_turns, items))
            asked = [one for item in items for use in item.trial.probe.judges for _, one in use.targets]
            self._owed.update(asked)
            turns.update(asked)
        self._expected = len(plan)
        for target, count in turns.items():
            self._forecast.plan(target, count)

    def plan(self, stage: Stage, asks: int) -> None:
        """A stage of ``asks`` is known of."""
        if not stage.is_judging:
            self.total = max(self.total, self.done + asks)
            return
        self.questions += asks
        owed = min(asks, self._owed[stage.target])
        self._owed[stage.target] -= owed
        self._forecast.plan(stage.target, asks - owed)

    def known(self, stage: Stage, touched: list[Progress]) -> None:
        """So many of a stage's asks had their reply in the store, or can have none."""
        self.stored += 0 if stage.is_judging else len(touched) - len(stage.refused)
        self._count(stage, touched)
        self._forecast.plan(stage.target, -len(touched))

    def compute(self, is_here: bool) -> None:
        """Whether something is generated here from now on: only then are seconds counted, and the speed is that."""
        if is_here != self._is_here:
            self._clock(self._phase)
            self._recent.clear()
            self._is_here, self._generating_since = is_here, None
            self._clock(self._phase)

    def load(self, target: Target, note: str | None) -> None:
        """A target is being loaded; the note says what that will take, None where its weights are there."""
        self._loading = ("", None)
        if note:
            self._forecast.load(target, self._now())
        self.show("loading", f"{target.label}, {note}" if note else target.label, now=True)

    def placed(self, engine: base.Engine) -> None:
        """How far loading is, if the engine knows."""
        if self._phase in _LOADING and isinstance(engine, base.Loading):
            self._loading = engine.loading

    def read(self, target: Target) -> None:
        """A target's files are about to be looked at, which takes a while where they are large."""
        if self._phase in ("starting", "idle"):
            self.show("starting", target.label, now=True)

    def begin(self, stage: Stage) -> None:
        """A stage starts generating now."""
        out = sum(len(waiting) for _, waiting in stage.asked.values())
        self._forecast.begin(stage.target, out, self._now())

    def came(self, stage: Stage, touched: list[Progress], replies: Iterable[Reply]) -> None:
        """A stage's asks have got these replies."""
        tokens = sum(reply.new_tokens for reply in replies if isinstance(reply, Generation))
        self._clock(self._phase)
        self._count(stage, touched)
        self._forecast.came(stage.target, len(touched), tokens, self._now())

    def count(self, asked: int, engine: base.Engine) -> None:
        """So many requests are with the engine; it may say how many of them are in work."""
        self.asked = asked
        self.in_flight = engine.rows_in_flight if isinstance(engine, base.Counting) else None

    def tokens_came(self, count: int, *, is_served: bool = False) -> None:
        """``is_served``: from a server, so that they say nothing of the speed here."""
        if is_served:
            self.served_tokens += count
        else:
            self.tokens += count
            self._forecast.tokens(count)
        if count and is_served != self._is_here:
            self._recent.append((self._now(), count))
        self.show(self._phase)

    def note(self, sentence: str) -> None:
        self._emit(sentence)

    def note_once(self, sentence: str) -> None:
        """What holds for many replies, and may come with each of them."""
        if sentence not in self._noted:
            self._noted.add(sentence)
            self._emit(sentence)

    def show(self, phase: Phase, target: str | None = None, *, now: bool = False) -> None:
        changed = phase != self._phase or (target is not None and target != self._target)
        self._clock(phase)
        self._phase = phase
        if phase == "idle":
            self.asked, self.in_flight = 0, None
        if target is not None:
            self._target = target
        if now or changed or self._now() - self._said_at >= _STATUS_EVERY_S:
            self._emit(None)

    def say(self) -> None:
        """Says the status now."""
        self._emit(None)

    def _count(self, stage: Stage, touched: list[Progress]) -> None:
        """A trial that failed is asked no more, however many turns it has."""
        if stage.is_judging:
            self.judged += len(touched)
            return
        self.done += len(touched)
        for item in touched:
            if item.failed:
                self._forecast.plan(item.trial.target, -_open_turns(item))

    def _clock(self, phase: Phase) -> None:
        """Counts the time spent generating here, and no other."""
        now = self._now()
        if self._generating_since is not None:
            self._generating_s += now - self._generating_since
        is_here = phase in ("generating", "judging") and self._is_here
        self._generating_since = now if is_here else None
        (self._forecast.run if is_here else self._forecast.pause)(now)

    def _emit(self, note: str | None) -> None:
        self._said_at = now = self._now()
        while self._recent and now - self._recent[0][0] > _RATE_WINDOW_S:
            self._recent.popleft()
        span = max(now - self._recent[0][0], 0.5) if self._recent else 1.0
        rate = sum(count for _, count in self._recent) / span
        left = self._forecast.left(now)
        what, share = self._loading if self._phase in _LOADING else ("", None)
        self._say(
            Status(
                phase=self._phase, target=self._target, done=self.done, total=self.total, stored=self.stored,
                tokens=self.tokens, served_tokens=self.served_tokens, generating_s=self._generating_s, rate=rate,
                left_s=left.seconds if left else None, to_load=left.to_load if left else 0, loads=self.loads,
                loading=what, loaded=share, judged=self.judged, questions=self.questions, usd=self.usd,
                most_usd=self.most_usd, max_usd=self._max_usd, asked=self.asked, in_flight=self.in_flight, note=note,
            )
        )  # fmt: skip


def _open_turns(item: Progress) -> int:
    """How many answers of the target's a trial still waits for."""
    return answers_wanted(item.trial) - len(item.replies)
