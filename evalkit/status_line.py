"""Says what the host is doing while pytest runs: a line below pytest's own, or lines at intervals in a log."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import pytest

if TYPE_CHECKING:
    from evalkit.host.messages import Status

_ROOM_BELOW = "\x1bD\x1b[A"
"""Down and up again, in the same column: at the bottom of the screen everything moves up by a line."""
_TO_LINE_BELOW = f"{_ROOM_BELOW}\x1b7\x1b[B\r\x1b[J"
_BACK = "\x1b8"
_TITLE = "\x1b]"
"""Begins what pytest tells the terminal's window, which is no text."""


class Display(Protocol):
    """Shows the newest status."""

    def show(self, status: Status) -> None: ...

    def clear(self) -> None:
        """Takes away what would be in the way of other output."""


class StatusLine:
    """Shown from the main thread alone: the launcher's thread only hands over the newest status.

    Without -n the worker shows it while it waits; with -n that is put into xdist's event queue, so that it happens
    between its events.
    """

    def __init__(
        self, config: pytest.Config, log: str = "", interval_s: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """``log`` is named where the host has fallen silent; ``interval_s`` is for ``ProgressLines``."""
        self._config = config
        self._log = log
        self._interval_s = interval_s
        self._clock = clock
        self._begun_at = clock()
        self._status: Status | None = None
        self._display: Display | None = None

    def take(self, status: Status) -> None:
        """Called from another thread: remembers, and asks xdist's loop to show it."""
        self._status = status
        session = self._config.pluginmanager.getplugin("dsession")
        queue = getattr(session, "queue", None)
        if queue is not None:
            session.worker_evalkit_status = self.draw
            queue.put(("evalkit_status", {}))

    def draw(self) -> None:
        if self._status is None or self._status.phase == "idle":
            return
        self._display = self._display or self._new_display()
        if self._display is not None:
            self._display.show(self._status)

    def clear(self) -> None:
        if self._display is not None:
            self._display.clear()

    def _new_display(self) -> Display | None:
        """None where pytest's own reporter is gone, where it shall print next to nothing, or no lines are wanted."""
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        if getattr(reporter, "_tw", None) is None or self._config.option.verbose < -1:
            return None
        if is_live(bool(reporter.isatty), os.environ):
            return LiveLine(reporter, self._log)
        if self._interval_s == 0:
            return None
        from evalkit.progress_lines import Pace, ProgressLines

        pace = Pace(self._begun_at, self._interval_s, tells_phases=self._config.option.verbose >= 0)
        return ProgressLines(reporter, self._log, pace, self._clock)


def is_live(is_terminal: bool, environment: Mapping[str, str]) -> bool:
    """Whether a line can be drawn and taken away again, before somebody's eyes."""
    is_log = any(environment.get(name) for name in ("CI", "BUILD_NUMBER"))
    return is_terminal and not is_log and environment.get("TERM", "dumb") not in ("dumb", "")


class LiveLine:
    """A line below the one that pytest writes, gone as soon as pytest writes on."""

    def __init__(self, reporter: Any, log: str) -> None:
        self._log = log
        self._shown = ""
        from evalkit.watched_file import WatchedFile  # only where a host runs: the module is not for every pytest run

        self._writer = reporter._tw
        self._file = reporter._tw._file
        reporter._tw._file = WatchedFile(self._file, self._before)

    def show(self, status: Status) -> None:
        from evalkit.status_text import status_text  # only where a host runs: the package is not for every pytest run

        width, written = self._width, self._writer.width_of_current_line
        is_at_edge = written and not written % width  # where terminals differ in what moving up and down does
        text = status_text(status, self._log, width - 1)
        if text != self._shown and not is_at_edge:
            self._shown = text  # first: a Ctrl-C may come in between, and then a line is taken away that is not there
            self._write(f"{_TO_LINE_BELOW}{text}{_BACK}")

    def clear(self) -> None:
        if self._shown:
            self._write(f"{_TO_LINE_BELOW}{_BACK}")
            self._shown = ""

    def _before(self, text: str) -> str:
        if not text.startswith(_TITLE):
            self.clear()
        return text

    def _write(self, text: str) -> None:
        """Past the writer's bookkeeping of columns, which must keep describing pytest's own line."""
        encoding = getattr(self._file, "encoding", None) or "utf-8"
        self._file.write(text.encode(encoding, "replace").decode(encoding))
        self._file.flush()

    @property
    def _width(self) -> int:
        """Now: a window may have been made smaller."""
        try:
            columns = os.get_terminal_size(self._file.fileno()).columns
        except (OSError, ValueError):
            columns = 0
        return columns or shutil.get_terminal_size().columns
