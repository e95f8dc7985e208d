"""Whose turn it is to load weights on a device that several runs of one user want."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from evalkit.generation import Failure
from evalkit.host.clock import clock_text
from evalkit.host.folders import alone
from evalkit.host.heartbeat import Heartbeat
from evalkit.host.messages import WhenBusy
from evalkit.host.progress import StatusKeeper
from evalkit.host.state import HostState, is_same, live_hosts
from evalkit.target import Settings, Target

LOOK_EVERY_S = 0.5


class Devices:
    """Tells a run of others that hold weights on its device, and lets it wait or go on beside them.

    Without a choice a run waits for a CUDA device, where two models together may not fit, and shares the CPU, where two
    are only slower. Those who wait go on in the order in which they came.
    """

    def __init__(self, heartbeat: Heartbeat, pause: Callable[[float], None], choice: WhenBusy | None = None) -> None:
        """``pause`` serves the host's clients for up to so many seconds."""
        self._heartbeat = heartbeat
        self._pause = pause
        self._choice = choice

    def take(self, target: Target, facts: Settings | Failure | None, progress: StatusKeeper) -> None:
        """Comes back when the target's weights may be loaded; ``facts`` name its device, if its engine uses one."""
        known = dict(facts) if isinstance(facts, tuple) else {}
        if "device" not in known:
            return
        kind = str(known["device"])
        device = visible(kind)
        if self._heartbeat.state.holds:
            self._heartbeat.hold(device, target.label)
            return
        self._wait(kind, device, target.label, progress)

    def _wait(self, kind: str, device: str, target: str, progress: StatusKeeper) -> None:
        choice = self._choice or default_choice(kind)
        since, first = time.monotonic(), None
        while ahead := self._claim(device, target, choice):
            if choice == "share":
                progress.note(_sharing(ahead[0], kind))
                return
            if first is None or ahead[0].process != first.process:
                first = ahead[0]
                _say(progress, _waiting(first, kind))
            progress.show("waiting", _line(ahead[0], kind, time.monotonic() - since))
            self._pause(LOOK_EVERY_S)
        if first is not None:
            _say(progress, f"Waited {clock_text(time.monotonic() - since)} for {_named(first)} to let go of {kind}.")

    def _claim(self, device: str, target: str, choice: WhenBusy) -> list[HostState]:
        """Who is in front, oldest first. The device is this host's if nobody is, or if it is shared."""
        base = self._heartbeat.folder.parent
        with alone(base):
            ahead = in_front(live_hosts(base), self._heartbeat.state, device)
            if choice == "share" or not ahead:
                self._heartbeat.hold(device, target)
                return [state for state in ahead if state.holds]
            self._heartbeat.wait_for(device)
        return ahead


def in_front(hosts: list[HostState], own: HostState, device: str) -> list[HostState]:
    """The hosts that hold weights on a device, then those that have waited longer for it than ``own``.

    A run that one of its own tests' processes started does not wait for the run that waits for that test.
    """
    family = {own.controller, *ancestors(own.controller)}
    others = [
        state
        for state in hosts
        if not is_same(state, own) and overlap(state.device, device) and state.controller not in family
    ]
    holding = [state for state in others if state.holds]
    waiting = [
        state
        for state in others
        if state.waiting_since is not None
        and (own.waiting_since is None or (state.waiting_since, state.process) < (own.waiting_since, own.process))
    ]
    return holding + sorted(waiting, key=lambda state: (state.waiting_since, state.process))


def default_choice(kind: str) -> WhenBusy:
    return "wait" if kind.startswith("cuda") else "share"


def visible(kind: str, environment: Mapping[str, str] = os.environ) -> str:
    """The kind of device, with the numbers or ids of those that this process may use, where it may not use all."""
    chosen = environment.get("CUDA_VISIBLE_DEVICES") if kind.startswith("cuda") else None
    return "cuda:" + ",".join(part.strip() for part in chosen.split(",")) if chosen else kind


def overlap(one: str, other: str) -> bool:
    """Whether two of ``visible`` may mean the same device; numbers and ids cannot be told apart, so they may."""
    (kind, _, own), (other_kind, _, others) = one.partition(":"), other.partition(":")
    if not kind or kind != other_kind:
        return False
    left, right = set(own.split(",")), set(others.split(","))
    is_comparable = all(part.isdecimal() for part in left | right) or not any(
        part.isdecimal() or not part for part in left | right
    )
    return bool(left & right) or not is_comparable


def ancestors(process: int, processes: Path = Path("/proc")) -> set[int]:
    """A process's parents, its own number left out; empty where the system does not tell."""
    found: set[int] = set()
    while process > 1:
        try:
            stat = (processes / str(process) / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            break
        process = int(stat.rpartition(")")[2].split()[1])
        if process in found:  # numbers were given again while this looked
            break
        found.add(process)
    return found


def _say(progress: StatusKeeper, sentence: str) -> None:
    progress.note(sentence)
    print(sentence, file=sys.stderr, flush=True)


def _named(state: HostState) -> str:
    return f"run {state.run} of yours (process {state.process}, {state.workspace})"


def _sharing(state: HostState, kind: str) -> str:
    return (
        f"Run {state.run} of yours (process {state.process}, {state.workspace}) has weights loaded on {kind} too, so "
        "both are slower and share its memory. --eval-when-busy wait waits for it."
    )


def _waiting(state: HostState, kind: str) -> str:
    what = f"has weights loaded on {kind}" if state.holds else f"came first and waits for {kind} too"
    return f"Waiting for {_named(state)}, which {what}. --eval-when-busy share goes on beside it."


def _line(state: HostState, kind: str, waited_s: float) -> str:
    silence = f", silent for {clock_text(state.silent_s)}" if state.is_silent else ""
    return f"for run {state.run} (process {state.process}{silence}) on {kind}  {clock_text(waited_s)}"
