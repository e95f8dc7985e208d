"""Says what the host is doing in plain lines, for logs of CI and for output that goes to a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from evalkit.host.clock import clock_text
from evalkit.status_text import status_words
from evalkit.watched_file import WatchedFile

if TYPE_CHECKING:
    from evalkit.host.messages import Status

LEAST_S = 30.0
MOST_S = 300.0
GROWTH = 10.0
"""Without an interval of the user's own there is a line after every tenth of the time so far, within these bounds."""
LASTS_S = 2.0
"""A phase that is over sooner is not told of."""


@dataclass(slots=True)
class Pace:
    """When a line is due: once in every phase that lasts, and at intervals.

    ``begun_at`` is when the run began. ``interval_s`` None means intervals that grow.
    """

    begun_at: float
    interval_s: float | None = None
    tells_phases: bool = True
    _phase: tuple[object, ...] = ()
    _phase_since: float = 0.0
    _is_phase_told: bool = False
    _told_at: float | None = None

    def is_due(self, status: Status, now: float) -> bool:
        """Whether this status is to be told; then it counts as told."""
        phase = (status.phase, status.target if status.phase == "loading" else "", bool(status.silent_s))
        if phase != self._phase:
            self._phase, self._phase_since, self._is_phase_told = phase, now, False
        is_new = self.tells_phases and not self._is_phase_told and now - self._phase_since >= LASTS_S
        told_at = self.begun_at if self._told_at is None else self._told_at
        if not is_new and now - told_at < self._interval(now):
            return False
        self._told_at, self._is_phase_told = now, True
        return True

    def _interval(self, now: float) -> float:
        if self.interval_s is not None:
            return self.interval_s
        return min(max((now - self.begun_at) / GROWTH, LEAST_S), MOST_S)


class ProgressLines:
    """Lines of their own among those of pytest, never in the middle of one."""

    def __init__(self, reporter: Any, log: str, pace: Pace, clock: Callable[[], float]) -> None:
        self._reporter = reporter
        self._log = log
        self._pace = pace
        self._clock = clock
        self._is_last = False
        reporter._tw._file = WatchedFile(reporter._tw._file, self._before)

    def show(self, status: Status) -> None:
        now = self._clock()
        if self._pace.is_due(status, now):
            self._print(f"[evalkit {clock_text(now - self._pace.begun_at)}] {status_words(status, self._log)}")

    def clear(self) -> None:
        """A line in a log stays."""

    def _print(self, text: str) -> None:
        """pytest then begins a line of its own, for which it first ends the one before: that newline is left out."""
        writer = self._reporter._tw
        if writer.width_of_current_line:
            writer.line()
        writer.line(text)
        writer.flush()
        self._reporter.currentfspath = None
        self._is_last = True

    def _before(self, text: str) -> str:
        is_last, self._is_last = self._is_last, False
        return text[1:] if is_last and text.startswith("\n") else text
