"""``evalkit host``: the model hosts that run now."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from evalkit.cli.host import WATCH_EVERY_S, host_text, watch
from evalkit.host.folders import mark_alive
from evalkit.host.messages import Status
from evalkit.host.state import HostState, write_state

if TYPE_CHECKING:
    from conftest import Command

STATE = HostState(
    "20261121-a1", "/home/u/evals", "/home/u/evals/.evalkit/host-1.log", 4711, 4700, 1000.0, 0.0,
    Status(
        "generating", "demo+steady:nf4:naked:greedy", 214, 384, stored=56, tokens=9100, rate=811.6, asked=138,
        in_flight=32,
    ),
    "cpu", "demo:nf4:naked:greedy",
)  # fmt: skip
NOW = 100_000.0


@pytest.fixture
def alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[HostState], None]]:
    """``alive(state)``: a host that runs, among nobody else's; time stands still."""
    held: list[int] = []
    monkeypatch.setattr("evalkit.host.state.time.monotonic", lambda: NOW)
    with tempfile.TemporaryDirectory(prefix="host-", dir="/tmp") as base:  # short enough for a socket's path
        monkeypatch.setattr(tempfile, "tempdir", base)

        def make(state: HostState) -> None:
            folder = Path(base) / f"evalkit-{state.controller}-{state.run}"
            folder.mkdir()
            held.append(mark_alive(folder))
            write_state(folder, state)

        yield make
        for descriptor in held:
            os.close(descriptor)


def now(**changes: object) -> HostState:
    return replace(STATE, beat_at=NOW, started_at=time.time(), **changes)  # type: ignore[arg-type]


def test_none_runs(evalkit: Command, alive: object) -> None:
    """Exit 0, a sentence; an empty list as JSON."""
    plain, as_json = evalkit("host"), evalkit("host", "--json")

    assert (plain.status, plain.out, plain.err) == (0, "No host of yours runs now.\n", "")
    assert (as_json.status, as_json.out) == (0, "[]\n")


def test_a_host_at_work_reads_like_this(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run, workspace, process, sign of life, device, what is in flight and queued, speed."""
    monkeypatch.setattr("evalkit.host.state.time.monotonic", lambda: 1.0)

    assert host_text(STATE, 1192.0).splitlines() == [
        "run 20261121-a1: generating demo+steady:nf4:naked:greedy",
        "  workspace  /home/u/evals",
        "  process    4711, for 3:12, alive 1 s ago",
        "  device     cpu, loaded for demo:nf4:naked:greedy",
        "  answers    214 of 384 (56 stored), 32 in flight, 106 queued",
        "  speed      812 tokens per second, 9100 so far",
    ]


@pytest.mark.parametrize(
    ("changes", "status", "lines"),
    [
        (
            {"holds": "", "device": "cuda:0", "waiting_since": 4.0},
            {"phase": "waiting", "target": "for run 2026-b (process 7) on cuda  0:42", "in_flight": None, "asked": 12},
            [
                "run 20261121-a1: waiting for run 2026-b (process 7) on cuda  0:42",
                "  device     waits for cuda:0",
                "  answers    214 of 384 (56 stored), 12 with the engine",
            ],
        ),
        (
            {"holds": "", "device": ""},
            {
                "phase": "judging", "target": "grader", "in_flight": 8, "asked": 40, "judged": 60, "questions": 100,
                "usd": 0.031, "most_usd": 0.114,
            },
            [
                "run 20261121-a1: judging grader",
                "  device     no weights loaded",
                "  answers    214 of 384 (56 stored)",
                "  questions  60 of 100, 8 in flight, 32 queued",
                "  money      $0.03 of up to $0.11",
            ],
        ),
        (
            {"beat_at": -60.0, "workspace": "/home/\x1b[31mu"},
            {"stored": 0, "in_flight": None, "asked": 0, "usd": 2.0},
            [
                "  workspace  /home/u",
                "  process    4711, for 0:00, no sign of life for 1:01, see /home/u/evals/.evalkit/host-1.log",
                "  answers    214 of 384",
                "  money      $2.00",
            ],
        ),
    ],
    ids=["waiting", "judging", "silent"],
)  # fmt: skip
def test_lines_that_depend(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, object], status: dict[str, object], lines: list[str]
) -> None:
    """What is not so is not said."""
    monkeypatch.setattr("evalkit.host.state.time.monotonic", lambda: 1.0)
    state = replace(STATE, status=replace(STATE.status, **status), **changes)  # type: ignore[arg-type]

    shown = host_text(state, 1000.0).splitlines()

    assert [line for line in shown if line in lines] == lines, shown


def test_hosts_as_json(evalkit: Command, alive: Callable[[HostState], None]) -> None:
    """Oldest first, with how long each has been silent and waiting in place of clock readings."""
    alive(now())
    alive(replace(now(run="b2", waiting_since=NOW - 4), started_at=time.time() + 1))

    done = evalkit("host", "--json")

    first, second = json.loads(done.out)
    assert (done.status, first["run"], second["run"]) == (0, "20261121-a1", "b2")
    assert (first["is_silent"], first["waiting_s"], second["waiting_s"]) == (False, None, 4.0)
    assert first["silent_s"] == 0
    assert first["status"]["in_flight"] == 32
    assert not {"beat_at", "waiting_since", "note"} & {*first, *first["status"]}


def test_a_silent_host_is_exit_1(evalkit: Command, alive: Callable[[HostState], None]) -> None:
    """So that a script notices."""
    alive(replace(now(), beat_at=NOW - 60))

    done = evalkit("host")

    assert done.status == 1
    assert "no sign of life for 1:00, see /home/u/evals/.evalkit/host-1.log" in done.out


def test_watching(alive: Callable[[HostState], None], capsys: pytest.CaptureFixture[str]) -> None:
    """One look a second until Ctrl-C; what has ended meanwhile is gone."""
    looks: list[float] = []

    def pause(timeout_s: float) -> None:
        looks.append(timeout_s)
        if len(looks) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watch(False, pause)

    assert looks == [WATCH_EVERY_S] * 3
    assert capsys.readouterr().out == "No host of yours runs now.\n" * 3


def test_watching_ends_with_ctrl_c(evalkit: Command, alive: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 0: it is the only way out."""

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("evalkit.cli.host.time.sleep", interrupted)

    done = evalkit("host", "--watch", "--json")

    assert (done.status, done.out, done.err) == (0, "[]\n", "")
