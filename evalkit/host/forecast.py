"""How long a plan still takes: what is left to be answered, by what was measured so far."""

from __future__ import annotations

from dataclasses import dataclass

from evalkit.target import Engine, Target

Weights = tuple[object, ...]
ENOUGH_ANSWERS = 3
ENOUGH_S = 2.0
"""What must have been measured before anything is said of the rest."""
NEARLY = 0.95
"""Of what is left, no more than this share can be done by answers that are not finished."""
SETTLES_IN_S = 8.0
"""How fast the end that is told follows the one that is reckoned."""


@dataclass(slots=True)
class Part:
    """What one weight set here, or one server, has to answer and has answered.

    ``tokens`` are those of ``answers``, ``seen`` all that came, those of unfinished answers included. ``seconds`` were
    spent on it; ``out`` requests are with a server.
    """

    left: int = 0
    answers: int = 0
    tokens: int = 0
    seen: int = 0
    seconds: float = 0.0
    out: int = 0
    is_begun: bool = False

    @property
    def is_measured(self) -> bool:
        return self.answers >= ENOUGH_ANSWERS and self.seconds >= ENOUGH_S

    def unfinished(self, mean: float) -> float:
        """How many whole answers the tokens of unfinished ones amount to."""
        if not mean:
            return 0.0
        return min(max(0, self.seen - self.tokens) / mean, NEARLY * self.left)

    @property
    def mean(self) -> float:
        """Tokens of an answer."""
        return self.tokens / self.answers if self.answers else 0.0

    @property
    def speed(self) -> float:
        """Answers a second, unfinished ones in proportion; 0 where nothing was measured."""
        return (self.answers + self.unfinished(self.mean)) / self.seconds if self.seconds else 0.0

    def left_s(self, speed: float, mean: float) -> float:
        return max(0.0, self.left - self.unfinished(mean)) / speed


@dataclass(frozen=True, slots=True)
class Left:
    """``to_load`` weight sets are still to be loaded here; of these the speed is a guess."""

    seconds: float
    to_load: int = 0


class Forecast:
    """Counts what is planned and what came. Weight sets here come one after another, servers work beside them.

    Every method that needs the time is told it: seconds of any clock that goes on.
    """

    def __init__(self) -> None:
        self._here: dict[Weights, Part] = {}
        self._servers: dict[Engine, Part] = {}
        self._current: Weights | None = None
        self._since: float | None = None
        self._server_since: dict[Engine, float] = {}
        self._loading_since: float | None = None
        self._load_seconds: list[float] = []
        self._ends_at: float | None = None
        self._looked_at = 0.0

    def plan(self, target: Target, answers: int) -> None:
        """So many more answers (or fewer, where negative) are to come from a target."""
        part = self._part(target)
        part.left = max(0, part.left + answers)

    def load(self, target: Target, now: float) -> None:
        """Weights are being brought in from now on."""
        self.pause(now)
        if self._loading_since is None:
            self._loading_since = now
        self._part(target).is_begun = True

    def begin(self, target: Target, out: int, now: float) -> None:
        """``out`` answers are asked of a target from now on."""
        part = self._part(target)
        part.is_begun = True
        if target.engine.is_server:
            part.out += out
            self._server_since.setdefault(target.engine, now)
            return
        if self._loading_since is not None:
            self._load_seconds.append(now - self._loading_since)
            self._loading_since = None
        self._current = target.weights

    def run(self, now: float) -> None:
        """Something is generated here from now on, or still."""
        self._count(now)
        self._since = now

    def pause(self, now: float) -> None:
        """Nothing is generated here from now on."""
        self._count(now)
        self._since = None

    def tokens(self, count: int) -> None:
        """So many new ones came here."""
        if self._current is not None:
            self._here[self._current].seen += count

    def came(self, target: Target, answers: int, tokens: int, now: float) -> None:
        """So many answers are there, with so many tokens together."""
        part = self._part(target)
        part.left = max(0, part.left - answers)
        part.answers += answers
        part.tokens += tokens
        if not target.engine.is_server:
            part.seen = max(part.seen, part.tokens)
            return
        part.out = max(0, part.out - answers)
        part.seconds += now - self._server_since.get(target.engine, now)
        self._server_since[target.engine] = now
        if not part.out:
            del self._server_since[target.engine]

    def left(self, now: float) -> Left | None:
        """What is told of the time left; it follows what is reckoned without leaps. None: too little is known."""
        reckoned = self._reckoned()
        if reckoned is None:
            self._ends_at = None
            return None
        end = now + reckoned.seconds
        if self._ends_at is None:
            self._ends_at = end
        else:
            self._ends_at += (end - self._ends_at) * min(1.0, (now - self._looked_at) / SETTLES_IN_S)
        self._looked_at = now
        return Left(max(0.0, self._ends_at - now), reckoned.to_load)

    def _reckoned(self) -> Left | None:
        here, servers = self._reckoned_here(), [self._reckoned_there(part) for part in self._servers.values()]
        known = [left for left in (here, *servers) if left is not None]
        if not known or (here is None and any(part.left for part in self._here.values())):
            return None
        return Left(max(left.seconds for left in known), here.to_load if here else 0)

    def _reckoned_here(self) -> Left | None:
        """The weight sets one after another; those that have not begun at the speed of the others."""
        waiting = [part for part in self._here.values() if part.left]
        measured = [part for part in self._here.values() if part.is_measured]
        if not waiting or not measured:
            return None
        answers = sum(part.answers for part in measured)
        mean = sum(part.tokens for part in measured) / answers
        speed = sum(part.speed * part.seconds for part in measured) / sum(part.seconds for part in measured)
        seconds = sum(
            part.left_s(part.speed, part.mean) if part.is_measured else part.left_s(speed, mean) for part in waiting
        )
        to_load = sum(not part.is_begun for part in waiting)
        load_s = sum(self._load_seconds) / len(self._load_seconds) if self._load_seconds else 0.0
        return Left(seconds + to_load * load_s, to_load)

    def _reckoned_there(self, part: Part) -> Left | None:
        if not part.left or part.answers < ENOUGH_ANSWERS or not part.seconds:
            return None
        return Left(part.left * part.seconds / part.answers)

    def _count(self, now: float) -> None:
        if self._since is not None and self._current is not None:
            self._here[self._current].seconds += now - self._since
            self._since = now

    def _part(self, target: Target) -> Part:
        if target.engine.is_server:
            return self._servers.setdefault(target.engine, Part())
        return self._here.setdefault(target.weights, Part())
