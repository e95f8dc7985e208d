"""The line under pytest's progress that says what the host is doing; nothing where there is no terminal."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from evalkit.host.messages import Status

_CLEAR_BELOW = "\n\x1b[2K\x1b[1A"


class StatusLine:
    """Drawn below pytest's own line, from the main thread alone.

    The launcher's thread only hands over the newest status. Without -n the worker draws while it waits; with -n the
    drawing is put into xdist's event queue, so that it happens between its events.
    """

    def __init__(self, config: pytest.Config, log: str = "") -> None:
        """``log`` is named where the host has fallen silent."""
        self._config = config
        self._log = log
        self._status: Status | None = None
        self._is_drawn = False

    def take(self, status: Status) -> None:
        """Called from another thread: remembers, and asks xdist's loop to draw."""
        self._status = status
        session = self._config.pluginmanager.getplugin("dsession")
        queue = getattr(session, "queue", None)
        if queue is not None and self._terminal() is not None:
            session.worker_evalkit_status = self.draw
            queue.put(("evalkit_status", {}))

    def draw(self) -> None:
        reporter = self._terminal()
        if reporter is None or self._status is None or self._status.phase == "idle":
            return
        width = shutil.get_terminal_size().columns
        self._write(reporter, f"\n\x1b[2K{status_text(self._status, self._log)[: width - 1]}\x1b[1A")
        self._is_drawn = True

    def clear(self) -> None:
        reporter = self._terminal()
        if self._is_drawn and reporter is not None:
            self._write(reporter, _CLEAR_BELOW)
            self._is_drawn = False

    def _write(self, reporter: Any, text: str) -> None:
        """Past the writer's bookkeeping of columns, which must keep describing pytest's own line."""
        file = reporter._tw._file
        file.write(f"{text}\x1b[{reporter._tw.width_of_current_line + 1}G")
        file.flush()

    def _terminal(self) -> Any:
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        return reporter if reporter is not None and getattr(reporter, "isatty", False) else None


def status_text(status: Status, log: str = "") -> str:
    """``generating demo+steady:nf4:naked:greedy  214/384 answers (56 stored)  812 tok/s  0:12 left``

    ``judging claude-haiku:served:naked:greedy  40/96 questions  $0.03 of up to $0.11``

    A server's questions are told beside what is generated here.

    ``no sign of life for 0:40, see .evalkit/host-7f3a.log  generating demo+steady:nf4:naked:greedy  214/384 answers``
    """
    from evalkit.host.clock import clock_text  # only where a host runs: the package is not for every pytest run

    parts = [f"{status.phase} {status.target}".strip()]
    if status.silent_s:
        parts.insert(0, f"no sign of life for {clock_text(status.silent_s)}" + (f", see {log}" if log else ""))
    if status.phase == "judging":
        parts.append(f"{status.judged}/{status.questions} questions")
    else:
        parts.append(f"{status.done}/{status.total} answers")
        if status.stored:
            parts[-1] += f" ({status.stored} stored)"
        if status.judged < status.questions:
            parts.append(f"{status.judged}/{status.questions} questions")
    if status.phase == "generating" and not status.silent_s:
        parts.append(f"{status.rate:.0f} tok/s")
        if status.left_s is not None:
            parts.append(f"{clock_text(status.left_s)} left")
    if status.usd or status.most_usd:
        most = f" of up to {_dollars(status.most_usd)}" if status.most_usd > status.usd else ""
        parts.append(f"{_dollars(status.usd)}{most}")
    return "evalkit: " + "  ".join(parts)


def _dollars(amount: float) -> str:
    return f"${amount:.2f}" if amount >= 0.01 or not amount else "under $0.01"
