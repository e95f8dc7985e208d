"""Whether a server still answers anybody."""

from __future__ import annotations

from collections.abc import Callable

UNREACHABLE_S = 5.0
"""How long nobody may be at an address before what waits for it is given up."""


class Health:
    """One for all requests of an engine, so that a server that died is not waited for by each of them in turn.

    It is down once a request had all its attempts, or nobody was at its address for ``UNREACHABLE_S``, and no other
    request was answered meanwhile. From then on requests are tried once each, until one is answered.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._unreachable_since: float | None = None
        self.answers = 0
        self.is_down = False

    def answered(self) -> None:
        """It replied with something that shows that it works."""
        self.answers += 1
        self.is_down = False
        self._unreachable_since = None

    def unreachable(self) -> float:
        """Nobody is at its address; for how many seconds that has been so."""
        if self._unreachable_since is None:
            self._unreachable_since = self._now()
        return self._now() - self._unreachable_since

    def given_up(self, answers_before: int) -> None:
        """A request is given up that began when it had answered so often."""
        self.is_down = self.is_down or self.answers == answers_before
