"""How many requests a server is asked at once, and when the next may be."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal

from evalkit.engines.servers.budget import Grant
from evalkit.engines.servers.clock import LoopClock


class Gate:
    """One for all requests of an engine, all in one loop.

    The number at once halves when the server says that it is too much, once for all requests that were under way
    then, and grows by one for about as many successes as it is. A pause the server asks for holds for everyone.
    """

    def __init__(self, most: int, clock: LoopClock) -> None:
        self._most = most
        self._allowed = float(most)
        self._clock = clock
        self._inside = 0
        self._epoch = 0
        self._opens_at = 0.0
        self._waiting: set[asyncio.Future[None]] = set()

    @property
    def allowed(self) -> int:
        return max(1, int(self._allowed))

    async def enter(self, admit: Callable[[], Grant]) -> int | Literal["refused"]:
        """Waits for a free place and for ``admit``; a ticket for ``leave``, or "refused".

        ``admit`` is asked again whenever somebody has left.
        """
        while True:
            if self._inside < self.allowed:
                grant = admit()
                if grant == "refused":
                    return "refused"
                if grant == "granted":
                    self._inside += 1
                    return self._epoch
            await self._somebody_left()

    def leave(self, ticket: int, *, was_too_much: bool = False, succeeded: bool = False) -> None:
        self._inside -= 1
        if was_too_much and ticket == self._epoch:
            self._allowed = max(1.0, self._allowed / 2)
            self._epoch += 1
        elif succeeded:
            self._allowed = min(float(self._most), self._allowed + 1 / self._allowed)
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    def pause(self, seconds: float) -> None:
        """Nobody asks for so long."""
        self._opens_at = max(self._opens_at, self._clock.now() + seconds)

    @property
    def pause_left_s(self) -> float:
        return max(0.0, self._opens_at - self._clock.now())

    async def _somebody_left(self) -> None:
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            await waiting
        finally:
            self._waiting.discard(waiting)
