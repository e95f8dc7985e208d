"""How many requests a server is asked at once, and when the next may be."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from evalkit.engines.servers.budget import Grant


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as an engine sees it; ``sleep`` returns early when the engine is closed. Tests bring one of their own."""

    now: Callable[[], float]
    sleep: Callable[[float], object]

    @classmethod
    def real(cls, closed: threading.Event) -> Clock:
        return cls(time.monotonic, closed.wait)


class Gate:
    """One for all requests of an engine.

    The number at once halves when the server says that it is too much, once for all requests that were under way
    then, and grows by one for about as many successes as it is. A pause the server asks for holds for everyone.
    """

    def __init__(self, most: int, clock: Clock) -> None:
        self._most = most
        self._allowed = float(most)
        self._clock = clock
        self._inside = 0
        self._epoch = 0
        self._opens_at = 0.0
        self._is_closed = False
        self._changed = threading.Condition()

    @property
    def allowed(self) -> int:
        return max(1, int(self._allowed))

    def enter(self, admit: Callable[[], Grant]) -> int | Literal["refused"] | None:
        """Waits for a free place and for ``admit``; a ticket for ``leave``, "refused", None when the gate is closed.

        ``admit`` is asked again whenever somebody has left.
        """
        with self._changed:
            while not self._is_closed:
                if self._inside < self.allowed:
                    grant = admit()
                    if grant == "refused":
                        return "refused"
                    if grant == "granted":
                        self._inside += 1
                        return self._epoch
                self._changed.wait()
            return None

    def leave(self, ticket: int, *, was_too_much: bool = False, succeeded: bool = False) -> None:
        with self._changed:
            self._inside -= 1
            if was_too_much and ticket == self._epoch:
                self._allowed = max(1.0, self._allowed / 2)
                self._epoch += 1
            elif succeeded:
                self._allowed = min(float(self._most), self._allowed + 1 / self._allowed)
            self._changed.notify_all()

    def pause(self, seconds: float) -> None:
        """Nobody asks for so long."""
        with self._changed:
            self._opens_at = max(self._opens_at, self._clock.now() + seconds)

    @property
    def pause_left_s(self) -> float:
        return max(0.0, self._opens_at - self._clock.now())

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
