"""What a host tells other processes of its user: a small file in its private folder."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evalkit.host.folders import is_alive, private_folders
from evalkit.host.messages import Status

STATE_FILE = "state.json"
SILENT_AFTER_S = 20.0
LOADING_SILENT_AFTER_S = 120.0
"""Weights come in without a sign of life in between."""


@dataclass(frozen=True, slots=True)
class HostState:
    """One host at work.

    ``started_at`` is epoch seconds; ``beat_at`` and ``waiting_since`` are seconds of this machine's
    monotonic clock. ``device`` is the one on which it ``holds`` the weights of a target, or waits to load them.
    """

    run: str
    workspace: str
    log: str
    process: int
    controller: int
    started_at: float
    beat_at: float
    status: Status
    device: str = ""
    holds: str = ""
    waiting_since: float | None = None

    @property
    def silent_s(self) -> float:
        """How long ago it last showed a sign of life."""
        return max(0.0, time.monotonic() - self.beat_at)

    @property
    def is_silent(self) -> bool:
        return self.silent_s > silence_bound_s(self.status)


def is_same(one: HostState, other: HostState) -> bool:
    """Whether two states are of one host; numbers of processes repeat between containers."""
    return (one.process, one.started_at) == (other.process, other.started_at)


def silence_bound_s(status: Status) -> float:
    """How long a host may be silent in this phase before one should look at its log."""
    return LOADING_SILENT_AFTER_S if status.phase == "loading" else SILENT_AFTER_S


def write_state(folder: Path, state: HostState) -> None:
    """Replaces the folder's state in one step.

    Raises:
        OSError: the folder is gone, or the disk is full.
    """
    draft = folder / f"{STATE_FILE}.new"
    draft.write_text(json.dumps(asdict(state)), encoding="utf-8")
    os.replace(draft, folder / STATE_FILE)


def live_hosts(base: Path) -> list[HostState]:
    """Every host of this user that lives, oldest first; what a killed one left is not among them."""
    return sorted(_states(base), key=lambda state: (state.started_at, state.process))


def _states(base: Path) -> Iterable[HostState]:
    for folder in private_folders(base):
        state = _read(folder / STATE_FILE)
        if state is not None and is_alive(folder):
            yield state


def _read(file: Path) -> HostState | None:
    """None where there is no state yet, or one of another version."""
    try:
        plain: dict[str, Any] = json.loads(file.read_bytes())
        return HostState(**{**plain, "status": Status(**plain["status"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None
