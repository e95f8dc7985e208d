"""The money one run may spend at servers."""

from __future__ import annotations

import threading
from collections import deque
from decimal import Decimal
from typing import Literal

Grant = Literal["granted", "wait", "refused"]


class Budget:
    """Shared by all server engines of a run and by their threads.

    Before a call its highest possible cost is reserved, and settled at what it was afterwards: the limit holds even
    when every reply is as long as it may be. A call whose bill is unknown counts as the reservation against the limit
    and as nothing in ``spent_usd``.
    """

    def __init__(self, limit_usd: float, option: str = "--eval-max-usd") -> None:
        """``option`` is where the user sets the limit."""
        self.limit_usd = Decimal(repr(limit_usd))
        self.option = option
        self._spent = Decimal(0)
        self._unknown = Decimal(0)
        self._reserved = Decimal(0)
        self._lock = threading.Lock()
        self._said: set[str] = set()
        self._to_say: deque[str] = deque()

    @property
    def spent_usd(self) -> Decimal:
        return self._spent

    @property
    def left_usd(self) -> Decimal:
        return max(Decimal(0), self.limit_usd - self._spent - self._unknown)

    def reserve(self, amount: Decimal) -> Grant:
        """``wait``: it may fit once others are settled; ``refused``: it cannot fit any more."""
        with self._lock:
            if amount > self.left_usd:
                return "refused"
            if amount > self.left_usd - self._reserved:
                return "wait"
            self._reserved += amount
            return "granted"

    def settle(self, reserved: Decimal, spent: Decimal | None) -> None:
        """The call is over and cost ``spent``, None where nobody knows."""
        with self._lock:
            self._reserved -= reserved
            if spent is None:
                self._unknown += reserved
            else:
                self._spent += spent

    def say_once(self, sentence: str) -> None:
        """A sentence for the user; each is said once in a run."""
        with self._lock:
            if sentence not in self._said:
                self._said.add(sentence)
                self._to_say.append(sentence)

    def sentences(self) -> list[str]:
        """What is to be said since the last call."""
        with self._lock:
            found = list(self._to_say)
            self._to_say.clear()
        return found
