"""The host's sign of life: its state, written once a second while its loop turns."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from evalkit.host.folders import controller_of, mark_alive
from evalkit.host.messages import Run, Status
from evalkit.host.state import HostState, write_state

BEAT_EVERY_S = 1.0


class Heartbeat:
    """Beats only from the loop itself, so that a loop that hangs is seen to.

    A state that cannot be written is no reason to fail: then other processes know less.
    """

    def __init__(self, folder: Path, log: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._is_over = False
        self._written_at = float("-inf")
        self.state = HostState(
            run="", workspace="", log=log, process=os.getpid(), controller=controller_of(folder) or 0,
            started_at=time.time(), beat_at=clock(), status=Status("starting"),
        )  # fmt: skip
        with suppress(OSError):
            mark_alive(folder)

    def begin(self, run: Run) -> None:
        """Which run it is; before that there is nothing to tell."""
        self.state = replace(self.state, run=run.id, workspace=run.workspace)
        self._write()

    def know(self, status: Status) -> None:
        """The newest status; notes are for the run's own user."""
        self.state = replace(self.state, status=replace(status, note=None))

    def hold(self, device: str, target: str) -> None:
        """Weights are on the device from now on."""
        self.state = replace(self.state, device=device, holds=target, waiting_since=None)
        self._write()

    def wait_for(self, device: str) -> None:
        """Weights shall come on the device when it is free."""
        if self.state.waiting_since is None:
            self.state = replace(self.state, device=device, holds="", waiting_since=self._clock())
            self._write()

    def beat(self) -> None:
        """Called at every turn of the loop; writes at most once a second."""
        if self.state.run and self._clock() - self._written_at >= BEAT_EVERY_S:
            self._write()

    def stop(self) -> None:
        """From now on nothing is written, so that the folder can be removed; called from another thread."""
        with self._lock:
            self._is_over = True

    def _write(self) -> None:
        with self._lock, suppress(OSError):
            if not self._is_over:
                self._written_at = self._clock()
                self.state = replace(self.state, beat_at=self._written_at)
                write_state(self.folder, self.state)
