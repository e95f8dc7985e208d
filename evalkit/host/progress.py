"""What the host says of itself while it works: how much is done, how fast, how long still."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from evalkit.engines import base
from evalkit.host.messages import Phase, Status

_STATUS_EVERY_S = 0.2
_RATE_WINDOW_S = 5.0


class StatusKeeper:
    """Counts, and says the status at most every 0.2 s or when the phase changes."""

    def __init__(self, say: Callable[[Status], None]) -> None:
        self._say = say
        self._phase: Phase = "starting"
        self._target = ""
        self._said_at = 0.0
        self._recent: deque[tuple[float, int]] = deque()
        self._begun_at = 0.0
        self._done_before = 0
        self._is_here = True
        self._generating_since: float | None = None
        self._generating_s = 0.0
        self.done = self.total = self.stored = self.tokens = self.served_tokens = self.loads = 0
        self.judged = self.questions = 0
        self.usd = self.most_usd = 0.0
        self.asked = 0
        self.in_flight: int | None = None

    def begin_again(self) -> None:
        """Counts a new plan from nothing; tokens, loads and money go on."""
        self.done = self.total = self.stored = self.judged = self.questions = 0
        self._begun_at = 0.0

    def plan(self, asks: int, *, is_judging: bool) -> None:
        """A stage of ``asks`` is known of."""
        if is_judging:
            self.questions += asks
        else:
            self.total = max(self.total, self.done + asks)

    def compute(self, is_here: bool) -> None:
        """Whether something is generated here from now on: only then are seconds counted, and the speed is that."""
        if is_here != self._is_here:
            self._clock(self._phase)
            self._recent.clear()
            self._is_here, self._generating_since = is_here, None
            self._clock(self._phase)

    def begin(self) -> None:
        """A stage starts generating now."""
        if not self._begun_at:
            self._begun_at, self._done_before = time.monotonic(), self.done

    def came(self, asks: int, *, is_judging: bool) -> None:
        """So many more have their reply."""
        if is_judging:
            self.judged += asks
        else:
            self.done += asks

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
        if count and is_served != self._is_here:
            self._recent.append((time.monotonic(), count))
        self.show(self._phase)

    def note(self, sentence: str) -> None:
        self._emit(sentence)

    def show(self, phase: Phase, target: str | None = None, *, now: bool = False) -> None:
        changed = phase != self._phase or (target is not None and target != self._target)
        self._clock(phase)
        self._phase = phase
        if phase == "idle":
            self.asked, self.in_flight = 0, None
        if target is not None:
            self._target = target
        if now or changed or time.monotonic() - self._said_at >= _STATUS_EVERY_S:
            self._emit(None)

    def say(self) -> None:
        """Says the status now."""
        self._emit(None)

    def _clock(self, phase: Phase) -> None:
        """Counts the time spent generating here, and no other."""
        now = time.monotonic()
        if self._generating_since is not None:
            self._generating_s += now - self._generating_since
        is_here = phase in ("generating", "judging") and self._is_here
        self._generating_since = now if is_here else None

    def _emit(self, note: str | None) -> None:
        self._said_at = now = time.monotonic()
        while self._recent and now - self._recent[0][0] > _RATE_WINDOW_S:
            self._recent.popleft()
        span = max(now - self._recent[0][0], 0.5) if self._recent else 1.0
        generated = self.done - self._done_before
        rate = sum(count for _, count in self._recent) / span
        left = (self.total - self.done) * (now - self._begun_at) / generated if generated > 0 else None
        self._say(
            Status(
                phase=self._phase, target=self._target, done=self.done, total=self.total, stored=self.stored,
                tokens=self.tokens, served_tokens=self.served_tokens,
                generating_s=self._generating_s, rate=rate, left_s=left, loads=self.loads,
                judged=self.judged, questions=self.questions, usd=self.usd,
                most_usd=self.most_usd, asked=self.asked, in_flight=self.in_flight, note=note,
            )
        )  # fmt: skip
