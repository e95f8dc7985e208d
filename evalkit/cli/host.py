"""``evalkit host``: which model hosts of this user run now, and what each is at."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from evalkit.host.clock import clock_text
from evalkit.host.folders import runtime_base
from evalkit.host.state import HostState, live_hosts
from evalkit.reporting.safe_text import for_terminal

WATCH_EVERY_S = 1.0
_CLEAR_SCREEN = "\x1b[H\x1b[2J"


def add_to(verbs: Any) -> None:
    parser = verbs.add_parser("host", help="list the model hosts that run now: what is loaded, in flight, queued, paid")
    parser.add_argument("--watch", action="store_true", help="again every second, until Ctrl-C")
    parser.add_argument("--json", action="store_true", help="print the hosts as JSON, one line a look")
    parser.set_defaults(act=run)


def run(arguments: argparse.Namespace) -> int:
    """Exit 1 when one of them has shown no sign of life for long."""
    if not arguments.watch:
        return _show(as_json=arguments.json)
    with suppress(KeyboardInterrupt):
        watch(arguments.json, time.sleep)
    return 0


def watch(as_json: bool, pause: Callable[[float], None]) -> None:
    """Shows the hosts for ever; ``pause`` waits between two looks."""
    while True:
        if sys.stdout.isatty() and not as_json:
            sys.stdout.write(_CLEAR_SCREEN)
        _show(as_json=as_json)
        sys.stdout.flush()
        pause(WATCH_EVERY_S)


def _show(*, as_json: bool) -> int:
    hosts = live_hosts(runtime_base())
    if as_json:
        print(json.dumps([_plain(state) for state in hosts]))
    else:
        print("\n\n".join(host_text(state, time.time()) for state in hosts) or "No host of yours runs now.")
    return 1 if any(state.is_silent for state in hosts) else 0


def host_text(state: HostState, now: float) -> str:
    """One host in a few lines; ``now`` is epoch seconds."""
    return "\n".join(
        for_terminal(line)
        for line in (
            f"run {state.run}: {state.status.phase} {state.status.target}".rstrip(),
            f"  workspace  {state.workspace}",
            f"  process    {state.process}, for {clock_text(now - state.started_at)}, {_life(state)}",
            f"  device     {_device(state)}",
            f"  answers    {_answers(state)}",
            *_questions(state),
            f"  speed      {state.status.rate:.0f} tokens per second, {state.status.tokens} so far",
            *_money(state),
        )
    )


def _life(state: HostState) -> str:
    if not state.is_silent:
        return f"alive {state.silent_s:.0f} s ago"
    return f"no sign of life for {clock_text(state.silent_s)}, see {state.log}"


def _device(state: HostState) -> str:
    if state.holds:
        return f"{state.device}, loaded for {state.holds}"
    if state.waiting_since is not None:
        return f"waits for {state.device}"
    return "no weights loaded"


def _answers(state: HostState) -> str:
    status = state.status
    stored = f" ({status.stored} stored)" if status.stored else ""
    return f"{status.done} of {status.total}{stored}{_asked(state) if status.phase != 'judging' else ''}"


def _asked(state: HostState) -> str:
    """What is with the engine, as far as the engine says."""
    status = state.status
    if status.in_flight is None:
        return f", {status.asked} with the engine" if status.asked else ""
    return f", {status.in_flight} in flight, {max(0, status.asked - status.in_flight)} queued"


def _questions(state: HostState) -> list[str]:
    status = state.status
    asked = _asked(state) if status.phase == "judging" else ""
    return [f"  questions  {status.judged} of {status.questions}{asked}"] if status.questions else []


def _money(state: HostState) -> list[str]:
    status = state.status
    if not status.usd and not status.most_usd:
        return []
    most = f" of up to ${status.most_usd:.2f}" if status.most_usd > status.usd else ""
    return [f"  money      ${status.usd:.2f}{most}"]


def _plain(state: HostState) -> dict[str, Any]:
    """The state as its file has it, with how long the host has been silent in place of clock readings."""
    plain = asdict(state)
    beat_at, waiting_since = plain.pop("beat_at"), plain.pop("waiting_since")
    del plain["status"]["note"], plain["status"]["silent_s"]
    return {
        **plain,
        "silent_s": round(state.silent_s, 1),
        "is_silent": state.is_silent,
        "waiting_s": None if waiting_since is None else round(beat_at + state.silent_s - waiting_since, 1),
    }
